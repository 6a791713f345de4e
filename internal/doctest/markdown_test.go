package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// document is one page: its fenced blocks, the code spans of its text, and its links.
type document struct {
	name   string // from the root
	blocks []block
	spans  []span
	links  []span
	loose  []span // commands that stand in no fence
}

type block struct {
	language string
	line     int // of its first line
	lines    []string
}

type span struct {
	line int
	text string
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	indented = regexp.MustCompile(`^    (\$ )?(labrun|labsim|make|bin/\w+) `)
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// documents are README.md and docs/*.md.
func documents(t *testing.T) []document {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(names) < 3 {
		t.Fatalf("documents found: %q, %v", names, err)
	}
	var all []document
	for _, name := range append([]string{filepath.Join(root, "README.md")}, names...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(rel, string(text)))
	}
	return all
}

func parse(name, text string) document {
	d := document{name: name}
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: i + 2}
		case isFence:
			d.blocks, open = append(d.blocks, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		default:
			if indented.MatchString(line) {
				d.loose = append(d.loose, span{i + 1, strings.TrimSpace(line)})
			}
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				d.spans = append(d.spans, span{i + 1, m[1]})
			}
			for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "code"), -1) {
				d.links = append(d.links, span{i + 1, m[1]})
			}
		}
	}
	return d
}

// command is what stands behind a prompt, and what is shown below it.
type command struct {
	line  int
	text  string
	shown []string
}

// commands reads a console block: a line that begins with "$ " is a command, which
// a backslash continues on the next line; all else is what the command printed.
func (b block) commands() []command {
	var all []command
	for i := 0; i < len(b.lines); i++ {
		text, isCommand := strings.CutPrefix(b.lines[i], "$ ")
		if !isCommand {
			if len(all) > 0 {
				last := &all[len(all)-1]
				last.shown = append(last.shown, b.lines[i])
			}
			continue
		}
		c := command{line: b.line + i, text: text}
		for strings.HasSuffix(c.text, `\`) && i+1 < len(b.lines) {
			i++
			c.text = strings.TrimSuffix(c.text, `\`) + strings.TrimSpace(b.lines[i])
		}
		all = append(all, c)
	}
	return all
}

func TestParse(t *testing.T) {
	d := parse("x.md", "a `labrun plan` [b](c.md)\n```console\n$ labrun \\\n    version\nlabrun v1\n\n$ make test\n```\n")
	if len(d.spans) != 1 || d.spans[0] != (span{1, "labrun plan"}) || len(d.links) != 1 || d.links[0] != (span{1, "c.md"}) {
		t.Errorf("spans %v, links %v", d.spans, d.links)
	}
	got := d.blocks[0].commands()
	if len(got) != 2 || got[0].text != "labrun version" || got[0].line != 3 || strings.Join(got[0].shown, "|") != "labrun v1|" || got[1].text != "make test" {
		t.Errorf("commands %+v", got)
	}
}
