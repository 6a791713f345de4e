package labs_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps"
)

var update = flag.Bool("update", false, "write the lab files anew")

// all are the examples that labrun brings, by the names of their files.
func all() map[string]labs.Example {
	files := map[string]labs.Example{}
	for _, stack := range []labs.Stack{labs.IPv4, labs.IPv6, labs.Dual} {
		for name, disconnected := range map[string]bool{"connected": false, "disconnected": true} {
			files[string(stack)+"-"+name+".yaml"] = labs.Example{Stack: stack, Disconnected: disconnected, Schema: "../schemas/" + labs.SchemaFile}
		}
	}
	return files
}

// TestLabFiles holds the lab files to the template, and each to its facts.
func TestLabFiles(t *testing.T) {
	for file, example := range all() {
		t.Run(file, func(t *testing.T) {
			text, err := example.Write()
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if there, err := os.ReadFile(file); err != nil || string(there) != string(text) {
				t.Errorf("the file is another one than the template gives (go generate ./labs writes it): %v\n%s", err, text)
			}
			p, found := pipeline.Load(pipeline.Request[*steps.Env]{File: file, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps()})
			if len(found) > 0 {
				t.Fatal(found)
			}
			f := p.Facts.(*labs.Facts)
			if f.Stack != example.Stack || f.Disconnected != example.Disconnected || f.Name+".yaml" != file || len(f.Workers) != 2 {
				t.Errorf("its facts are %s, %s with %d workers", f.Name, f.Title(), len(f.Workers))
			}
		})
	}
}

// TestLabsDifferInFacts holds the lab files against each other: what stands outside
// of their facts is the same in all, but for the name, and so is every comment of a
// fact that two of them have.
func TestLabsDifferInFacts(t *testing.T) {
	var first []string
	comments := map[string]string{} // by the key that they stand at
	for file := range all() {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		outside, above := []string{}, ""
		for line := range strings.Lines(string(text)) {
			code, comment, _ := strings.Cut(strings.TrimSpace(line), "#")
			key, _, _ := strings.Cut(strings.TrimSpace(code), ":")
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "name: ") {
				outside = append(outside, line)
			}
			if code == "" {
				above += comment
				continue
			}
			if said := above + comment; said != "" && comments[key] != "" && comments[key] != said {
				t.Errorf("%s: the comment of %s is %q, in another lab %q", file, key, said, comments[key])
			} else if said != "" {
				comments[key] = said
			}
			above = ""
		}
		// The blank lines between blocks belong to them.
		outside = slices.DeleteFunc(outside, func(line string) bool { return strings.TrimSpace(line) == "" })
		if first == nil {
			first = outside
		} else if !slices.Equal(first, outside) {
			t.Errorf("%s has outside of its facts\n%s\nand another lab\n%s", file, strings.Join(outside, ""), strings.Join(first, ""))
		}
	}
}
