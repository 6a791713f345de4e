package progress

import "github.com/labrun/labrun/pipeline/event"

// paint is an escape sequence that begins a colour.
type paint string

const (
	plain  paint = ""
	green  paint = "\x1b[32m"
	yellow paint = "\x1b[33m"
	red    paint = "\x1b[31m"
	cyan   paint = "\x1b[36m"
	dim    paint = "\x1b[2m"
	bold   paint = "\x1b[1m"
)

// ink colours text, or leaves it as it is.
type ink bool

func (on ink) colour(p paint, text string) string {
	if !on || p == plain || text == "" {
		return text
	}
	return string(p) + text + "\x1b[0m"
}

// mark is the sign before a step.
func mark(s event.Status) (string, paint) {
	switch s {
	case event.OK, event.Changed:
		return "✓", green
	case event.Failed:
		return "✗", red
	case event.Cancelled:
		return "!", yellow
	}
	return "–", dim // skipped, blocked
}

// word is the status beside the step: an ordinary end needs none.
func word(s event.Status) (string, paint) {
	switch s {
	case event.OK, "":
		return "", plain
	case event.Failed:
		return "failed", red
	case event.Changed:
		return "changed", yellow
	case event.Cancelled:
		return "cancelled", yellow
	}
	return string(s), dim
}

func spinner(frame int) string {
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(frames[frame%len(frames)])
}
