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

// found is what was seen of one check, and of which workers.
type found struct {
	id, seen, remedy string
	workers          []string
}

// warn tells what a step that does not fail would otherwise keep to itself: with
// failures, also why a worker cannot be used. What is the same of several workers
// is told once, and what was told before is not told again.
func (s Preflight) warn(env *Env, reports []redfish.Report, failures bool) {
	var all []*found
	for _, r := range reports {
		for _, c := range r.Checks {
			if c.Status == redfish.Warn && !slices.Contains(s.Told, warning(r, c)) || c.Status == redfish.Fail && failures {
				all = gather(all, r.Name, c)
			}
		}
	}
	for _, f := range all {
		env.Scope().Warn(report(names(f.workers)+": "+f.id, "seen", f.seen, f.remedy))
	}
}

// gather adds a worker to those of which the same was seen.
func gather(all []*found, worker string, c redfish.Result) []*found {
	for _, f := range all {
		if f.id == c.ID && f.seen == c.Seen && f.remedy == c.Remedy {
			f.workers = append(f.workers, worker)
			return all
		}
	}
	return append(all, &found{c.ID, c.Seen, c.Remedy, []string{worker}})
}

// fewNames is how many workers are named where there may be hundreds.
const fewNames = 8

// names lists workers: worker0, worker1 and 98 more.
func names(workers []string) string {
	if len(workers) <= fewNames {
		return strings.Join(workers, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(workers[:fewNames], ", "), len(workers)-fewNames)
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
	if n := len(out.Usable); n > 0 {
		r.Lines = append(r.Lines, event.Line{Label: "or", Text: fmt.Sprintf("build the lab with %s: --set lab.preflight.require=%d", names(out.Usable), n)})
	}
	return PreflightFailed{&pipeline.Report{Report: r}}
}
