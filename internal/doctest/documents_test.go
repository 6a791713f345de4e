package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocuments runs the commands of each document, in order: those of labrun and
// labsim, and the few of a shell beside them. A command has to end with exit code
// 0, unless `$ echo $?` comes next and shows another.
func TestDocuments(t *testing.T) {
	for _, d := range documents(t) {
		var all []command
		for _, b := range d.blocks {
			if b.language == "console" {
				all = append(all, b.commands()...)
			}
		}
		if len(all) == 0 {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			b := newBench(t)
			b.guard()
			for i, c := range all {
				var next *command
				if i+1 < len(all) {
					next = &all[i+1]
				}
				b.check(d.name, c, next)
			}
		})
	}
}

// check runs one command, or holds it to what it names where running it here makes no sense.
func (b *bench) check(document string, c command, next *command) {
	b.Helper()
	at := fmt.Sprintf("%s:%d: %s", document, c.line, c.text)
	words := strings.Fields(c.text)
	switch words[0] {
	case "make":
		b.target(at, words[1:])
	case "go":
		b.goBuild(at, words)
	case "labrun", "labsim", "bin/labrun", "bin/labsim", "cp", "echo", "export":
		if c.text == "echo $?" {
			return
		}
		out, code := b.run(c.text)
		want := 0
		if next != nil && next.text == "echo $?" && len(next.shown) > 0 {
			want, _ = strconv.Atoi(next.shown[0])
		}
		if code != want {
			b.Fatalf("%s: exit code %d, want %d\n%s", at, code, want, out) // what follows builds on it
		} else if wrong := compare(c.shown, out); wrong != "" {
			b.Errorf("%s: %s", at, wrong)
		}
	default:
		b.Errorf("%s: this test knows no way to check it", at)
	}
}

// target checks that the Makefile has a target: making it would run this test again.
func (b *bench) target(at string, names []string) {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:`).Match(text) {
			b.Errorf("%s: the Makefile has no target %s", at, name)
		}
	}
}

// goBuild checks that it builds into bin what is in this bench already.
func (b *bench) goBuild(at string, words []string) {
	b.Helper()
	if len(words) < 5 || strings.Join(words[:4], " ") != "go build -o bin/" {
		b.Errorf("%s: this test knows just go build -o bin/ ./cmd/…", at)
		return
	}
	for _, pkg := range words[4:] {
		if _, err := os.Stat(filepath.Join(b.dir, "bin", strings.TrimPrefix(pkg, "./cmd/"))); err != nil {
			b.Errorf("%s: %v", at, err)
		}
	}
}

// TestNamed checks what the text names in passing: a code span that begins with
// labrun or labsim is one of its commands with flags of it, one that begins with
// -- is a flag of either; a link leads to a file or a heading.
func TestNamed(t *testing.T) {
	b := newBench(t)
	h := &helps{bench: b, texts: map[string]string{}}
	for _, d := range documents(t) {
		for _, s := range d.spans {
			words := strings.Fields(s.text)
			switch {
			case len(words) > 1 && (words[0] == "labrun" || words[0] == "labsim"):
				if wrong := h.names(words); wrong != "" {
					t.Errorf("%s:%d: `%s`: %s", d.name, s.line, s.text, wrong)
				}
			case len(words) > 0 && strings.HasPrefix(words[0], "--"):
				if !h.anyFlag(words[0]) {
					t.Errorf("%s:%d: neither labrun nor labsim has a flag %s", d.name, s.line, words[0])
				}
			}
		}
		for _, l := range d.loose {
			t.Errorf("%s:%d: %s: put it into a console block, where it is run", d.name, l.line, l.text)
		}
		for _, l := range d.links {
			if wrong := leadsNowhere(d.name, l.text); wrong != "" {
				t.Errorf("%s:%d: %s", d.name, l.line, wrong)
			}
		}
	}
}

// helps are the help texts of the commands, by their words.
type helps struct {
	*bench
	texts map[string]string
}

func (h *helps) of(words ...string) string {
	name := strings.Join(words, " ")
	if _, ok := h.texts[name]; !ok {
		h.texts[name], _ = h.run(name + " --help")
	}
	return h.texts[name]
}

var listed = regexp.MustCompile(`(?m)^  ([a-z]+)  `)

func (h *helps) commands(program string) []string {
	_, text, _ := strings.Cut(h.of(program), "Available Commands:")
	text, _, _ = strings.Cut(text, "Flags:")
	var names []string
	for _, m := range listed.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// names says what is wrong with the words of a command line.
func (h *helps) names(words []string) string {
	help := h.of(words[0])
	isLab := strings.ToUpper(words[1]) == words[1] || strings.ContainsAny(words[1], "/.")
	switch {
	case strings.HasPrefix(words[1], "-"):
	case words[0] == "labrun" && isLab:
	case !slices.Contains(h.commands(words[0]), words[1]):
		return words[0] + " has no command " + words[1]
	default:
		help = h.of(words[:2]...)
	}
	for _, w := range words[1:] {
		if flag, _, _ := strings.Cut(strings.Trim(w, "[]"), "="); strings.HasPrefix(flag, "-") && !hasFlag(help, flag) {
			return "it has no flag " + flag
		}
	}
	return ""
}

func (h *helps) anyFlag(flag string) bool {
	flag, _, _ = strings.Cut(flag, "=")
	for _, program := range []string{"labrun", "labsim"} {
		for _, c := range append(h.commands(program), "") {
			if hasFlag(h.of(strings.Fields(program+" "+c)...), flag) {
				return true
			}
		}
	}
	return false
}

func hasFlag(help, flag string) bool {
	return regexp.MustCompile(`(?m)^\s+(-\w, )?` + regexp.QuoteMeta(flag) + `[ ,]`).MatchString(help)
}

// leadsNowhere says what is wrong with a link within the repository.
func leadsNowhere(from, to string) string {
	if strings.Contains(to, "://") {
		return ""
	}
	file, anchor, _ := strings.Cut(to, "#")
	path := filepath.Join(root, from)
	if file != "" {
		path = filepath.Join(root, filepath.Dir(from), file)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "it links to " + to + ", which is not there"
	}
	if anchor == "" {
		return ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		if h, ok := strings.CutPrefix(line, "#"); ok && slug(strings.TrimLeft(h, "# ")) == anchor {
			return ""
		}
	}
	return "it links to " + to + ", a heading that is not there"
}

// slug is the name of a heading in a link.
func slug(heading string) string {
	heading = strings.ReplaceAll(strings.ToLower(heading), " ", "-")
	return regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(heading, "")
}
