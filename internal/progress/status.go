package progress

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Situation is what status tells: the last run's events, and whether the run
// goes on.
type Situation struct {
	State *event.State
	Now   time.Time
	Live  bool   // a process works on it now
	Who   string // which one, "" where it is not known
}

// Status writes what became of each step of a run, by phase, what those that run
// see, and how the whole stands.
func Status(w io.Writer, s Situation, colour bool) error {
	var b bytes.Buffer
	l := newLayout(s.State.Run, colour)
	fmt.Fprintf(&b, "%s\n\n", l.colour(bold, header(s.State.Run)))
	shown := ""
	for _, st := range s.State.Steps {
		for _, line := range l.status(st, s, st.Phase != shown) {
			fmt.Fprintln(&b, line)
			shown = st.Phase
		}
	}
	Failures(&b, s.State, colour)
	switch {
	case s.State.Finished:
		Closing(&b, s.State)
	case s.Live:
		fmt.Fprintf(&b, "\nruns for %s", took(s.Now.Sub(s.State.Started)))
		if s.Who != "" {
			fmt.Fprintf(&b, ", %s", s.Who)
		}
		fmt.Fprintln(&b)
	default:
		if s.State.Torn {
			fmt.Fprint(&b, "\nits journal ends within a line: what that told is lost\n")
		}
		fmt.Fprintf(&b, "\nthe run was cut off: its last event is of %s\nrun the same command to go on\n", s.State.Last.Local().Format("2006-01-02 15:04:05"))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// status gives the lines of one step.
func (l layout) status(st *event.Step, s Situation, first bool) []string {
	phase := ""
	if first {
		phase = st.Phase
	}
	if len(st.Instances) == 0 {
		return []string{l.format(row{phase: phase, mark: "·", markPaint: dim, name: st.ID, status: "waiting", statusPaint: dim})}
	}
	var lines []string
	for n, i := range st.Instances {
		if n > 0 {
			phase = ""
		}
		switch {
		case i.Result != nil:
			lines = append(lines, l.finished(i, phase))
		case i.Running() && s.Live:
			lines = append(lines, l.runs(i, phase, "…", s.Now))
		case i.Running():
			lines = append(lines, l.format(row{phase: phase, mark: "!", markPaint: yellow, name: i.Name(), status: "cut off", statusPaint: yellow, summary: unknown(i)}))
		default:
			lines = append(lines, l.format(row{phase: phase, mark: "·", markPaint: dim, name: i.Name(), status: "waiting", statusPaint: dim}))
		}
	}
	return lines
}

// unknown says what an instance may have done whose run was cut off.
func unknown(i *event.Instance) string {
	if len(i.Open) > 0 {
		e := i.Open[len(i.Open)-1]
		if e.Observable {
			return fmt.Sprintf("%s %s: begun, and the next run looks whether it is done", e.Verb, e.Object)
		}
		return fmt.Sprintf("%s %s: outcome unknown", e.Verb, e.Object)
	}
	if i.Seen != nil {
		return seen(i)
	}
	return ""
}
