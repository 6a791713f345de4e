// Package mistakes reads the broken labs of testdata/mistakes: each file is one
// case that shows just its mistake, as an edit of a sound lab, and all that
// labrun says of it. The tests of validate, the schema and the documentation
// read the same cases.
//
// A case is a txtar archive. Its head is a title and settings, its parts are the
// edit (or the whole lab.yaml), further files, and what is said:
//
//	The machine network has host bits set.
//	lab: ipv6                      the sound lab: labs/ipv6.yaml, the default
//	args: --set lab.stack=ipv9     further arguments of validate
//	env: NAME=value
//	exit: 0                        the exit code, 2 where it is not given
//	schema: no                     no schema can see it
//	-- edit --
//	-    machine: [2620:52:0:1305::/64]
//	+    machine: [2620:52:0:1305::1/64]
//	-- want --
//	lab.yaml:11:15: …
//
// The lines of an edit that begin with - or a blank stand in the sound lab just
// once, one after the other; those with + or a blank take their place; @@ stands
// between two edits.
package mistakes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// LabFile is the name of the broken lab's file.
const LabFile = "lab.yaml"

// Case is one broken lab.
type Case struct {
	Name   string // of its file, without .txtar
	Title  string // what is wrong, a sentence
	Edit   string // how the mistake gets into the sound lab; "" for a whole file of its own
	Args   []string
	Env    []string // NAME=value
	Exit   int      // of validate
	Schema bool     // a schema can see it
	Want   string   // all that validate says
	// Files are the broken lab and what it names, by path.
	Files map[string]string
}

// ErrNoCases is the error of a folder without cases.
var ErrNoCases = errors.New("no broken labs are found")

// Read reads the cases below testdata/mistakes, in the order of their names.
func Read(dir string) ([]Case, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w in %s", ErrNoCases, dir)
	}
	site, err := siteFiles(dir)
	if err != nil {
		return nil, err
	}
	cases := make([]Case, 0, len(names))
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			return nil, err
		}
		c, err := read(dir, archive, site)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.Name = strings.TrimSuffix(filepath.Base(name), ".txtar")
		cases = append(cases, c)
	}
	return cases, nil
}

// siteFiles are the files that the sound labs name.
func siteFiles(dir string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "site", "*"))
	files := make(map[string]string, len(names))
	for _, name := range names {
		text, readErr := os.ReadFile(name)
		err = errors.Join(err, readErr)
		files[filepath.Base(name)] = string(text)
	}
	return files, err
}

func read(dir string, archive *txtar.Archive, site map[string]string) (Case, error) {
	c := Case{Exit: 2, Schema: true, Files: map[string]string{}}
	for name, text := range site {
		c.Files[name] = text
	}
	lab, err := c.head(string(archive.Comment))
	if err != nil {
		return c, err
	}
	for _, part := range archive.Files {
		switch part.Name {
		case "edit":
			c.Edit = string(part.Data)
		case "want":
			c.Want = string(part.Data)
		default:
			c.Files[part.Name] = string(part.Data)
		}
	}
	if _, own := c.Files[LabFile]; own {
		return c, nil
	}
	sound, err := os.ReadFile(filepath.Join(dir, "labs", lab+".yaml"))
	if err != nil {
		return c, err
	}
	c.Files[LabFile], err = edited(string(sound), c.Edit)
	return c, err
}

// head reads a case's title and settings, and gives the sound lab's name.
func (c *Case) head(text string) (lab string, err error) {
	lab = "ipv6"
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if i == 0 {
			c.Title = line
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "lab":
			lab = value
		case "args":
			c.Args = append(c.Args, strings.Fields(value)...)
		case "env":
			c.Env = append(c.Env, value)
		case "exit":
			_, err = fmt.Sscan(value, &c.Exit)
		case "schema":
			c.Schema = value != "no"
		default:
			err = fmt.Errorf("there is no setting %q", name)
		}
		if err != nil {
			return "", err
		}
	}
	return lab, nil
}

// edited applies the edits of a case to a sound lab.
func edited(sound, edit string) (string, error) {
	text := "\n" + sound
	for part := range strings.SplitSeq(edit, "@@\n") {
		before, after := "\n", "\n"
		for line := range strings.Lines(part) {
			switch line[0] {
			case '-':
				before += line[1:]
			case '+':
				after += line[1:]
			case ' ':
				before, after = before+line[1:], after+line[1:]
			default:
				return "", fmt.Errorf("a line of an edit begins with -, + or a blank: %q", line)
			}
		}
		if n := strings.Count(text, before); n != 1 {
			return "", fmt.Errorf("stands %d times in the sound lab:%s", n, before)
		}
		text = strings.Replace(text, before, after, 1)
	}
	return text[1:], nil
}

// Write writes the case's files below a folder.
func (c Case) Write(dir string) error {
	for name, text := range c.Files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
