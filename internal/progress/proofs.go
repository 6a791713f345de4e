package progress

import (
	"fmt"
	"io"

	"github.com/labrun/labrun/pipeline/event"
)

// Proof is what a pre-flight found of one worker.
type Proof struct {
	Name   string
	About  string // its address and model
	Status event.Status
	Warned bool // of one that is OK
	Lines  []event.Line
}

// Proofs writes one line a worker, in the order given, with what is wrong and
// what to do about it below.
func Proofs(w io.Writer, all []Proof, colour bool) error {
	name := 0
	for _, p := range all {
		name = max(name, min(cells(p.Name), nameLimit))
	}
	on := ink(colour)
	for _, p := range all {
		sign, paint := mark(p.Status)
		if p.Warned {
			sign, paint = "!", yellow
		}
		if _, err := fmt.Fprintf(w, "%s %s  %s\n", on.colour(paint, sign), pad(clean(p.Name), name), clean(p.About)); err != nil {
			return err
		}
		for _, l := range p.Lines {
			labelled(w, clean(l.Label), l.Text)
		}
	}
	return nil
}
