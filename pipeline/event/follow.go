package event

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Follower reads a stream that is still being written: what is there so far, and
// later what came since. A line counts once it has its end.
type Follower struct {
	from  io.Reader
	lines int
	rest  []byte // of a line whose end is not there yet
}

// NewFollower reads from r, which gives io.EOF where nothing more is there yet, as
// a file does, and more of it later.
func NewFollower(r io.Reader) *Follower { return &Follower{from: r} }

// More hands each event that is there by now to take, in order.
func (f *Follower) More(take func(Event) error) error {
	chunk := make([]byte, 64<<10)
	for {
		n, err := f.from.Read(chunk)
		f.rest = append(f.rest, chunk[:n]...)
		if told := f.whole(take); told != nil {
			return told
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
	}
}

func (f *Follower) whole(take func(Event) error) error {
	for {
		line, rest, found := bytes.Cut(f.rest, []byte("\n"))
		if !found {
			if len(line) > maxLine {
				return fmt.Errorf("a line of the journal is longer than %d MiB: this is no journal", maxLine>>20)
			}
			return nil
		}
		f.lines++
		e, err := decode(line, f.lines, false)
		if err != nil {
			return err
		}
		f.rest = rest
		if err := take(e); err != nil {
			return err
		}
	}
}
