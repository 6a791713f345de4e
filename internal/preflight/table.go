package preflight

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/site"
)

// Table says how a report is told to a person.
type Table struct {
	Colour  bool
	Verbose bool // every check, not just what is to be done something about
}

// Text writes the table: a line a worker and area, the worst first, with what is wrong and what to do about it below; then the
// sum, and once more each failure, which stands last where a person looks first.
func (r Report) Text(w io.Writer, t Table) error {
	rows := r.rows(t.Verbose)
	if err := progress.Proofs(w, rows, t.Colour); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", r.sum()); err != nil {
		return err
	}
	failures := r.failures()
	if len(failures) == 0 || len(rows) == 1 && !t.Verbose {
		return nil
	}
	return progress.Reminder(w, failures, t.Colour)
}

// rows are the workers and areas, the worst first.
func (r Report) rows(verbose bool) []progress.Proof {
	type row struct {
		proof  progress.Proof
		status redfish.Status
	}
	var all []row
	for _, h := range r.Hosts {
		all = append(all, row{hostRow(h, verbose), h.Status})
	}
	for _, a := range r.LabChecks {
		all = append(all, row{areaRow(a, verbose), a.Status})
	}
	order := statuses()
	slices.SortStableFunc(all, func(a, b row) int {
		return cmp.Compare(slices.Index(order, a.status), slices.Index(order, b.status))
	})
	proofs := make([]progress.Proof, len(all))
	for i, one := range all {
		proofs[i] = one.proof
	}
	return proofs
}

func hostRow(h redfish.Report, verbose bool) progress.Proof {
	p := progress.Proof{Name: h.Name, About: strings.Join(strings.Fields(strings.Join([]string{h.Vendor, h.Model, h.Firmware}, " ")), " "), Took: h.Duration}
	p.Mark, p.Counts = markOf(h.Status), counts(h.Checks)
	if p.About == "" {
		p.About = h.Address
	} else if h.Status == redfish.Fail || verbose {
		p.Lines = append(p.Lines, event.Line{Label: "BMC", Text: h.Address})
	}
	p.Lines = append(p.Lines, lines(h.Checks, verbose)...)
	return p
}

func areaRow(a site.Report, verbose bool) progress.Proof {
	return progress.Proof{Name: a.Area, Mark: markOf(a.Status), Counts: counts(a.Checks), Took: a.Duration, Lines: lines(a.Checks, verbose)}
}

func markOf(s redfish.Status) progress.Mark {
	switch s {
	case redfish.Fail:
		return progress.Bad
	case redfish.Warn:
		return progress.Warned
	case redfish.Unknown:
		return progress.Open
	case redfish.Skip:
		return progress.Skipped
	}
	return progress.Good
}

// counts says how many checks ended how: 1 fail, 25 pass.
func counts(results []redfish.Result) string {
	var parts []string
	for _, s := range statuses() {
		n := 0
		for _, c := range results {
			if c.Status == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// lines tells the checks, the worst first where only those are told that somebody should do something about.
func lines(results []redfish.Result, verbose bool) []event.Line {
	told := slices.Clone(results)
	if !verbose {
		told = slices.DeleteFunc(told, func(c redfish.Result) bool {
			return c.Status == redfish.Pass || c.Status == redfish.Skip || c.Status == redfish.Unknown && c.Remedy == ""
		})
		order := statuses()
		slices.SortStableFunc(told, func(a, b redfish.Result) int {
			return cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status))
		})
	}
	var all []event.Line
	for _, c := range told {
		all = append(all, event.Line{Label: string(c.Status), Text: c.ID + ": " + c.Seen})
		if c.Remedy != "" {
			all = append(all, event.Line{Label: "do", Text: c.Remedy})
		}
	}
	return all
}

// sum is the last line of the table: what it came to.
func (r Report) sum() string {
	var parts []string
	if n := len(r.Hosts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s can be used", r.Summary.Usable, plural(n, "worker")))
	}
	for _, s := range []redfish.Status{redfish.Fail, redfish.Warn} {
		if n := r.Summary.Checks[s]; n > 0 {
			parts = append(parts, plural(n, map[redfish.Status]string{redfish.Fail: "failure", redfish.Warn: "warning"}[s]))
		}
	}
	if r.Summary.Status == redfish.Pass {
		parts = append(parts, "nothing is wrong")
	}
	if len(r.Hosts) > 0 {
		parts = append(parts, plural(r.Summary.Requests, "request"))
	}
	return strings.Join(append(parts, fmt.Sprintf("%.1fs", float64(r.Summary.DurationMS)/1000)), " · ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// failures are all checks that failed, with whose they are.
func (r Report) failures() []progress.Failure {
	var all []progress.Failure
	add := func(whose string, results []redfish.Result) {
		for _, c := range results {
			if c.Status == redfish.Fail {
				all = append(all, progress.Failure{Whose: whose, Cause: c.ID + ": " + c.Seen, Do: c.Remedy})
			}
		}
	}
	for _, h := range r.Hosts {
		add(h.Name, h.Checks)
	}
	for _, a := range r.LabChecks {
		add(a.Area, a.Checks)
	}
	return all
}
