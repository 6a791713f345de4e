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
		line := pad(phase, phases) + "  " + pad(s.word(), 5) + "  " + pad(s.Name(), steps) + "  " + s.Reason
		if after := s.after(); after != "" {
			if s.Reason != "" {
				line += " · "
			}
			line += after
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		s.writeChanges(&b, strings.Repeat(" ", phases+9))
	}
	p.writeOrphans(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// word is the verdict, and where the step was asked what it found.
func (s PlannedStep) word() string {
	if s.Verdict == WillRun {
		switch s.Outlook {
		case OutlookDone:
			return "ok"
		case OutlookWait:
			return "wait"
		case OutlookRefused:
			return "fails"
		}
	}
	return string(s.Verdict)
}

// writeChanges writes what a step would change: an object a line, and below one
// that is there what of it.
func (s PlannedStep) writeChanges(b *strings.Builder, indent string) {
	for _, c := range s.Changes {
		mark := map[string]string{"create": "+", "delete": "-"}[c.Verb]
		if mark == "" {
			mark = "~"
		}
		fmt.Fprintf(b, "%s%s %s %s\n", indent, mark, c.Verb, c.Object)
		for line := range strings.Lines(c.Diff) {
			fmt.Fprintf(b, "%s    %s\n", indent, strings.TrimRight(line, "\n"))
		}
	}
}

func (p *Plan) writeOrphans(b *strings.Builder) {
	if len(p.Orphans) == 0 {
		return
	}
	b.WriteString("\norphans, which the lab has and its file has no more; a run leaves them as they are: labrun destroy LAB --orphans takes them away\n")
	for _, o := range p.Orphans {
		fmt.Fprintf(b, "  %s: %s\n", name(o.Step, o.Key), strings.Join(o.Objects, ", "))
	}
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
