package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dump writes a tree with the place of each value.
func dump(b *strings.Builder, n *Node, indent string) {
	switch n.Kind {
	case Null:
		fmt.Fprintf(b, "null @%d:%d\n", n.Pos.Line, n.Pos.Column)
	case Scalar:
		fmt.Fprintf(b, "%q @%d:%d+%d\n", n.Text, n.Pos.Line, n.Pos.Column, n.Width)
	case Mapping:
		fmt.Fprintf(b, "{ @%d:%d\n", n.Pos.Line, n.Pos.Column)
		for _, e := range n.Entries {
			fmt.Fprintf(b, "%s%s @%d:%d: ", indent, e.Key.Text, e.Key.Pos.Line, e.Key.Pos.Column)
			dump(b, e.Value, indent+"  ")
		}
	case Sequence:
		fmt.Fprintf(b, "[ @%d:%d\n", n.Pos.Line, n.Pos.Column)
		for _, item := range n.Items {
			b.WriteString(indent + "- ")
			dump(b, item, indent+"  ")
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "a: x\nb: 017\nc:\n", "{ @1:1\na @1:1: \"x\" @1:4+1\nb @2:1: \"017\" @2:4+3\nc @3:1: null @3:2\n"},
		{"bom and crlf", "\uFEFFa: \"x\r\n  y\"\r\nc: |\r\n  z\r\n", "{ @1:1\na @1:1: \"x y\" @1:4+2\nc @3:1: \"z\\n\" @4:3+1\n"},
		{"tabs", "a:\t\"x\"\nb:\t[1,\t2]\n", "{ @1:1\na @1:1: \"x\" @1:4+3\nb @2:1: [ @2:4\n  - \"1\" @2:5+1\n  - \"2\" @2:8+1\n"},
		{"wide", "a: {é: 'ü', k: v}\n", "{ @1:1\na @1:1: { @1:4\n  é @1:5: \"ü\" @1:8+3\n  k @1:13: \"v\" @1:16+1\n"},
		{"merge keys", "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 5\n",
			"{ @1:1\nx @1:1: { @1:7\n  a @1:8: \"1\" @1:11+1\n  b @1:14: \"2\" @1:17+1\ny @2:1: { @2:7\n  b @2:8: \"3\" @2:11+1\n  c @2:14: \"4\" @2:17+1\nz @3:1: { @4:3\n  a @5:3: \"5\" @5:6+1\n  b @1:14: \"2\" @1:17+1\n  c @2:14: \"4\" @2:17+1\n"},
		{"anchor below", "a: &n 5\nb: [*n, {c: *n}]\n", "{ @1:1\na @1:1: \"5\" @1:7+1\nb @2:1: [ @2:4\n  - \"5\" @1:7+1\n  - { @2:9\n    c @2:10: \"5\" @1:7+1\n"},
		{"blocks", "a: |\n\n  one\n   two\nb: >-\n  three\n  four\n", "{ @1:1\na @1:1: \"\\none\\n two\\n\" @3:3+3\nb @5:1: \"three four\" @6:3+5\n"},
		{"markers", "# head\n---\na: 1\n...\n# foot\n", "{ @3:1\na @3:1: \"1\" @3:4+1\n"},
		{"empty", "", "null @1:1\n"},
		{"null", "a: ~\nb: null\nc: \"null\"\n", "{ @1:1\na @1:1: null @1:4\nb @2:1: null @2:4\nc @3:1: \"null\" @3:4+6\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, found := Parse("f", []byte(tt.in))
			if found != nil {
				t.Fatal(found)
			}
			var b strings.Builder
			dump(&b, n, "")
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAt finds the character M of each scalar in its source.
func TestAt(t *testing.T) {
	sources := []string{
		"a: helloM", "a: 'it''s M'", `a: "x\ty\u263a\"M"`, "a: \"one\n   two M\"", "a: |\n  one\n\n   twoM\n", "a: >\n  one\n  twoM\n\n  x\n",
		"a: plain\n  more\n\n  M", "\uFEFFa: 'é M'", "a: \"x\r\n y\r\n M\"\r\n", "a: |\r\n  x\r\n  M\r\n", "a:\t'M'", "a: |2\n    xM\n", "a: \"x\\\n   M\"",
		"a: |\n\n\n  x M\n", "a: \"日本 M\"", "a: \"\\U0001F600M\"", "a: >-\n  x\n   y\n  M\n",
	}
	for _, src := range sources {
		n, found := Parse("f", []byte(src))
		if found != nil {
			t.Errorf("%q: %v", src, found)
			continue
		}
		value := n.Get("a")
		pos := value.At(len([]rune(value.Text[:strings.Index(value.Text, "M")])))
		lines := strings.Split(normalise([]byte(src)), "\n")
		if line := []rune(lines[pos.Line-1]); pos.Column > len(line) || line[pos.Column-1] != 'M' {
			t.Errorf("%q: M of %q found at %d:%d", src, value.Text, pos.Line, pos.Column)
		}
	}
}

func TestRefused(t *testing.T) {
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		return b.String()
	}
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	tests := []struct{ name, in, want string }{
		{"nul", "a: \x00", "f:1:4: the file holds a NUL character"},
		{"utf-8", "a: b\nc: \xff", "f:2:4: the file is not valid UTF-8"},
		{"utf-16", "\xff\xfea\x00", "f:1:1: the file is UTF-16"},
		{"two documents", "a: 1\n---\nb: 2\n", "f:2:1: a second document begins here"},
		{"after the end", "a: 1\n...\nb: 2\n", "f:3:1: a second document begins here"},
		{"brackets", strings.Repeat("[", 200<<10), "f:1:101: lists and mappings are nested more than 100 deep"},
		{"dashes", strings.Repeat("- ", 20000), "f:1:201: lists and mappings are nested more than 100 deep"},
		{"keys", keys(16000), "f:10001:7: a mapping has more than 10000 keys"},
		{"flow keys", "{" + strings.ReplaceAll(keys(16000), "\n", ", ") + "}", "f:1:98898: a mapping has more than 10000 keys"},
		{"bomb", bomb, "f:6:10: aliases make more than 100000 values"},
		{"undefined alias", "base: &base 1\nb: *bose\n", "f:2:4: there is no anchor \"bose\""},
		{"cyclic alias", "a: &a\n  b: *a\n", "f:2:6: the anchor \"a\" contains itself"},
		{"duplicates", "a: 1\nb: 2\na: 3\nb: 4\n", "f:3:1: the key \"a\" stands twice\nf:4:1: the key \"b\" stands twice"},
		{"large", strings.Repeat("#", MaxSize+1), "f: is larger than 4 MB"},
		{"tag", "when: !lab.x\n", "f:1:7: YAML reads !lab.x as a tag, and a file has none"},
		{"tag in an expression", "when: !lab.x && b\n", "f:1:7: YAML reads !lab.x as a tag, and a file has none"},
		{"ternary", "when: a ? b : c\n", "f:1:13: \": \" begins a mapping, and none may begin here"},
		{"indent", "a: 1\n  b: 2\n", "f:2:4: \": \" begins a mapping, and none may begin here"},
		{"unquoted hole", "w: {n: ${{ x }}}\n", "f:1:8: an expression inside { } or [ ] needs quotes"},
		{"tab", "a:\n\tb: 1\n", "f:2:1: a tab indents this line"},
		{"tab before a key", "a: {b: 1,\tc: 2}\n", "f:1:10: a tab may not stand before a key"},
		{"quote", "a: \"x\n", "f:1:4: the closing quote is missing"},
		{"key", "? [a]\n: b\n", "f:2:1: found an invalid key for this map"},
		{"bad merge", "a: {<<: 5}\n", "f:1:9: << merges mappings, this is \"5\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, found := Parse("f", []byte(tt.in))
			// Under half a second on an idle machine; a parse without the limits
			// takes up to a minute.
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("took %s", took)
			}
			if diff := cmp.Diff(tt.want, found.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: &x {b: 'c''d'}\ne: *x\n<<: *x\n", "a: |\n  x\n\nb: >-\n  y\n  z\n", "- - a\n- \"\\u00e9\\\n  b\"\n", "a:\t[1, {b: c}]\r\n", "\uFEFF? a\n: b\n", "a: !x y\n", "a: \"\\\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, found := Parse("f", data)
		if (n == nil) == (found == nil) {
			t.Fatalf("tree %v, findings %v", n, found)
		}
		var files Files
		files.Add("f", data)
		var b strings.Builder
		if err := found.Render(&b, &files); err != nil {
			t.Fatal(err)
		}
		lines := len(files.texts["f"].lines)
		var walk func(*Node)
		walk = func(n *Node) {
			for i := range min(len([]rune(n.Text)), 50) {
				if p := n.At(i); p.Line < 1 || p.Line > lines+1 || p.Column < 1 {
					t.Fatalf("%q: character %d stands at %v", n.Text, i, p)
				}
			}
			for _, e := range n.Entries {
				walk(e.Key)
				walk(e.Value)
			}
			for _, item := range n.Items {
				walk(item)
			}
		}
		if n != nil && len(data) < 500 {
			walk(n)
		}
	})
}
