package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/labrun/labrun/labs"
)

const factsHeader = `<!-- Generated from the Go types of the facts (package labs) by make generate. Do not edit it: change the tags there. -->

# The facts of a lab

These stand below ` + "`lab`" + ` in a [lab file](lab-file.md), and are read in expressions under the same name. ` + "`[]`" + ` stands for each
item of a list, ` + "`NAME`" + ` for each key of a mapping. A fact that is required below an optional one is required where that
one is given. What several facts have to be together is checked too: an IPv6 lab has no IPv4 network, a disconnected lab has
a registry.

`

// factsPage describes all facts: those at the top first, then each group with what is in it.
func factsPage(facts reflect.Type) []byte {
	var b bytes.Buffer
	b.WriteString(factsHeader)
	head := []string{"fact", "type", "allowed values", "default", "what it is"}
	var top [][]string
	var groups []key
	for _, k := range keys(facts) {
		top = append(top, factRow("lab."+k.name, k))
		if members(k.of) != nil {
			groups = append(groups, k)
		}
	}
	b.WriteString("## lab\n")
	table(&b, head, top)
	for _, k := range groups {
		path := "lab." + k.name
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", path, sentence(cell(k.tag.Get("doc"))))
		table(&b, head, factRows(path+each(k.of), members(k.of)))
	}
	b.WriteString("\n## How values are written\n")
	var rows [][]string
	for _, v := range values() {
		if v.how == "" {
			continue
		}
		rows = append(rows, []string{v.name, v.how})
	}
	table(&b, []string{"type", "written as"}, rows)
	b.WriteString("\nA secret is named by exactly one of these:\n")
	table(&b, head, factRows("", reflect.TypeFor[labs.SecretRef]()))
	return b.Bytes()
}

// factRows tells the fields of a group, and what is in them, in the order of the types.
func factRows(path string, group reflect.Type) [][]string {
	var rows [][]string
	for _, k := range keys(group) {
		at := strings.TrimPrefix(path+"."+k.name, ".")
		rows = append(rows, factRow(at, k))
		if inner := members(k.of); inner != nil {
			rows = append(rows, factRows(at+each(k.of), inner)...)
		}
	}
	return rows
}

func factRow(path string, k key) []string {
	fallback, has := k.tag.Lookup("default")
	switch {
	case has:
		fallback = "`" + fallback + "`"
	case k.optional:
		fallback = "optional"
	default:
		fallback = "required"
	}
	return []string{"`" + path + "`", factType(k.of), allowed(k), fallback, cell(k.tag.Get("doc"))}
}

// factType says what an author writes for a fact.
func factType(t reflect.Type) string {
	switch inner := members(t); {
	case inner == nil:
		return typeName(t, "")
	case t.Kind() == reflect.Slice:
		return "list: group"
	case t.Kind() == reflect.Map:
		return "mapping: group"
	}
	return "group"
}

func allowed(k key) string {
	if enum := k.tag.Get("enum"); enum != "" {
		return "`" + strings.ReplaceAll(enum, "|", "`, `") + "`"
	}
	if k.of.Kind() == reflect.Bool {
		return "`true`, `false`"
	}
	return ""
}

// members is the struct whose fields are facts of their own, of a group, or of a list or mapping of groups; nil for a value.
func members(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if _, isValue := valueOf(t); isValue || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

func each(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[]"
	case reflect.Map:
		return ".NAME"
	}
	return ""
}

// sentence begins with a capital letter.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
