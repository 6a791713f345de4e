package labschema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/labrun/labrun/internal/mistakes"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/schemas"
)

const root = "../.."

// compiled is the checked-in schema, compiled by a validator that is not ours.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Lab))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("lab.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("lab.json") // also against the meta-schema
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// check validates a lab file as an editor does.
func check(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("it is no YAML: %v\n%s", err, text)
	}
	return schema.Validate(value)
}

// TestAccepts validates all lab files that are checked in.
func TestAccepts(t *testing.T) {
	schema := compiled(t)
	var files []string
	for _, pattern := range []string{"labs/*.yaml", "testdata/mistakes/labs/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestAcceptsPieces holds the schema to what the language takes beside what the
// lab files show.
func TestAcceptsPieces(t *testing.T) {
	schema := compiled(t)
	base, err := os.ReadFile(filepath.Join(root, "testdata/mistakes/labs/ipv6.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, piece := range map[string]string{
		"expression for a list":    "steps: [{id: a, phase: join, uses: exec, with: {command: \"${{ lab.workers }}\"}}]",
		"expression in a text":     "steps: [{id: a, phase: join, uses: exec, with: {command: [echo, \"x-${{ lab.domain }}\"]}}]",
		"number as a text":         "steps: [{id: a, phase: join, uses: exec, with: {command: [sleep, 1]}}]",
		"override takes keys away": "override: {wait_agents: {timeout: null, when: null, with: null}}",
		"override with anything":   "override: {hosted_cluster: {with: {patch: {spec: {autoscaling: {maxNodesTotal: 4}}}}}}",
		"override disables":        "override: {wait_agents: {disabled: \"not here\", needs: [], timeout: 1h30m}}",
		"env as a list":            "env: [HOME, BMC_PASSWORD]",
		"env with defaults":        "env: {HOME: null, PORT: 8000}",
		"vars of any shape":        "vars: {a: 1, b: [x, {c: true}]}",
		"a gate":                   "steps: [{id: a, phase: join, uses: assert, when: true, forEach: lab.workers, key: item.name, with: {that: \"1 == 1\"}}]",
	} {
		if err := check(t, schema, string(base)+piece+"\n"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRejects holds the schema to each broken lab whose mistake a schema can see:
// it tells what labrun tells first, at the same line.
func TestRejects(t *testing.T) {
	schema := compiled(t)
	cases, err := mistakes.Read(filepath.Join(root, "testdata/mistakes"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range cases {
		if !c.Schema {
			continue
		}
		seen++
		t.Run(c.Name, func(t *testing.T) {
			text := c.Files[mistakes.LabFile]
			tree, bad := source.Parse(mistakes.LabFile, []byte(text))
			if bad != nil {
				t.Fatalf("it is no YAML, which no schema can see: %v", bad)
			}
			err := check(t, schema, text)
			if err == nil {
				t.Fatalf("it is accepted; labrun says\n%s", c.Want)
			}
			var told []int
			for _, place := range places(err.(*jsonschema.ValidationError)) {
				told = append(told, line(tree, place))
			}
			findings := mistakes.Findings(c.Want)
			if !slices.ContainsFunc(findings, func(f mistakes.Finding) bool { return slices.Contains(told, f.Line) }) {
				t.Errorf("it is told at line %v, and by labrun at %d\n%v", told, findings[0].Line, err)
			}
		})
	}
	if seen < 20 {
		t.Errorf("a schema can see %d of the broken labs, at least 20 are needed", seen)
	}
}

// places are where the mistakes are, each a path of keys and indices; an unknown
// key is named by the last.
func places(err *jsonschema.ValidationError) [][]string {
	if extra, ok := err.ErrorKind.(*kind.AdditionalProperties); ok {
		var all [][]string
		for _, name := range extra.Properties {
			all = append(all, append(slices.Clone(err.InstanceLocation), name))
		}
		return all
	}
	if len(err.Causes) == 0 {
		return [][]string{err.InstanceLocation}
	}
	var all [][]string
	for _, cause := range err.Causes {
		all = append(all, places(cause)...)
	}
	return all
}

// line is where the value at a path begins, or its key where it has none.
func line(n *source.Node, path []string) int {
	at := n.Pos.Line
	for _, name := range path {
		switch n.Kind {
		case source.Mapping:
			e := n.Entry(name)
			if e == nil {
				return at
			}
			n, at = e.Value, e.Value.Pos.Line
			if n.Kind == source.Null || e.Key.Pos.Line > 0 && len(n.Entries)+len(n.Items) == 0 {
				at = e.Key.Pos.Line
			}
		case source.Sequence:
			i := index(name)
			if i >= len(n.Items) {
				return at
			}
			n = n.Items[i]
			at = n.Pos.Line
		default:
			return at
		}
	}
	return at
}

func index(text string) int {
	i := 0
	for _, digit := range strings.TrimSpace(text) {
		i = 10*i + int(digit-'0')
	}
	return i
}
