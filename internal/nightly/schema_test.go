package nightly

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published is a schema that make bin took from those who publish it.
func published(t *testing.T, name string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "bin", "schemas", name))
	if err != nil {
		t.Fatalf("%v (make bin fills bin)", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func compiled(t *testing.T, schema any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json") // also against its meta-schema
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// offered is a file of docs/ci.
func offered(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// read gives the value of a text in YAML; a key that stands twice is an error.
func read(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("it is no YAML: %v\n%s", err, text)
	}
	return value
}

// plain is a value as JSON has it, for decoders that go by JSON.
func plain(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// breakage is a file with one thing wrong in it.
type breakage struct{ name, old, new string }

// in gives the text with it; what is replaced has to stand there once.
func (b breakage) in(t *testing.T, text string) string {
	t.Helper()
	if n := strings.Count(text, b.old); n != 1 {
		t.Fatalf("%q stands %d times in it, want 1", b.old, n)
	}
	return strings.Replace(text, b.old, b.new, 1)
}
