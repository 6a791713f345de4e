package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Mark is how a proof ended.
type Mark int

// The marks.
const (
	Good Mark = iota
	Warned
	Bad
	Open // it is not known
	Skipped
)

func (m Mark) sign() (string, paint) {
	switch m {
	case Warned:
		return "!", yellow
	case Bad:
		return "✗", red
	case Open:
		return "?", cyan
	case Skipped:
		return "–", dim
	}
	return "✓", green
}

// Proof is what a pre-flight found of one worker, or of one area of the lab.
type Proof struct {
	Name   string
	About  string // its model, or its address where that is not known
	Mark   Mark
	Counts string // of its checks
	Took   time.Duration
	Lines  []event.Line
}

const (
	aboutLimit  = 60
	countsLimit = 40
)

// Proofs writes one line a proof, in the order given, with what is wrong and
// what to do about it below.
func Proofs(w io.Writer, all []Proof, colour bool) error {
	var name, about, counts int
	for _, p := range all {
		name = max(name, min(cells(p.Name), nameLimit))
		about = max(about, min(cells(p.About), aboutLimit))
		counts = max(counts, min(cells(p.Counts), countsLimit))
	}
	on := ink(colour)
	for _, p := range all {
		sign, paint := p.Mark.sign()
		columns := []string{on.colour(paint, sign) + " " + pad(clean(p.Name), name)}
		if about > 0 {
			columns = append(columns, pad(clean(p.About), about))
		}
		columns = append(columns, pad(p.Counts, counts), on.colour(dim, fmt.Sprintf("%*s", timeColumn-2, took(p.Took))))
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(columns, "  "), " ")); err != nil {
			return err
		}
		for _, l := range p.Lines {
			oneLine := strings.ReplaceAll(strings.TrimSpace(l.Text), "\n", "; ")
			indented(w, on.colour(paintOf(l.Label), pad(clean(l.Label), labelColumn))+" ", oneLine)
		}
	}
	return nil
}

// paintOf is the colour of a check's status.
func paintOf(label string) paint {
	switch label {
	case "fail":
		return red
	case "warn":
		return yellow
	case "pass":
		return green
	case "unknown":
		return cyan
	case "skip":
		return dim
	}
	return plain
}

// Failure is one cause for which a pre-flight failed.
type Failure struct{ Whose, Cause, Do string }

// failuresShown is how many a reminder tells.
const failuresShown = 10

// Reminder writes each failure in two lines: whose it is and the cause, and what
// to do.
func Reminder(w io.Writer, all []Failure, colour bool) error {
	on := ink(colour)
	var b strings.Builder
	for _, f := range all[:min(len(all), failuresShown)] {
		fmt.Fprintf(&b, "%s %s\n", on.colour(red, "✗ "+clean(f.Whose)+":"), clean(f.Cause))
		if f.Do != "" {
			fmt.Fprintf(&b, "  do: %s\n", clean(f.Do))
		}
	}
	if more := len(all) - failuresShown; more > 0 {
		fmt.Fprintf(&b, "  … and %d more, above\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
