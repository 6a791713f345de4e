package program

import (
	"context"
	"sync"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/preflight"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps"
	"github.com/labrun/labrun/steps/site"
)

// askAll asks the BMCs, and beside them what else the lab stands on.
func askAll(ctx context.Context, j cli.Job, q preflight.Questions) (preflight.Report, error) {
	facts := j.Facts.(*labs.Facts)
	lab := steps.NewLab(facts, steps.LabOptions{Kubeconfig: j.Kubeconfig, StateDir: j.StateDir, Conceal: j.Conceal, Holds: j.Holds, Now: q.Now})
	defer lab.Close()
	began := lab.Now()
	if err := lab.KnowsWorkers(q.Hosts); err != nil {
		return preflight.Report{}, err
	}
	lab.KnowCommands(ctx)
	follower := q.Follow(asked(facts, q))
	defer follower.Close()
	var mu sync.Mutex // of the follower
	heard := func(name string, r redfish.Result) {
		mu.Lock()
		defer mu.Unlock()
		follower.Heard(name, r)
	}
	var areas []site.Report
	var side sync.WaitGroup
	if q.Choice == nil && len(q.Hosts) == 0 || len(q.Choice.Site()) > 0 {
		side.Go(func() { areas = lab.AskSite(ctx, site.Options{Only: q.Choice.Site(), Progress: heard}) })
	}
	var hosts []redfish.Report
	var err error
	if q.Choice.Asks(preflight.BMC) {
		hosts, err = lab.AskBMCs(ctx, q.Hosts, q.Active, heard)
	}
	side.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	return preflight.New(j.Lab, q.Choice.Hosts(hosts), areas, lab.Now().Sub(began)), err
}

// asked are the workers and the areas that are asked. Who names workers asks about these alone, unless an area is named, too.
func asked(f *labs.Facts, q preflight.Questions) (workers, areas []string) {
	if q.Choice.Asks(preflight.BMC) {
		if workers = q.Hosts; len(workers) == 0 {
			for _, w := range f.Workers {
				workers = append(workers, w.Name)
			}
		}
	}
	for _, area := range site.Areas() {
		if q.Choice.Asks(area) && (q.Choice != nil || len(q.Hosts) == 0) {
			areas = append(areas, area)
		}
	}
	return workers, areas
}
