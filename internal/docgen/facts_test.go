package main

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
)

func TestFactRows(t *testing.T) {
	type disk struct {
		Name string    `yaml:"name" doc:"its name"`
		Size labs.CIDR `yaml:"size,omitempty" doc:"a | b"`
	}
	type group struct {
		Mode   string          `yaml:"mode" enum:"a|b" default:"a" doc:"mode"`
		On     bool            `yaml:"on" default:"false" doc:"switch"`
		Disks  []disk          `yaml:"disks,omitempty" doc:"disks"`
		One    disk            `yaml:"one" doc:"one"`
		Secret labs.SecretRef  `yaml:"secret" doc:"a secret"`
		Nets   []labs.CIDR     `yaml:"nets" doc:"networks"`
		Wait   labs.Duration   `yaml:"wait" default:"1m" doc:"how long"`
		Key    labs.PublicKey  `yaml:"key" doc:"a key"`
		Not    map[string]bool `yaml:"-"`
	}
	want := [][]string{
		{"`x.mode`", "text", "`a`, `b`", "`a`", "mode"},
		{"`x.on`", "true or false", "`true`, `false`", "`false`", "switch"},
		{"`x.disks`", "list: group", "", "optional", "disks"},
		{"`x.disks[].name`", "text", "", "required", "its name"},
		{"`x.disks[].size`", "CIDR", "", "optional", `a \| b`},
		{"`x.one`", "group", "", "required", "one"},
		{"`x.one.name`", "text", "", "required", "its name"},
		{"`x.one.size`", "CIDR", "", "optional", `a \| b`},
		{"`x.secret`", "secret, by reference", "", "required", "a secret"},
		{"`x.nets`", "list: CIDR", "", "required", "networks"},
		{"`x.wait`", "duration", "", "`1m`", "how long"},
		{"`x.key`", "public key", "", "required", "a key"},
	}
	got := factRows("x", reflect.TypeFor[group]())
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !slices.Equal(got[i], want[i]) {
			t.Fatalf("row %d: %q\nwant %q", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

// TestEveryFactIsTold holds every fact to a description, and to a default that is
// one of its allowed values.
func TestEveryFactIsTold(t *testing.T) {
	var look func(path string, group reflect.Type)
	look = func(path string, group reflect.Type) {
		for _, k := range keys(group) {
			at := path + "." + k.name
			if k.tag.Get("doc") == "" {
				t.Errorf("%s is not described", at)
			}
			fallback, has := k.tag.Lookup("default")
			if enum := k.tag.Get("enum"); has && enum != "" && !slices.Contains(strings.Split(enum, "|"), fallback) {
				t.Errorf("%s: its default %s is none of %s", at, fallback, enum)
			}
			if inner := members(k.of); inner != nil {
				look(at, inner)
			}
		}
	}
	look("lab", reflect.TypeFor[labs.Facts]())
}

// TestSamplesAreRead holds what is said of a type's texts to what the type reads.
func TestSamplesAreRead(t *testing.T) {
	for _, v := range values() {
		for _, sample := range v.samples {
			if err := reflect.New(v.of).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(sample)); err != nil {
				t.Errorf("%s: %v", v.name, err)
			}
			if !strings.Contains(v.how, "`"+sample+"`") {
				t.Errorf("%s: %s is not what is said of it: %s", v.name, sample, v.how)
			}
		}
	}
}
