package event

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ErrTorn ends a stream whose last line was cut off, by a kill or a power cut,
// while it was written. What came before it is whole.
var ErrTorn = errors.New("the last line is cut off")

// ErrVersion is the error of a stream that a later labrun wrote.
var ErrVersion = errors.New("the journal is of a later version")

// maxLine bounds one line, in bytes, so that a file that is no journal does not
// fill the memory.
const maxLine = 64 << 20

// Read gives the events of a stream in order. The sequence ends at the first
// error, which stands beside a zero Event; ErrTorn is the one that a reader of a
// journal expects.
func Read(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lines := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, last, err := readLine(lines)
			if err == io.EOF {
				return
			}
			var e Event
			if err == nil {
				e, err = decode(line, n, last)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// readLine gives one line without its end, and whether nothing follows it. A
// line without an end is torn.
func readLine(r *bufio.Reader) (line []byte, last bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, false, fmt.Errorf("a line of the journal is longer than %d MiB: this is no journal", maxLine>>20)
		case err == nil:
			_, peeked := r.Peek(1)
			return bytes.TrimSuffix(line, []byte("\n")), peeked == io.EOF, nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) == 0:
			return nil, true, io.EOF
		case err == io.EOF:
			return nil, true, ErrTorn
		default:
			return nil, false, fmt.Errorf("read the journal: %w", err)
		}
	}
}

func decode(line []byte, n int, last bool) (Event, error) {
	var e Event
	if n == 1 {
		if err := checkVersion(line); err != nil {
			return e, err
		}
	}
	err := json.Unmarshal(line, &e)
	switch {
	case err != nil && last && n > 1:
		return Event{}, ErrTorn // a power cut leaves zeros where text should be
	case err != nil:
		return Event{}, fmt.Errorf("line %d of the journal is no event: %w", n, err)
	case e.Seq != n:
		return Event{}, fmt.Errorf("line %d of the journal has the number %d: lines are missing or out of order", n, e.Seq)
	}
	return e, nil
}

// checkVersion looks at nothing but the version: what else a later first line
// holds may not decode.
func checkVersion(line []byte) error {
	var first struct {
		Type Type `json:"type"`
		Run  struct {
			Version int    `json:"version"`
			Labrun  string `json:"labrun"`
		} `json:"run"`
	}
	err := json.Unmarshal(line, &first)
	switch {
	case err != nil || first.Type != RunStarted || first.Run.Version < 1:
		return errors.New("this is no journal: its first line is no run.started with a version")
	case first.Run.Version > Version:
		return fmt.Errorf("%w, %d, and this labrun reads up to %d: use labrun %s, which wrote it",
			ErrVersion, first.Run.Version, Version, first.Run.Labrun)
	}
	return nil
}
