package mistakes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is how much of a processor a file may take: what else a busy machine does meanwhile does not count.
const limit = slower * time.Second

// spent is how much of the processors this process has had.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// aliasBomb makes nine times nine times … values of a few lines.
func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString("version: v1\nname: x\nvars:\n")
	for i := range n {
		fmt.Fprintf(&b, "  k%d: 1\n", i)
	}
	return b.String()
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i%200) + "k:\n")
	}
	return b.String() + strings.Repeat("- ", n) + "x\n"
}

// TestHostile validates what no person wrote: each ends at once, with a message.
func TestHostile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		says       string
	}{
		{"alias bomb", aliasBomb(), "lab.yaml:6:10: aliases make more than 100000 values\n"},
		{"alias bomb of mappings", strings.NewReplacer("[", "{p: [", "]", "]}").Replace(aliasBomb()), "aliases make more than 100000 values\n"},
		{"alias of itself", "a: &a [*a]\n", "lab.yaml:1:8: the anchor \"a\" contains itself\n"},
		{"depth 20,000 of lists", strings.Repeat("- ", 20_000) + "x\n", "lab.yaml:1:201: lists and mappings are nested more than 100 deep\n"},
		{"depth 20,000 of mappings", strings.Repeat("{a: ", 20_000) + strings.Repeat("}", 20_000), "lab.yaml:1:401: lists and mappings are nested more than 100 deep\n"},
		{"depth 20,000 of lines", deep(20_000), "nested more than 100 deep\n"},
		{"16,000 keys", manyKeys(16_000), "lab.yaml:10004:9: a mapping has more than 10000 keys\n"},
		{"9,900 keys", manyKeys(9_900), "lab.yaml:1:1: lab is missing\n"},
		{"200 KB of [", strings.Repeat("[", 200_000), "lab.yaml:1:101: lists and mappings are nested more than 100 deep\n"},
		{"200 KB of {", strings.Repeat("{", 200_000), "lab.yaml:1:101: lists and mappings are nested more than 100 deep\n"},
		{"200 KB of quotes", strings.Repeat(`"`, 200_001), "lab.yaml:1:"},
		{"200 KB of blanks", strings.Repeat(" ", 200_000) + "x", "lab.yaml:1:"},
		{"200 KB of &a", strings.Repeat("&a ", 70_000), "lab.yaml:1:"},
		{"200 KB of !", strings.Repeat("!", 200_000), "lab.yaml:1:"},
		{"200 KB of ?", strings.Repeat("? ", 100_000), "lab.yaml:1:"},
		{"200 KB of -", strings.Repeat("-\n", 100_000), "lab.yaml:20001:1: a list has more than 20000 items\n"},
		{"200 KB of :", strings.Repeat(":\n", 100_000), "lab.yaml:10001:1: a mapping has more than 10000 keys\n"},
		{"200 KB of items", "vars: {a: [" + strings.Repeat("x,", 100_000) + "]}", "lab.yaml:1:40013: a list has more than 20000 items\n"},
		{"200 KB of braces", strings.Repeat("{a: 1}\n", 30_000), "lab.yaml:"},
		{"200 KB of quoted lines", "a: '" + strings.Repeat("x\n\n", 70_000), "lab.yaml:1:"},
		{"200 KB of #", "a" + strings.Repeat("#", 200_000), "lab.yaml:1:1: "},
		{"NUL", "version: v1\nname: a\x00b\n", "lab.yaml:2:8: the file holds a NUL character\n"},
		{"invalid UTF-8", "version: v1\nname: caf\xe9\n", "lab.yaml:2:10: the file is not valid UTF-8\n"},
		{"UTF-16", "\xff\xfev\x00e\x00r\x00", "lab.yaml:1:1: the file is UTF-16\n"},
		{"control character", "name: a\x1b[2Jb\n", "lab.yaml:1:8: the file holds the control character U+001B\n"},
		{"two documents", "version: v1\n---\nversion: v1\n", "lab.yaml:2:1: a second document begins here\n"},
		{"an empty file", "", "lab.yaml:1:1: the file is empty\n"},
		{"blanks and comments only", "\n# nothing\n\n", "the file is empty"},
		{"a text", "hello\n", "lab.yaml:1:1: "},
		{"a list", "- hello\n", "lab.yaml:1:1: "},
		{"5 MB", strings.Repeat("# blah blah\n", 5<<20/12), "lab.yaml: is larger than 4 MB\n"},
		{"a line of 4 MB", "version: v1\nname: " + strings.Repeat("x", 4<<20-99) + "\n", "lab.yaml:2:7: name must be a DNS label"},
		{"4 MB of comments", strings.Repeat("# blah blah\n", 4<<20/12-9) + "x: 1\n", "has no key \"x\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, LabFile), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, LabFile, c.says)
		})
	}
}

// refused validates a file, which has to end in time, with code 2 and a message.
func refused(t *testing.T, dir, file, says string) {
	t.Helper()
	before := spent(t)
	said, code := validate(t, dir, file)
	if took := spent(t) - before; took > limit {
		t.Errorf("it takes %s", took)
	}
	if code != 2 || !strings.Contains(said, says) {
		t.Errorf("exit code %d; it does not say %q:\n%.2000s", code, says, said)
	}
	if len(said) > 20_000 {
		t.Errorf("it says %d characters", len(said))
	}
	if found := ofGo.FindString(spoken(said)); found != "" {
		t.Errorf("it speaks of Go: %s\n%.2000s", found, said)
	}
}

// TestNoFiles validates what is no file, or has no end.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	refused(t, dir, ".", ".: is a folder; a file is needed\n")
	refused(t, dir, "none.yaml", "none.yaml: cannot be read: no such file or directory\n")
	refused(t, dir, "/dev/zero", "/dev/zero: is larger than 4 MB\n")
	refused(t, dir, "/dev/null", "/dev/null:1:1: the file is empty\n")
}

// TestFIFO validates what comes through a pipe: a lab, and one without an end.
func TestFIFO(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   []byte
		repeat bool
		says   string
	}{
		{"a lab", []byte("version: v1\nname: x\nstpes: []\n"), false, "pipe:3:1: pipe has no key \"stpes\"\n"},
		{"without an end", bytes.Repeat([]byte("# and so on\n"), 1000), true, "pipe: is larger than 4 MB\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "pipe")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			wrote := make(chan error, 1)
			go func() {
				pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
				for err == nil {
					if _, err = pipe.Write(c.text); !c.repeat {
						break
					}
				}
				_ = pipe.Close()
				wrote <- err
			}()
			refused(t, dir, "pipe", c.says)
			if err := <-wrote; (err != nil) != c.repeat {
				t.Errorf("the writer ends with: %v", err)
			}
		})
	}
}

// TestPlaces validates a lab as other editors save it: what they add moves no
// caret.
func TestPlaces(t *testing.T) {
	const wrong = "version: v1\nname: x\nlab: {}\nvars:\n  text: 1\n  other: [\"%s\", !oops x]\n"
	for _, c := range []struct {
		name, before, text string
		crlf               bool
		column             int
		caret              string // the line under the source line
	}{
		{"plain", "", "abc", false, 18, "      |                  ^~~~~"},
		{"byte order mark", "\uFEFF", "abc", false, 18, "      |                  ^~~~~"},
		{"CRLF", "", "abc", true, 18, "      |                  ^~~~~"},
		{"both", "\uFEFF", "abc", true, 18, "      |                  ^~~~~"},
		{"CJK", "", "漢字", false, 17, "      |                   ^~~~~"},
		{"emoji", "", "🚀", false, 16, "      |                 ^~~~~"},
		{"combining", "", "e\u0301", false, 17, "      |                ^~~~~"},
		{"tab", "", "a\",\t\"b", false, 21, "      |               \t     ^~~~~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := c.before + fmt.Sprintf(wrong, c.text)
			if c.crlf {
				text = strings.ReplaceAll(text, "\n", "\r\n")
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, LabFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			said, code := validate(t, dir, LabFile)
			at := fmt.Sprintf("lab.yaml:6:%d: YAML reads !oops as a tag", c.column)
			if code != 2 || !strings.Contains(said, at) || !strings.Contains(said, "\n"+c.caret+"\n") || strings.Contains(said, "\r") {
				t.Errorf("exit code %d; want %s and\n%s\nit says\n%s", code, at, c.caret, said)
			}
		})
	}
}
