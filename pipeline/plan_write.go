package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes the plan as JSON.
func (p *Plan) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// WriteText writes the plan for people: a line a step, by phase, with the verdict,
// its reason, and what the step waits for beside the step and phase before it.
func (p *Plan) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · %s · %s\n\n", p.Lab, p.File, p)
	phases, steps := 0, 0
	for _, s := range p.Steps {
		phases = max(phases, utf8.RuneCountInString(s.Phase))
		steps = max(steps, utf8.RuneCountInString(s.Name()))
	}
	shown := ""
	for _, s := range p.Steps {
		phase := ""
		if s.Phase != shown {
			phase, shown = s.Phase, s.Phase
		}
		line := pad(phase, phases) + "  " + pad(string(s.Verdict), 5) + "  " + pad(s.Name(), steps) + "  " + s.Reason
		if after := s.after(); after != "" {
			if s.Reason != "" {
				line += " · "
			}
			line += after
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// after names the edges that do not follow from the file's order.
func (s PlannedStep) after() string {
	var parts []string
	for _, e := range s.After {
		if e.Reason == ByNeeds || e.Reason == ByOutputs {
			parts = append(parts, fmt.Sprintf("%s (%s)", e.Step, e.Reason))
		}
	}
	if parts == nil {
		return ""
	}
	return "after " + strings.Join(parts, ", ")
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
