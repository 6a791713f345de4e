package progress

import (
	"fmt"
	"io"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
)

// Continuation is how a run goes on that did not come to a good end.
type Continuation struct {
	From    string // the first instance that is done again, as a person types it; "" where all that was told ended well
	Command string // what goes on, as a person types it

	mend   bool // something failed, and would again
	run    bool // the command is the one that was typed, a run
	spares bool // the one that was typed would destroy what was built
}

// Continues says where a run goes on that did not come to a good end, and with what
// command; nil where it came to one. Of a run that ended that is its first failure, else
// what was cancelled; of one that was cut off the first instance, in the file's order,
// that it has not brought to a good end. What a rebuild has begun to build is gone on
// with by a run.
func Continues(s *event.State) *Continuation {
	c, phase := &Continuation{run: s.Run.Command == "" || s.Run.Command == "run"}, ""
	switch failed, cancelled := firstOf(s, event.Failed), firstOf(s, event.Cancelled); {
	case !s.Finished:
		c.From, phase = firstOpen(s)
	case failed != nil:
		c.From, phase, c.mend = failed.Typed(), failed.Phase, true
	case cancelled != nil:
		c.From, phase = cancelled.Typed(), cancelled.Phase
	default:
		return nil
	}
	c.Command = s.Run.GoesOn(phase)
	c.spares = c.Command != s.Run.Again()
	return c
}

// write says how it goes on.
func (c *Continuation) write(w io.Writer) {
	if c.run {
		fmt.Fprintln(w, c.again())
		return
	}
	before, more := "", []string{}
	if c.mend {
		before = "fix it and "
	}
	if c.From != "" {
		more = append(more, "it goes on from "+c.From)
	}
	if c.spares {
		more = append(more, "the same rebuild would destroy what was built")
	}
	fmt.Fprintf(w, "%stype %s\n", before, c.Command)
	if len(more) > 0 {
		fmt.Fprintln(w, strings.Join(more, "; "))
	}
}

// again says how a run goes on: by the command that was typed.
func (c *Continuation) again() string {
	text := "run the same command to go on"
	if c.mend {
		text = "fix it and run the same command"
	}
	if c.From != "" {
		text += ": labrun continues from " + c.From
	}
	return text
}

// firstOpen gives the first instance in the file's order that a run has not brought to
// a good end, as a person types it, and its phase: "" where there is none.
func firstOpen(s *event.State) (typed, phase string) {
	for _, st := range s.Steps {
		if len(st.Instances) == 0 {
			return st.ID, st.Phase
		}
		for _, i := range st.Instances {
			if i.Result == nil || i.Result.Status == event.Failed || i.Result.Status == event.Blocked || i.Result.Status == event.Cancelled {
				return i.Typed(), st.Phase
			}
		}
	}
	return "", ""
}

// firstOf gives the first instance in the file's order that ended so; of the
// cancelled ones one that had begun.
func firstOf(s *event.State, status event.Status) *event.Instance {
	var first *event.Instance
	for _, i := range instances(s) {
		if i.Result == nil || i.Result.Status != status {
			continue
		}
		if i.Start != nil {
			return i
		}
		if first == nil {
			first = i
		}
	}
	return first
}
