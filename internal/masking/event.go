package masking

import (
	"strings"

	"github.com/labrun/labrun/pipeline/event"
)

// maskEvent masks whatever of an event came from outside. What the event points
// to belongs to others too and is not changed.
func maskEvent(r *strings.Replacer, e event.Event) event.Event {
	e.Report = maskReport(r, e.Report)
	if e.Plan != nil {
		plan := *e.Plan
		plan.Reason = r.Replace(plan.Reason)
		e.Plan = &plan
	}
	if e.Effect != nil {
		effect := *e.Effect
		effect.Object, effect.Error = r.Replace(effect.Object), r.Replace(effect.Error)
		e.Effect = &effect
	}
	if e.Result != nil {
		result := *e.Result
		result.Summary, result.Reason = r.Replace(result.Summary), r.Replace(result.Reason)
		result.Report = maskReport(r, result.Report)
		result.Outputs = maskValue(r, result.Outputs)
		e.Result = &result
	}
	if e.Evidence != nil {
		e.Evidence = &event.Evidence{Page: r.Replace(e.Evidence.Page), Files: e.Evidence.Files}
	}
	if e.Summary != nil {
		summary := *e.Summary
		summary.Report = maskReport(r, summary.Report)
		e.Summary = &summary
	}
	return e
}

func maskReport(r *strings.Replacer, told *event.Report) *event.Report {
	if told == nil {
		return nil
	}
	out := event.Report{Code: told.Code, Title: r.Replace(told.Title), Next: r.Replace(told.Next)}
	for _, l := range told.Lines {
		out.Lines = append(out.Lines, event.Line{Label: l.Label, Text: r.Replace(l.Text)})
	}
	return &out
}

// maskValue masks the texts of plain maps and lists.
func maskValue(r *strings.Replacer, v any) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = maskValue(r, value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = maskValue(r, value)
		}
		return out
	}
	return v
}
