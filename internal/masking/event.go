package masking

import (
	"github.com/labrun/labrun/pipeline/event"
)

// maskEvent masks whatever of an event came from outside. What the event points
// to belongs to others too and is not changed.
func maskEvent(hide func(string) string, e event.Event) event.Event {
	e.Report = maskReport(hide, e.Report)
	if e.Run != nil {
		run := *e.Run
		run.Title, run.Typed, run.Workers = hide(run.Title), hide(run.Typed), nil
		for _, name := range e.Run.Workers {
			run.Workers = append(run.Workers, hide(name))
		}
		e.Run = &run
	}
	if e.Plan != nil {
		plan := *e.Plan
		plan.Reason = hide(plan.Reason)
		e.Plan = &plan
	}
	if e.Start != nil && len(e.Start.Because) > 0 {
		start := *e.Start
		start.Because = nil
		for _, line := range e.Start.Because {
			start.Because = append(start.Because, hide(line))
		}
		e.Start = &start
	}
	if e.Effect != nil {
		effect := *e.Effect
		effect.Object, effect.Error = hide(effect.Object), hide(effect.Error)
		e.Effect = &effect
	}
	if e.Result != nil {
		result := *e.Result
		result.Summary, result.Reason = hide(result.Summary), hide(result.Reason)
		result.Report = maskReport(hide, result.Report)
		result.Outputs = maskValue(hide, result.Outputs)
		e.Result = &result
	}
	if e.Evidence != nil {
		kept := event.Evidence{Page: hide(e.Evidence.Page)}
		for _, file := range e.Evidence.Files {
			kept.Files = append(kept.Files, hide(file))
		}
		e.Evidence = &kept
	}
	if e.Summary != nil {
		summary := *e.Summary
		summary.Report = maskReport(hide, summary.Report)
		e.Summary = &summary
	}
	return e
}

func maskReport(hide func(string) string, told *event.Report) *event.Report {
	if told == nil {
		return nil
	}
	out := event.Report{Code: told.Code, Title: hide(told.Title), Next: hide(told.Next)}
	for _, l := range told.Lines {
		out.Lines = append(out.Lines, event.Line{Label: l.Label, Text: hide(l.Text)})
	}
	return &out
}

// maskValue masks the texts of plain maps and lists.
func maskValue(hide func(string) string, v any) any {
	switch v := v.(type) {
	case string:
		return hide(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = maskValue(hide, value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = maskValue(hide, value)
		}
		return out
	}
	return v
}
