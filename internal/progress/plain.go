package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// tellAgain is how long a waiting step of a plain log is silent between two
// things that it sees, so that a nightly log stays readable.
const tellAgain = 10 * time.Second

// Plain is the sink that writes a line for each event worth telling, in the
// order in which they happen: for logs, pipes and files.
type Plain struct {
	out    io.Writer
	mu     sync.Mutex // of out: Note is called from elsewhere
	state  *event.State
	layout layout
	phase  string // of the line before
	told   map[*event.Instance]time.Time
	later  map[*event.Instance]*time.Timer // tells what was kept back
	beat   *heartbeat                      // nil for none
}

// PlainOptions say how a plain log is written.
type PlainOptions struct {
	// Heartbeat is how long a step that runs may be silent before it is told that
	// it still does; 0 for ever.
	Heartbeat time.Duration
	Now       func() time.Time // nil means time.Now
}

// NewPlain makes one. It writes no colour and cuts nothing. Close must be called.
func NewPlain(out io.Writer, o PlainOptions) *Plain {
	p := &Plain{out: out, state: &event.State{}, told: map[*event.Instance]time.Time{}, later: map[*event.Instance]*time.Timer{}}
	if o.Heartbeat > 0 {
		p.beat = newHeartbeat(o, p.stillRuns)
	}
	return p
}

// State is the run so far.
func (p *Plain) State() *event.State { return p.state }

// Close ends the progress.
func (p *Plain) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.later {
		p.quiet(i)
	}
	p.beat.close()
}

// Take writes what the event tells. It has no error: a log that nobody reads
// does not stop a run.
func (p *Plain) Take(e event.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.state.Add(e)
	switch e.Type {
	case event.RunStarted:
		p.layout = newLayout(p.state.Run, false)
		fmt.Fprintf(p.out, "%s\n\n", header(p.state.Run))
	case event.StepStarted:
		p.beat.heard(i)
	case event.StepProgress:
		p.sees(i, e.Time)
	case event.StepWarned:
		p.line(p.layout.warned(i, p.phaseOf(i), *e.Report))
	case event.StepFinished:
		delete(p.told, i)
		p.quiet(i)
		p.beat.gone(i)
		if worthALine(i) {
			p.line(p.layout.finished(i, p.phaseOf(i)))
		}
	}
	return nil
}

// sees tells what a waiting step sees: at once, or, where it told something a
// moment ago, when it may again.
func (p *Plain) sees(i *event.Instance, now time.Time) {
	if !i.Running() {
		return
	}
	last, before := p.told[i]
	wait := tellAgain - now.Sub(last)
	if !before || wait <= 0 {
		p.quiet(i)
		p.told[i] = now
		p.beat.heard(i)
		p.line(p.layout.runs(i, p.phaseOf(i), "…", now))
		return
	}
	if p.later[i] == nil {
		p.later[i] = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.later[i] != nil {
				delete(p.later, i)
				p.sees(i, last.Add(tellAgain))
			}
		})
	}
}

// quiet drops what was kept back.
func (p *Plain) quiet(i *event.Instance) {
	if timer := p.later[i]; timer != nil {
		timer.Stop()
		delete(p.later, i)
	}
}

// Note writes a line of its own.
func (p *Plain) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(clean(text))
}

// worthALine says whether an end is told by a line of its own; what was blocked, left
// out or never began is counted at the end.
func worthALine(i *event.Instance) bool {
	if i.Result.LeftOut() {
		return false
	}
	switch i.Result.Status {
	case event.Blocked:
		return false
	case event.Cancelled:
		return i.Start != nil
	}
	return true
}

// phaseOf gives the phase where it is another than the line's before.
func (p *Plain) phaseOf(i *event.Instance) string {
	if i.Phase == p.phase {
		return ""
	}
	p.phase = i.Phase
	return i.Phase
}

func (p *Plain) line(text string) { fmt.Fprintln(p.out, text) }
