package steps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/trouble"
)

// sortReports parts the workers. A worker that has its host already counts as
// usable: a pre-flight never scales a lab down.
func sortReports(reports []redfish.Report, managed []string) PreflightOutputs {
	out := PreflightOutputs{Usable: []string{}, Failed: []string{}, Warnings: []string{}}
	for _, r := range reports {
		kept := slices.Contains(managed, r.Name)
		if r.Usable() || kept {
			out.Usable = append(out.Usable, r.Name)
		} else {
			out.Failed = append(out.Failed, r.Name)
		}
		for _, c := range r.Checks {
			if c.Status == redfish.Warn || c.Status == redfish.Fail && kept {
				out.Warnings = append(out.Warnings, warning(r, c))
			}
		}
	}
	return out
}

// warning names what was seen of one worker.
func warning(r redfish.Report, c redfish.Result) string { return r.Name + ": " + c.Seen }

// warn tells what a step that does not fail would otherwise keep to itself: with
// failures, also why a worker cannot be used. What was told before stays told.
func (s Preflight) warn(env *Env, r redfish.Report, failures bool) {
	for _, c := range r.Checks {
		if c.Status == redfish.Warn && !slices.Contains(s.Told, warning(r, c)) || c.Status == redfish.Fail && failures {
			env.Scope().Warn(report(r.Name+" "+c.ID, "seen", c.Seen, c.Remedy))
		}
	}
}

// PreflightFailed is the error of a pre-flight that found a fatal problem.
type PreflightFailed struct{ *pipeline.Report }

// ExitCode is the program's, where this ended the run.
func (PreflightFailed) ExitCode() int { return pipeline.ExitPreflight }

func unusable(out PreflightOutputs, reports []redfish.Report, required int) error {
	r := event.Report{
		Code:  string(trouble.PreflightFailed),
		Title: fmt.Sprintf("%d of %s can be used, %d needed", len(out.Usable), count(len(reports), "worker"), required),
		Next:  "labrun preflight LAB --host " + strings.Join(out.Failed, " --host "),
	}
	for _, one := range reports {
		for _, c := range one.Checks {
			if c.Status != redfish.Fail {
				continue
			}
			r.Lines = append(r.Lines, event.Line{Label: one.Name, Text: c.ID + ": " + c.Seen})
			if c.Remedy != "" {
				r.Lines = append(r.Lines, event.Line{Label: "do", Text: c.Remedy})
			}
		}
	}
	return PreflightFailed{&pipeline.Report{Report: r}}
}
