package program

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps"
)

// preflight asks the BMCs of the named workers, all where none is named.
func preflight(ctx context.Context, j cli.Job, names []string) (cli.Proven, error) {
	lab := steps.NewLab(j.Facts.(*labs.Facts), steps.LabOptions{Kubeconfig: j.Kubeconfig, StateDir: j.StateDir, Conceal: j.Conceal})
	defer lab.Close()
	reports, err := lab.AskBMCs(ctx, names)
	if err != nil {
		return cli.Proven{}, err
	}
	slices.SortStableFunc(reports, func(a, b redfish.Report) int { return cmp.Compare(severity(b.Status), severity(a.Status)) })
	found := cli.Proven{Reports: reports}
	for _, r := range reports {
		found.Proofs = append(found.Proofs, proof(r))
		found.Requests += r.Requests
		if r.Usable() {
			found.Usable++
		}
	}
	return found, nil
}

func severity(s redfish.Status) int {
	return slices.Index([]redfish.Status{redfish.Pass, redfish.Warn, redfish.Unknown, redfish.Fail}, s)
}

// proof tells what is wrong with one worker, the worst first.
func proof(r redfish.Report) progress.Proof {
	about := strings.TrimSpace(strings.Join([]string{r.Vendor, r.Model, r.Firmware}, " "))
	p := progress.Proof{Name: r.Name, About: strings.TrimSuffix(r.Address+"  "+about, "  "), Status: event.OK, Warned: r.Status == redfish.Warn}
	if !r.Usable() {
		p.Status = event.Failed
	}
	for _, status := range []redfish.Status{redfish.Fail, redfish.Unknown, redfish.Warn} {
		for _, c := range r.Checks {
			if c.Status != status {
				continue
			}
			p.Lines = append(p.Lines, event.Line{Label: string(status), Text: fmt.Sprintf("%s: %s", c.ID, c.Seen)})
			if c.Remedy != "" {
				p.Lines = append(p.Lines, event.Line{Label: "do", Text: c.Remedy})
			}
		}
	}
	return p
}
