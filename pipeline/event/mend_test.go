package event

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A torn line is cut off, and nothing else: the whole lines before it are left, and
// a journal that no torn line ends is not touched.
func TestMend(t *testing.T) {
	whole := written(t, sample())
	for _, tc := range []struct {
		name string
		text []byte
		cut  int64
	}{
		{"whole", whole, 0},
		{"within a line", whole[:len(whole)-7], int64(len(whole)-7) - int64(bytes.LastIndexByte(whole[:len(whole)-7], '\n')+1)},
		{"within the first line", whole[:9], 9},
		{"zeros of a power cut", append(bytes.Clone(whole), strings.Repeat("\x00", 40)+"\n"...), 41},
		{"garbage in the middle", append([]byte("{oops\n"), whole...), 0},
		{"empty", nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.jsonl")
			if err := os.WriteFile(path, tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			cut, err := Mend(path)
			if err != nil || cut != tc.cut {
				t.Errorf("cut %d bytes, %v; want %d", cut, err, tc.cut)
			}
			left, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(left, tc.text[:len(tc.text)-int(tc.cut)]) {
				t.Errorf("left is %q, %v", left, err)
			}
		})
	}
}
