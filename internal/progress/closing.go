package progress

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Failures writes a block for each instance that failed: where it stands, what
// it said, what was seen, what to do, and where its evidence lies.
func Failures(w io.Writer, s *event.State, colour bool) {
	for _, i := range instances(s) {
		if i.Result != nil && i.Result.Status == event.Failed && i.Result.Report != nil {
			block(w, i, ink(colour))
			if i.Evidence != nil {
				labelled(w, "evidence", i.Evidence.Page)
			}
		}
	}
}

const labelColumn = 9

func block(w io.Writer, i *event.Instance, on ink) {
	fmt.Fprintf(w, "\n%s\n", on.colour(red, fmt.Sprintf("✗ %s failed after %s", i.Name(), took(i.Result.Duration)))+placeOf(i))
	about(w, *i.Result.Report)
	if r := i.Result.Report; r.Code != "" {
		labelled(w, "more", "labrun explain "+r.Code)
	}
}

// placeOf is where the file declares an instance's step.
func placeOf(i *event.Instance) string {
	if i.Start == nil || i.Start.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d:%d)", i.Start.File, i.Start.Line, i.Start.Column)
}

// about writes a report: title, lines, and what to do.
func about(w io.Writer, r event.Report) {
	indented(w, "", r.Title)
	last := ""
	for _, l := range r.Lines {
		label := clean(l.Label)
		if label == last {
			label = ""
		} else {
			last = label
		}
		labelled(w, label, l.Text)
	}
	if r.Next != "" {
		labelled(w, "next", r.Next)
	}
}

// labelled writes one line of a block; further lines of its text stand below the
// first.
func labelled(w io.Writer, label, text string) {
	indented(w, pad(label, labelColumn)+" ", text)
}

func indented(w io.Writer, before, text string) {
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if n > 0 {
			before = strings.Repeat(" ", cells(before))
		}
		fmt.Fprintf(w, "    %s%s\n", before, clean(line))
	}
}

// Closing writes what a run came to, and how to go on: the counts, the requests,
// and where the same command continues.
func Closing(w io.Writer, s *event.State) {
	fmt.Fprintf(w, "\n%s\n", Counts(s))
	if text := requests(s.Summary.Requests); text != "" {
		fmt.Fprintln(w, text)
	}
	if r := s.Summary.Report; r != nil {
		fmt.Fprintln(w, clean(r.Title))
		for _, l := range r.Lines {
			labelled(w, clean(l.Label), l.Text)
		}
	}
	if c := Continues(s); c != nil {
		c.write(w)
	}
}

// Counts is the line of a run's counts: 14 ok · 9 changed · 9m40s (longest waits: …).
// What a selection left out is counted by itself, and no skip.
func Counts(s *event.State) string {
	var parts []string
	left := leftOut(s)
	for _, status := range []event.Status{event.OK, event.Changed, event.Skipped, event.Failed, event.Blocked, event.Cancelled} {
		n := s.Summary.Counts[status]
		if status == event.Skipped {
			n -= left
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	if left > 0 {
		parts = append(parts, fmt.Sprintf("%d left out", left))
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing to run")
	}
	text := strings.Join(append(parts, took(s.Summary.Duration)), " · ")
	if waits := longestWaits(s); len(waits) > 0 {
		text += " (longest waits: " + strings.Join(waits, ", ") + ")"
	}
	return text
}

// leftOut counts what a selection left out.
func leftOut(s *event.State) (n int) {
	for _, i := range instances(s) {
		if i.Result != nil && i.Result.LeftOut() {
			n++
		}
	}
	return n
}

// longestWaits names the two instances that waited the longest, of those that
// waited at least a second.
func longestWaits(s *event.State) []string {
	var waited []*event.Instance
	for _, i := range instances(s) {
		if i.Waited && i.Result != nil && i.Result.Duration >= time.Second {
			waited = append(waited, i)
		}
	}
	slices.SortStableFunc(waited, func(a, b *event.Instance) int { return cmp.Compare(b.Result.Duration, a.Result.Duration) })
	var text []string
	for _, i := range waited[:min(2, len(waited))] {
		text = append(text, i.Name()+" "+took(i.Result.Duration))
	}
	return text
}

// requests is the line of what the run asked of others; zeros are told too, a
// run without writes says so.
func requests(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	if len(parts) == 0 {
		return ""
	}
	return "requests: " + strings.Join(parts, " · ")
}

func instances(s *event.State) []*event.Instance {
	var all []*event.Instance
	for _, st := range s.Steps {
		all = append(all, st.Instances...)
	}
	return all
}
