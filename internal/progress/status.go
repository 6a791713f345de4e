package progress

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/labrun/labrun/internal/forecast"
	"github.com/labrun/labrun/pipeline/event"
)

// Situation is what status tells: the last run's events, and whether the run
// goes on.
type Situation struct {
	State *event.State
	Now   time.Time
	Live  bool           // a process works on it now
	Who   string         // which one, "" where it is not known
	Left  *forecast.Left // of a run that goes on; nil where no earlier run says anything
	Next  string         // the process of a later run that has told nothing yet, "" for none
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
	if s.Live {
		l.waits(&b, s)
	}
	switch {
	case s.State.Finished:
		Closing(&b, s.State)
	case s.Live:
		fmt.Fprintf(&b, "\nruns for %s", took(s.Now.Sub(s.State.Started)))
		if s.Who != "" {
			fmt.Fprintf(&b, ", %s", s.Who)
		}
		fmt.Fprintln(&b)
		if s.Left != nil {
			fmt.Fprintln(&b, leftOf(*s.Left))
		}
	default:
		if s.State.Torn {
			fmt.Fprint(&b, "\nits journal ends within a line: what that told is lost\n")
		}
		CutOff(&b, s.State)
	}
	if s.Next != "" {
		fmt.Fprintf(&b, "\nanother run has begun, and tells nothing yet: %s\n", s.Next)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// CutOff writes that a run's process ended without the run's end, and where it
// goes on.
func CutOff(w io.Writer, s *event.State) {
	fmt.Fprintf(w, "\nthe run was cut off: its last event is of %s\n", s.Last.Local().Format("2006-01-02 15:04:05"))
	if c := Continues(s); c != nil {
		c.write(w)
	}
}

// Ended is the line of an instance that has ended.
func Ended(i *event.Instance) string {
	return newLayout(event.Run{}, false).finished(i, i.Phase)
}

// waitsShown bounds how many waits are told with all that they see.
const waitsShown = 8

// waits writes a block for each instance that runs and has told what it sees.
func (l layout) waits(w io.Writer, s Situation) {
	more := 0
	for _, i := range instances(s.State) {
		if !i.Running() || i.Seen == nil {
			continue
		}
		if more++; more > waitsShown {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", l.colour(cyan, "… "+i.Name()+" runs for "+lasts(i, s.Now))+placeOf(i))
		about(w, *i.Seen)
		labelled(w, "unchanged", fmt.Sprintf("since %s, for %s", i.SeenAt.Local().Format("15:04:05"), took(s.Now.Sub(i.SeenAt))))
	}
	if more > waitsShown {
		fmt.Fprintf(w, "\n… and %d more that wait\n", more-waitsShown)
	}
}

// leftOf says how long a run still takes, and how that is known.
func leftOf(l forecast.Left) string {
	text := "less than a minute left"
	if d := l.Time.Round(time.Minute); d > 0 {
		text = "about " + event.Span(d) + " left"
	}
	text += fmt.Sprintf(", from %d past run", l.Runs)
	if l.Runs != 1 {
		text += "s"
	}
	switch n := len(l.Never); {
	case n == 1:
		text += ", in none of which " + l.Never[0] + " ended well"
	case n > 1:
		text += fmt.Sprintf(", in none of which %s and %d more ended well", l.Never[0], n-1)
	}
	return text
}

// status gives the lines of one step.
func (l layout) status(st *event.Step, s Situation, first bool) []string {
	phase := ""
	if first {
		phase = st.Phase
	}
	if len(st.Instances) == 0 {
		word := "waiting"
		if s.State.Finished {
			word = "not begun"
		}
		return []string{l.format(row{phase: phase, mark: "·", markPaint: dim, name: st.ID, status: word, statusPaint: dim})}
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
