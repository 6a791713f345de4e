package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// whole is the lab file that pieces are put into.
const whole = "labs/ipv6-disconnected.yaml"

// TestLabFiles validates every yaml block with labrun itself.
//
// A mapping with version is a lab file. Where an "…" in it says that something is
// left out, and where there is no version, it is a piece, which is put into a
// valid lab file first: below the top where it has one of the top's keys, below
// lab otherwise. Maps merge, and lists of named things by name; all else
// replaces, a reference to a secret as a whole. A list is a list of steps: each
// is put behind those of the file, in its last phase if it names none, under an
// id that is not taken.
func TestLabFiles(t *testing.T) {
	b := newBench(t)
	n := 0
	for _, d := range documents(t) {
		for _, block := range d.blocks {
			if block.language != "yaml" {
				continue
			}
			n++
			t.Run(fmt.Sprintf("%s:%d", d.name, block.line), func(t *testing.T) {
				text := strings.Join(block.lines, "\n")
				if !complete(text) {
					text = b.filled(t, text)
				}
				file := filepath.Join(b.dir, "piece.yaml")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, code := b.run("labrun validate piece.yaml"); code != 0 {
					t.Errorf("%s\n%s", out, text)
				}
			})
		}
	}
	if n == 0 {
		t.Error("no yaml block was found")
	}
}

func complete(text string) bool {
	return strings.HasPrefix(text, "version:") && !strings.Contains(text, "…")
}

// filled is a valid lab file with a piece in it.
func (b *bench) filled(t *testing.T, piece string) string {
	t.Helper()
	var given any
	if err := yaml.Unmarshal([]byte(piece), &given); err != nil {
		t.Fatalf("it is no YAML: %v\n%s", err, piece)
	}
	text, err := os.ReadFile(filepath.Join(b.dir, whole))
	if err != nil {
		t.Fatal(err)
	}
	var lab map[string]any
	if err := yaml.Unmarshal(text, &lab); err != nil {
		t.Fatal(err)
	}
	switch given := given.(type) {
	case []any:
		lab["steps"] = placed(t, given)
	case map[string]any:
		if !ofTheTop(given) {
			given = map[string]any{"lab": given}
		}
		if given["phases"] != nil {
			delete(lab, "include")
		}
		lab = merged(lab, given).(map[string]any)
	default:
		t.Fatalf("it is neither a mapping nor a list:\n%s", piece)
	}
	out, err := yaml.Marshal(lab)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func ofTheTop(given map[string]any) bool {
	for _, key := range []string{"version", "name", "lab", "vars", "env", "include", "override", "phases", "steps", "finally", "onFailure"} {
		if _, ok := given[key]; ok {
			return true
		}
	}
	return false
}

// placed gives steps an id and a phase that fit the whole.
func placed(t *testing.T, steps []any) []any {
	t.Helper()
	for _, s := range steps {
		step, ok := s.(map[string]any)
		if !ok {
			t.Fatalf("a list in a yaml block is a list of steps, found %v", s)
		}
		step["id"] = fmt.Sprintf("doc_%v", step["id"])
		if step["phase"] == nil && step["after"] == nil {
			step["phase"] = "join"
		}
	}
	return steps
}

func merged(base, over any) any {
	switch over := over.(type) {
	case map[string]any:
		was, ok := base.(map[string]any)
		if !ok || refersToSecret(over) {
			return over
		}
		for k, v := range over {
			was[k] = merged(was[k], v)
		}
		return was
	case []any:
		was, ok := base.([]any)
		if !ok || !named(was) || !named(over) {
			return over
		}
		for _, item := range over {
			at := slices.IndexFunc(was, func(w any) bool { return name(w) == name(item) })
			if at < 0 {
				was = append(was, item)
				continue
			}
			was[at] = merged(was[at], item)
		}
		return was
	}
	return over
}

func refersToSecret(m map[string]any) bool {
	for k := range m {
		if !slices.Contains([]string{"file", "env", "command", "secret"}, k) {
			return false
		}
	}
	return len(m) > 0
}

func named(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { return name(v) == nil })
}

func name(v any) any {
	m, _ := v.(map[string]any)
	return m["name"]
}
