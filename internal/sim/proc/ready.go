package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Await asks probe until it answers nil, at most once an interval of 25 ms: a program has no other way to say that it
// listens. It fails at once when the program ends, and with the last answer when ctx is done.
func (p *Process) Await(ctx context.Context, probe func(context.Context) error) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("nothing")
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil { // else it is about ctx, not about the program
			last = err
		}
		select {
		case <-p.done:
			if p.err != nil {
				return p.err
			}
			return fmt.Errorf("%s was stopped before it was ready", p.command.Name)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last seen: %w; the last it said (%s):\n%s",
				p.command.Name, context.Cause(ctx), last, p.command.Log, lastLines(p.command.Log, 12))
		case <-tick.C:
		}
	}
}

// lastLines are the last n lines of a file, indented, of at most its last 8 KiB.
func lastLines(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	defer f.Close()
	const most = 8 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-most), io.SeekStart)
	}
	text, _ := io.ReadAll(f)
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "  (nothing)"
	}
	lines := strings.Split(string(text), "\n")
	lines = lines[max(0, len(lines)-n):]
	return "  " + strings.Join(lines, "\n  ")
}
