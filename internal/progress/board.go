package progress

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Board shows on a terminal what is being asked side by side, a line each, redrawn
// in place. Nothing of it is left at the end.
type Board struct {
	out    io.Writer
	colour bool
	size   func() (columns, rows int)
	now    func() time.Time

	mu    sync.Mutex
	all   int
	open  []*entry // in the order given
	began time.Time
	drawn int
	tick  int

	pulse pulse
}

type entry struct{ name, text string }

// NewBoard draws a line for each name. Close must be called.
func NewBoard(out io.Writer, names []string, o TerminalOptions) *Board {
	b := &Board{out: out, colour: o.Colour, size: o.Size, now: o.Now, all: len(names)}
	if b.now == nil {
		b.now = time.Now
	}
	b.began = b.now()
	for _, n := range names {
		b.open = append(b.open, &entry{name: n})
	}
	b.redraw()
	b.pulse = newPulse(o.Still, b.beat)
	return b
}

// Tell says what was last heard of a name. It is drawn at the next redraw by the
// clock: a hundred BMCs tell more than a person reads.
func (b *Board) Tell(name, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.open {
		if e.name == name {
			e.text = text
		}
	}
}

// Done takes the line of a name away.
func (b *Board) Done(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = slices.DeleteFunc(b.open, func(e *entry) bool { return e.name == name })
	b.redraw()
}

// Close stops the redrawing and takes all away.
func (b *Board) Close() {
	b.pulse.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = nil
	b.redraw()
}

func (b *Board) beat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick++
	b.redraw()
}

// redraw replaces the lines, as many as there is room for, in one write.
func (b *Board) redraw() {
	var buf bytes.Buffer
	if b.drawn > 0 {
		fmt.Fprintf(&buf, "\x1b[%dA\r\x1b[J", b.drawn)
		b.drawn = 0
	}
	if len(b.open) > 0 {
		b.draw(&buf)
	}
	_, _ = b.out.Write(buf.Bytes())
}

func (b *Board) draw(buf *bytes.Buffer) {
	columns, rows := b.size()
	name := 0
	for _, e := range b.open {
		name = max(name, min(cells(e.name), nameLimit))
	}
	on := ink(b.colour)
	spin := on.colour(cyan, spinner(b.tick))
	fmt.Fprintf(buf, "%s %s\n", spin, cut(fmt.Sprintf("%d of %d asked · %s", b.all-len(b.open), b.all, took(b.now().Sub(b.began))), columns-3))
	b.drawn++
	for _, e := range b.open[:min(len(b.open), max(0, rows-3))] {
		fmt.Fprintf(buf, "  %s\n", cut(pad(clean(e.name), name)+"  "+clean(e.text), columns-3))
		b.drawn++
	}
}
