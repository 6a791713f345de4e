package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
)

// mostTold is how many BMCs are still asked when each that has answered is told:
// of more, just every so manieth, or the journal of a thousand would be long.
const mostTold = 20

// following tells how far a pre-flight is, each time that a BMC has answered all:
// whose has not yet, and what was found to be wrong so far. It is what a timeout
// reports.
func (s Preflight) following(ctx context.Context, env *Env) func(host string, result redfish.Result) {
	var unasked []string
	for _, w := range s.Hosts {
		unasked = append(unasked, w.Name)
	}
	var wrong []event.Line
	tell := func() {
		r := event.Report{Title: fmt.Sprintf("%d of %s asked", len(s.Hosts)-len(unasked), count(len(s.Hosts), "BMC")), Lines: slices.Clone(wrong)}
		if len(unasked) > 0 {
			r.Lines = append([]event.Line{{Label: "still asked", Text: names(unasked)}}, r.Lines...)
			r.Next = "labrun preflight LAB --host " + strings.Join(unasked[:min(len(unasked), fewNames)], " --host ")
		}
		env.Scope().Progress(r)
	}
	tell()
	asked := redfish.Catalogue()
	if s.Active {
		asked = redfish.ActiveCatalogue()
	}
	last := asked[len(asked)-1].ID
	return func(host string, result redfish.Result) {
		if ctx.Err() != nil { // what is told from here on was not asked
			return
		}
		if result.Status == redfish.Fail {
			wrong = append(wrong, event.Line{Label: host, Text: result.ID + ": " + result.Seen})
		}
		if result.ID == last {
			unasked = slices.DeleteFunc(unasked, func(name string) bool { return name == host })
			if len(unasked) < mostTold || len(unasked)%mostTold == 0 {
				tell()
			}
		}
	}
}
