package source

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRender(t *testing.T) {
	var files Files
	files.Add("f", []byte("a: 1\n\tb: 日本 x\r\n"+strings.Repeat("y", 300)+"z\n"))
	found := Diagnostics{
		{Pos: Position{"f", 2, 8}, Width: 1, Message: "tab and wide", Hint: `did you mean "q"?`},
		{Pos: Position{"f", 1, 4}, Width: 9, Message: "wider than the line", Related: []Related{{Position{"f", 2, 2}, "first here"}}},
		{Pos: Position{"f", 3, 301}, Width: 1, Message: "a long line"},
		{Pos: Position{File: "g"}, Message: "is a folder"},
		{Pos: Position{"f", 3, 302}, Message: "private", Private: true},
		{Pos: Position{"f", 1, 4}, Width: 9, Message: "wider than the line"},
	}
	want := "f:1:4: wider than the line\n    1 | a: 1\n      |    ^\n   f:2:2: first here\n" +
		"f:2:8: tab and wide\n    2 | \tb: 日本 x\n      | \t        ^\n   did you mean \"q\"?\n" +
		"f:3:301: a long line\n    3 | …" + strings.Repeat("y", 159) + "z\n      | " + strings.Repeat(" ", 160) + "^\n" +
		"f:3:302: private\ng: is a folder\n"
	var b strings.Builder
	if err := found.Sort().Render(&b, &files); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"node_port", "name", "namespace", "ab"}
	for in, want := range map[string]string{"nodeport": "node_port", "nam": "name", "x": "", "zz": "", "namespaces": "namespace", "hosted": "", "ba": ""} {
		if got := Nearest(in, names); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// TestReadFIFO reads what another one writes, to its end.
func TestReadFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(path, []byte("a: 1\n"), 0o600) }()
	var files Files
	data, found := files.Read(path)
	if err := <-wrote; err != nil || found != nil || string(data) != "a: 1\n" {
		t.Errorf("read %q, %v, %v", data, found, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	var files Files
	for path, want := range map[string]string{
		dir: dir + ": is a folder; a file is needed", large: large + ": is larger than 4 MB",
		filepath.Join(dir, "none"): filepath.Join(dir, "none") + ": cannot be read: no such file or directory",
	} {
		if _, found := files.Read(path); found.Error() != want {
			t.Errorf("got %q, want %q", found.Error(), want)
		}
	}
}
