package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/redfish"
)

// AskBMCs asks the BMCs of the named workers, of all where none is named, outside
// of a run. The reports stand in the lab file's order.
func (l *Lab) AskBMCs(ctx context.Context, names []string) ([]redfish.Report, error) {
	var known []string
	var hosts []labs.Worker
	for _, w := range l.facts.Workers {
		known = append(known, w.Name)
		if len(names) == 0 || slices.Contains(names, w.Name) {
			hosts = append(hosts, w)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &unknownWorker{name, source.DidYouMean(name, known)}
		}
	}
	return Preflight{Hosts: hosts}.ask(ctx, l, nil)
}

// unknownWorker is the error of a name that no worker has.
type unknownWorker struct{ name, hint string }

func (e *unknownWorker) Error() string {
	if e.hint == "" {
		return fmt.Sprintf("the lab has no worker %q", e.name)
	}
	return fmt.Sprintf("the lab has no worker %q\n  %s", e.name, e.hint)
}

// ExitCode is the class of wrong usage.
func (*unknownWorker) ExitCode() int { return 2 }
