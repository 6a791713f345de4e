package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnce(t *testing.T) {
	out := t.TempDir()
	if err := os.Mkdir(filepath.Join(out, ".stamps"), 0o755); err != nil {
		t.Fatal(err)
	}
	made := 0
	s := step{name: "x", stamp: "v1", why: "x: why", make: func(_ context.Context, into string) error {
		made++
		return os.WriteFile(into, nil, 0o644)
	}}
	once := func(want int, after string) {
		t.Helper()
		if err := s.once(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		if made != want {
			t.Errorf("%s: made %d times, want %d", after, made, want)
		}
	}
	once(1, "nothing there")
	once(1, "made already")
	s.stamp = "v2"
	once(2, "another version")
	if err := os.Remove(filepath.Join(out, "x")); err != nil {
		t.Fatal(err)
	}
	once(3, "it was deleted")
	s.stamp, s.make = "v3", func(context.Context, string) error { return errors.New("no") }
	if err := s.once(t.Context(), out); err == nil {
		t.Error("a failure was lost")
	}
	if _, err := os.Stat(filepath.Join(out, ".stamps", "x")); err == nil {
		t.Error("what failed carries a stamp")
	}
}

func TestConvert(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "in.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("kind: CustomResourceDefinition\nmetadata: {name: as.x.io, creationTimestamp: null}\nspec: {group: x.io, conversion: {strategy: Webhook}}\nstatus: {conditions: []}\n")
	if err := convert(file, filepath.Join(dir, "set")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "set", "as.x.io.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"kind":"CustomResourceDefinition","metadata":{"name":"as.x.io"},"spec":{"group":"x.io"}}`; string(text) != want || !json.Valid(text) {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for name, text := range map[string]string{"another kind": "kind: Service\nmetadata: {name: a}\n", "a template": "kind: CustomResourceDefinition\nmetadata: {name: '{{ .x }}'}\n"} {
		write(text)
		if err := convert(file, dir); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// The user's own API server and etcd are taken where KUBEBUILDER_ASSETS says so; the controller manager is built.
func TestKubebuilderAssets(t *testing.T) {
	t.Chdir("../..")
	names := func(list []step) (got []string) {
		for _, s := range list {
			got = append(got, s.name)
		}
		return got
	}
	all, err := steps("")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(all), " "); got != "etcd kube-apiserver kube-controller-manager crds venv schemas" {
		t.Errorf("without: %s", got)
	}
	dir := t.TempDir()
	if _, err := steps(dir); err == nil || !strings.Contains(err.Error(), "KUBEBUILDER_ASSETS") {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	some, err := steps(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(some), " "); got != "kube-controller-manager crds venv schemas" {
		t.Errorf("with: %s", got)
	}
}
