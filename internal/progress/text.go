// Package progress shows a run to a person: on a terminal with the steps that
// run redrawn in place, elsewhere as plain lines, one an event worth telling. It
// is a sink of the event stream and keeps no state but the stream's fold.
package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean makes text from outside fit one line of a terminal: line breaks and
// control characters, which could move the cursor, become spaces.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.TrimRight(text, "\n"))
}

// cells is the number of columns that text takes.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	if unicode.Is(unicode.Mn, r) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens text to at most n columns, with … where something is gone.
func cut(text string, n int) string {
	if cells(text) <= n {
		return text
	}
	if n <= 0 {
		return ""
	}
	left, end := n-1, 0
	for i, r := range text {
		if left -= runeCells(r); left < 0 {
			end = i
			break
		}
	}
	return text[:end] + "…"
}

// pad fills text up to n columns.
func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-cells(text)))
}

// took writes a duration as people read it: 0.4s, 12.3s, 6m02s, 1h05m.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "0.0s"
	case d < time.Minute-50*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
