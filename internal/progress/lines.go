package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// layout is where the columns of a run stand.
type layout struct {
	ink
	phase, name int // columns of the phase and of the step's name
	width       int // of the whole; 0 where nothing is cut
}

const (
	statusColumn  = 9
	summaryColumn = 50
	timeColumn    = 8
	nameColumn    = 20 // at least; a forEach's key is only known later
	nameLimit     = 36
)

func newLayout(run event.Run, colour bool) layout {
	l := layout{ink: ink(colour), phase: 4, name: nameColumn}
	for _, p := range run.Phases {
		l.phase = max(l.phase, cells(p))
	}
	for _, s := range run.Steps {
		l.name = max(l.name, min(cells(s.ID), nameLimit))
	}
	return l
}

// row is one line of a run: phase, mark, name, status, summary and time.
type row struct {
	phase            string
	mark             string
	markPaint        paint
	name             string
	status           string
	statusPaint      paint
	summary, elapsed string
	tail             string // of the summary, never cut off
}

func (l layout) format(r row) string {
	head := l.colour(bold, pad(r.phase, l.phase)) + "  " + l.colour(r.markPaint, r.mark) + " "
	used := l.phase + 2 + cells(r.mark) + 1
	body := pad(r.name, l.name) + " " + l.colour(r.statusPaint, pad(r.status, statusColumn)) + strings.Repeat(" ", max(0, cells(r.status)-statusColumn+1))
	used += max(cells(r.name), l.name) + 1 + max(cells(r.status)+1, statusColumn)

	summary, room := clean(r.summary), summaryColumn
	if l.width > 0 {
		room = l.width - used - 1
		if r.elapsed != "" {
			room -= timeColumn + 1
		}
		if room < 10 { // too narrow for columns: the line is cut at its end
			return l.narrow(r, summary)
		}
		summary = cut(summary, room-cells(r.tail))
	}
	summary += r.tail
	if r.elapsed == "" {
		return head + strings.TrimRight(body+summary, " ")
	}
	return head + body + pad(summary, min(room, summaryColumn)) + "  " + l.colour(dim, fmt.Sprintf("%*s", timeColumn, r.elapsed))
}

// narrow is a row of a terminal that has no room for columns.
func (l layout) narrow(r row, summary string) string {
	text := strings.Join(slices.DeleteFunc([]string{r.mark, r.name, r.status, r.elapsed + strings.TrimPrefix(r.tail, " · "), summary}, func(s string) bool { return s == "" }), " ")
	return cut(text, l.width-1)
}

// finished is the row of an instance that ended.
func (l layout) finished(i *event.Instance, phase string) string {
	r := row{phase: phase, name: i.Name()}
	r.mark, r.markPaint = mark(i.Result.Status)
	r.status, r.statusPaint = word(i.Result.Status)
	switch {
	case i.Result.Status == event.Cancelled && i.Seen != nil:
		r.summary = seen(i)
	case i.Result.Report != nil:
		r.summary = i.Result.Report.Title
	case i.Result.Reason != "":
		r.summary = i.Result.Reason
	default:
		r.summary = i.Result.Summary
	}
	if i.Start != nil {
		r.elapsed = took(i.Result.Duration)
	}
	return l.format(r)
}

// runs is the row of an instance that runs now.
func (l layout) runs(i *event.Instance, phase, mark string, now time.Time) string {
	r := row{phase: phase, mark: mark, markPaint: cyan, name: i.Name(), tail: lasts(i, now)}
	if i.Seen != nil {
		r.summary, r.tail = seen(i), " · "+r.tail
	}
	return l.format(r)
}

// lasts is how long an instance has run, and how long it may.
func lasts(i *event.Instance, now time.Time) string {
	text := took(now.Sub(i.Started))
	if i.Start.Timeout > 0 {
		text += " of " + event.Span(i.Start.Timeout)
	}
	return text
}

// seen says in a few words what an instance waits for: the object, without its
// namespace and not at all where the key names it already, and what was seen.
func seen(i *event.Instance) string {
	title := i.Seen.Title
	if kind, rest, ok := strings.Cut(title, " "); ok {
		object, more, _ := strings.Cut(rest, " ")
		_, name, namespaced := strings.Cut(object, "/")
		if namespaced && !strings.Contains(object, ":/") {
			object = name
		}
		title = strings.TrimRight(kind+" "+object+" "+more, " ")
		if strings.EqualFold(kind, object) {
			title = strings.TrimRight(kind+" "+more, " ")
		}
		if i.Key != "" && object == i.Key && more == "" && len(i.Seen.Lines) > 0 {
			return i.Seen.Lines[0].Text
		}
	}
	if len(i.Seen.Lines) == 0 {
		return title
	}
	return title + ": " + i.Seen.Lines[0].Text
}

// warned is the row of a warning.
func (l layout) warned(i *event.Instance, phase string, r event.Report) string {
	summary := r.Title
	if r.Next != "" {
		summary += "; " + r.Next
	}
	return l.format(row{phase: phase, mark: "!", markPaint: yellow, name: i.Name(), status: "warning", statusPaint: yellow, summary: summary})
}

// header is the first line of a run.
func header(r event.Run) string {
	parts := []string{r.Lab}
	if r.Title != "" {
		parts = append(parts, r.Title)
	}
	if r.Command != "" && r.Command != "run" {
		parts = append(parts, strings.Join(append([]string{r.Command}, r.Workers...), " "))
	}
	return clean(strings.Join(append(parts, fmt.Sprintf("run %d", r.Number)), " · "))
}
