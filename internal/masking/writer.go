package masking

import (
	"bytes"
	"io"
	"sync"
)

// Writer masks the secrets in what is written through it, also one that is split
// between two writes: it keeps back what may be the beginning of a secret, and
// nothing else, until the rest of it came, its line ended, or Close. What ends
// with a line, or with a control sequence of a terminal, is never kept back.
type Writer struct {
	secrets *Secrets
	out     io.Writer

	mu   sync.Mutex
	kept []byte
}

// Writer gives one that writes to out.
func (s *Secrets) Writer(out io.Writer) *Writer { return &Writer{secrets: s, out: out} }

// Behind is what it writes to, for who asks whether that is a terminal.
func (w *Writer) Behind() io.Writer { return w.out }

// Write writes what can be told of p and of what was kept back. Its error is that
// of the writer behind it; the count is of p.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.kept, p...)
	tell := w.telling(text)
	w.kept = bytes.Clone(text[tell:])
	if tell == 0 {
		return len(p), nil
	}
	if _, err := io.WriteString(w.out, w.secrets.Text(string(text[:tell]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// telling is the length of what can be told.
func (w *Writer) telling(text []byte) int {
	line := bytes.LastIndexByte(text, '\n') + 1
	return line + w.secrets.whole(text[line:])
}

// Close writes what was kept back. The writer behind it is left open.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.kept) == 0 {
		return nil
	}
	_, err := io.WriteString(w.out, w.secrets.Text(string(w.kept)))
	w.kept = nil
	return err
}

// whole is the length of what of an unfinished line holds no beginning of a secret.
func (f *forms) whole(text []byte) int {
	if f == nil || len(text) == 0 || endsControl(text) {
		return len(text)
	}
	at := len(text)
	s := search{forms: f}
	s.look(&layer{text: text, partial: true, mark: func(from, _ int) { at = min(at, from) }})
	// A secret that is there may be the beginning of a longer one.
	for _, found := range f.find(string(text)) {
		if found.from < at && at < found.to {
			at = found.from
		}
	}
	return at
}

// endsControl says whether a text ends with a control sequence, such as the one
// that clears the lines below.
func endsControl(text []byte) bool {
	at := bytes.LastIndexByte(text, 0x1b)
	if at < 0 || at+2 >= len(text) || text[at+1] != '[' {
		return false
	}
	for i, c := range text[at+2:] {
		if c >= 0x40 && c <= 0x7e {
			return at+2+i == len(text)-1
		}
	}
	return false
}
