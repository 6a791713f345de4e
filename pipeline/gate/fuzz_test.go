package gate

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		`lab.stack == 'ipv6' && !lab.disconnected`, `steps.probe-bmcs.outputs.ready`, `let w = lab.workers; w[0]?.name ?? 'é'`,
		`map(filter(lab.workers, .cpus > 1), {.name})`, `if lab.disconnected {1} else {2}`, `1..3 | sum()`, `{a: [1, 2.5, nil]}["a"][:1]`,
		"`raw` matches '^a'", `steps.infraenv?.outputs["iso_url"]`, `/* x */ -1 // y`, `get(lab.workers, 0)`, `reduce(lab.workers, #acc + #.cpus, 0)`,
	} {
		f.Add(text)
	}
	scope, values, dir := testScope(), testValues(), f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		check := func(err *Error) {
			length := utf8.RuneCountInString(text)
			if err.From < 0 || err.Width < 1 || length > 0 && err.From+err.Width > length {
				t.Fatalf("%q: place %d+%d outside of the text: %s", text, err.From, err.Width, err.Message)
			}
			if err.Message == "" {
				t.Fatalf("%q: an error without a message", text)
			}
			for _, goes := range []string{"interface", "map[", "float64", "int64", "reflect", "runtime error", "goroutine", "func(", "ast.", "[]"} {
				if strings.Contains(err.Message, goes) && !strings.Contains(text, goes) && !strings.Contains(text, `\`) {
					t.Fatalf("%q: the message speaks of Go: %s", text, err.Message)
				}
			}
		}
		reads, err := ReadsOf(text)
		if err != nil {
			check(err)
		}
		for _, r := range reads {
			if r.From < 0 || r.From+r.Width > utf8.RuneCountInString(text) || len(r.Path) != len(r.Spans) {
				t.Fatalf("%q: read %v", text, r)
			}
		}
		compiler := NewCompiler(dir)
		for _, want := range []Type{Any(), Bool(), ListOf(String())} {
			p, err := compiler.Compile(text, scope, want)
			if err != nil {
				check(err)
				continue
			}
			if _, err := p.Eval(values); err != nil {
				check(err.(*Error))
			}
			if _, err := Decide(p, values, func(r Read) bool { return r.Path[0] != "steps" }); err != nil {
				check(err)
			}
		}
	})
}

func FuzzFindHoles(f *testing.F) {
	for _, text := range []string{`a ${{ lab.x }} b`, `$${{ x }} ${{ {a: 1} }}`, "${{ '}}' }}\n", `${{ é`, `${{ x } }}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		holes, err := FindHoles(text)
		runes := []rune(text)
		if err != nil {
			if err.From < 0 || err.Width < 1 || err.From+err.Width > len(runes) {
				t.Fatalf("%q: place %d+%d outside of the text", text, err.From, err.Width)
			}
			return
		}
		end := 0
		for _, h := range holes {
			if h.From < end || h.From+h.Width > len(runes) || string(runes[h.TextFrom:h.TextFrom+utf8.RuneCountInString(h.Text)]) != string([]rune(h.Text)) {
				t.Fatalf("%q: hole %+v", text, h)
			}
			end = h.From + h.Width
		}
		Fill(text, holes, make([]any, len(holes)))
	})
}
