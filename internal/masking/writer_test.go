package masking

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// A secret is masked wherever it is split between two writes, or three.
func TestWriterSplitAnywhere(t *testing.T) {
	s := withCanaries()
	for secret, parts := range canaries() {
		for _, c := range codings() {
			text := "before> " + c.code(secret) + " <after\n"
			for cut := 0; cut < len(text); cut += 1 + len(text)/60 {
				var out bytes.Buffer
				w := s.Writer(&out)
				middle := cut + (len(text)-cut)/2
				for _, p := range []string{text[:cut], text[cut:middle], text[middle:]} {
					if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
						t.Fatal(n, err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if left := leaks(out.String(), parts, c); len(left) > 0 {
					t.Fatalf("%s of %q, cut at %d: %q", c.name, secret, cut, out.String())
				}
				if got := out.String(); !strings.HasPrefix(got, "before> ") || !strings.HasSuffix(got, " <after\n") {
					t.Fatalf("%s of %q, cut at %d: %q", c.name, secret, cut, got)
				}
			}
		}
	}
}

// Nothing is kept back that is no beginning of a secret: a line is told when it
// ends, a redrawn one at once, and of another text all but its end.
func TestWriterDelays(t *testing.T) {
	s := withCanaries()
	for _, c := range []struct {
		write []string
		told  []string // after each write
	}{
		{[]string{"a line\n"}, []string{"a line\n"}},
		{[]string{"ends as one begins: qzx\n", "wvk"}, []string{"ends as one begins: qzx\n", "ends as one begins: qzx\nwvk"[:24]}},
		{[]string{"a question? "}, []string{"a question? "}},
		{[]string{"pass: qzx"}, []string{"pass: "}},
		{[]string{"pass: qzx", "wvk."}, []string{"pass: ", "pass: ***."}},
		{[]string{"pass: qzx", "yyy."}, []string{"pass: ", "pass: qzxyyy."}},
		{[]string{"\x1b[2A\r\x1b[J"}, []string{"\x1b[2A\r\x1b[J"}},
		{[]string{"a row\nand one more\x1b[0m"}, []string{"a row\nand one more\x1b[0m"}},
		{[]string{""}, []string{""}},
		{[]string{"correcthorsebatterystaple", "-kite-9217 too"}, []string{"", "*** too"[:4]}},
	} {
		var out bytes.Buffer
		w := s.Writer(&out)
		var told []string
		for _, p := range c.write {
			if _, err := w.Write([]byte(p)); err != nil {
				t.Fatal(err)
			}
			told = append(told, out.String())
		}
		if !slices.Equal(told, c.told) {
			t.Errorf("writing %q told %q, want %q", c.write, told, c.told)
		}
	}
}

// What was kept back is told at the end, and not twice.
func TestWriterClose(t *testing.T) {
	s := withCanaries()
	var out bytes.Buffer
	w := s.Writer(&out)
	if w.Behind() != &out {
		t.Error("it does not name the writer behind it")
	}
	if _, err := w.Write([]byte("pass: qzx")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil || out.String() != "pass: qzx" {
			t.Errorf("%q, %v", out.String(), err)
		}
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestWriterErrors(t *testing.T) {
	full := errors.New("full")
	w := withCanaries().Writer(broken{full})
	if _, err := w.Write([]byte("x\n")); !errors.Is(err, full) {
		t.Errorf("writing: %v", err)
	}
	if n, err := w.Write([]byte("qzx")); n != 3 || err != nil {
		t.Errorf("keeping back: %d, %v", n, err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("closing: %v", err)
	}
}
