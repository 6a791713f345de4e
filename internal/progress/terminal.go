package progress

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Terminal is the sink that shows a run on a terminal. Lines of steps that ended
// scroll away upwards; below them are those that run, redrawn in place.
type Terminal struct {
	out    io.Writer
	colour bool
	size   func() (columns, rows int)
	now    func() time.Time

	mu      sync.Mutex
	state   *event.State
	layout  layout
	phase   string            // of the last line that scrolled away
	running []*event.Instance // in the order in which they began
	drawn   int               // lines that are redrawn
	tick    int
	buf     bytes.Buffer

	pulse pulse
}

// TerminalOptions say how a terminal is.
type TerminalOptions struct {
	Colour bool
	Size   func() (columns, rows int) // asked for each redraw: windows change
	Now    func() time.Time           // nil means time.Now
	Still  bool                       // no redraw by the clock, for tests
}

// NewTerminal makes one. Close must be called.
func NewTerminal(out io.Writer, o TerminalOptions) *Terminal {
	t := &Terminal{
		out: out, colour: o.Colour, size: o.Size, now: o.Now, state: &event.State{},
	}
	if t.now == nil {
		t.now = time.Now
	}
	t.pulse = newPulse(o.Still, t.beat)
	return t
}

// State is the run so far. It is read after Close.
func (t *Terminal) State() *event.State { return t.state }

// Take shows what the event tells. It has no error: a terminal that went away
// does not stop a run.
func (t *Terminal) Take(e event.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.state.Add(e)
	columns, _ := t.size()
	t.layout.width = columns
	switch e.Type {
	case event.RunStarted:
		t.layout = newLayout(t.state.Run, t.colour)
		t.layout.width = columns
		t.scroll(t.layout.colour(bold, cut(header(t.state.Run), columns-1)) + "\n")
	case event.StepStarted:
		t.running = append(t.running, i)
		t.redraw()
	case event.StepProgress:
		t.redraw()
	case event.StepWarned:
		t.scroll(t.layout.warned(i, t.phaseOf(i), *e.Report))
	case event.StepFinished:
		t.running = slices.DeleteFunc(t.running, func(o *event.Instance) bool { return o == i })
		if worthALine(i) {
			t.scroll(t.layout.finished(i, t.phaseOf(i)))
		}
	case event.RunFinished:
		t.running = nil
		t.redraw()
	}
	return nil
}

// Note writes a line of its own above the ones that run.
func (t *Terminal) Note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scroll(clean(text))
}

// Close stops the redrawing and takes the lines that run away.
func (t *Terminal) Close() {
	if !t.pulse.end() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = nil
	t.redraw()
}

func (t *Terminal) beat() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.running) > 0 || t.drawn > 0 {
		t.tick++
		t.redraw()
	}
}

// scroll writes a line above the ones that run.
func (t *Terminal) scroll(line string) {
	t.erase()
	fmt.Fprintln(&t.buf, line)
	t.draw()
	t.flush()
}

func (t *Terminal) redraw() {
	t.erase()
	t.draw()
	t.flush()
}

// erase moves to the first of the redrawn lines and clears from there on.
func (t *Terminal) erase() {
	if t.drawn > 0 {
		fmt.Fprintf(&t.buf, "\x1b[%dA\r\x1b[J", t.drawn)
	}
	t.drawn = 0
}

// draw writes the lines that run, as many as the terminal has room for: a line
// that scrolled out of it could not be redrawn.
func (t *Terminal) draw() {
	columns, rows := t.size()
	t.layout.width = columns
	room := max(1, rows-2)
	shown := t.running
	if len(shown) > room {
		shown = shown[:room-1]
	}
	phase, now := t.phase, t.now()
	for _, i := range shown {
		column := ""
		if i.Phase != phase {
			column, phase = i.Phase, i.Phase
		}
		fmt.Fprintln(&t.buf, t.layout.runs(i, column, spinner(t.tick), now))
	}
	t.drawn = len(shown)
	if more := len(t.running) - len(shown); more > 0 {
		fmt.Fprintln(&t.buf, cut(fmt.Sprintf("%s  … and %d more that run", pad("", t.layout.phase), more), columns-1))
		t.drawn++
	}
}

// flush hands a whole redraw to the terminal in one write, so that it does not
// flicker.
func (t *Terminal) flush() {
	_, _ = t.out.Write(t.buf.Bytes())
	t.buf.Reset()
}

func (t *Terminal) phaseOf(i *event.Instance) string {
	if i.Phase == t.phase {
		return ""
	}
	t.phase = i.Phase
	return i.Phase
}
