package mistakes

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
)

const folder = "../../testdata/mistakes"

var update = flag.Bool("update", false, "write what is said into the cases")

// ofGo is what no message holds: names of Go's types, and what a wrong verb prints.
var ofGo = regexp.MustCompile(`\*?\b[a-z]+\.[A-Z]\w+|map\[|\[\](string|int|byte|interface|any)\b|interface \{|%!|\b(u?int|float)(32|64)\b|<nil>|runtime error`)

// validate runs `labrun validate` in a folder, as a user there would.
func validate(t *testing.T, dir string, args ...string) (said string, code int) {
	t.Helper()
	t.Chdir(dir)
	var out bytes.Buffer
	code = program.Main(t.Context(), append([]string{"validate"}, args...), cli.Streams{Out: &out, Err: &out})
	return out.String(), code
}

// spoken is what labrun itself says: without the lines that it shows of a file.
func spoken(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if !snippet.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestMistakes validates each broken lab, and compares all that is said.
func TestMistakes(t *testing.T) {
	root, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	broken := 0
	for _, c := range cases {
		if c.Exit == 2 {
			broken++
		}
		t.Run(c.Name, func(t *testing.T) {
			said, code := run(t, c)
			if code != c.Exit {
				t.Errorf("exit code %d, want %d", code, c.Exit)
			}
			if found := ofGo.FindString(spoken(said)); found != "" {
				t.Errorf("it speaks of Go: %s\n%s", found, said)
			}
			findings := Findings(said)
			if len(findings) == 0 {
				t.Errorf("nothing is found:\n%s", said)
			}
			for _, f := range findings {
				fmt.Fprintf(rows, "%s\t%s:%d:%d\t%s\t%s\n", c.Name, f.File, f.Line, f.Column, f.Message, strings.Join(f.Hints, "; "))
			}
			if *update {
				rewrite(t, filepath.Join(root, c.Name+".txtar"), said)
			} else if diff := cmp.Diff(c.Want, said); diff != "" {
				t.Errorf("what is said (-want +got):\n%s", diff)
			}
		})
	}
	if broken < 60 {
		t.Errorf("there are %d broken labs, at least 60 are needed", broken)
	}
	_ = rows.Flush()
	t.Logf("%d broken labs\n%s", broken, table.String())
}

func run(t *testing.T, c Case) (string, int) {
	t.Helper()
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	said, code := validate(t, dir, append([]string{LabFile}, c.Args...)...)
	return strings.ReplaceAll(said, dir+"/", ""), code
}

// rewrite puts what is said into a case.
func rewrite(t *testing.T, path, said string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts := archive.Files[:0]
	for _, part := range archive.Files {
		if part.Name != "want" {
			parts = append(parts, part)
		}
	}
	archive.Files = append(parts, txtar.File{Name: "want", Data: []byte(said)})
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSound validates the labs that the mistakes are made in.
func TestSound(t *testing.T) {
	root, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	labs, err := filepath.Glob(filepath.Join(root, "labs", "*.yaml"))
	if err != nil || len(labs) == 0 {
		t.Fatalf("no sound labs in %s: %v", root, err)
	}
	site, err := siteFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, lab := range labs {
		text, err := os.ReadFile(lab)
		if err != nil {
			t.Fatal(err)
		}
		c := Case{Files: map[string]string{LabFile: string(text)}}
		for name, text := range site {
			c.Files[name] = text
		}
		said, code := run(t, c)
		if code != 0 || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, and it says\n%s", lab, code, said)
		}
	}
}
