package e2e

import (
	"fmt"
	"testing"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// TestLabs builds labs that labrun brings, from an empty hub to their results, and
// tells what each took. TestConnectedLab builds ipv4-connected, TestTwoLabsOneHub
// ipv6-disconnected.
func TestLabs(t *testing.T) {
	t.Parallel()
	names := []string{"ipv6-connected", "dual-disconnected", "ipv4-disconnected", "dual-connected"}
	rows := make([]string, len(names))
	t.Run("all", func(t *testing.T) {
		for n, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l := start(t, "labs/"+name+".yaml", sim.Options{})
				o := l.run(t).must(t, 0)
				if left := o.status(event.Failed, event.Blocked, event.Cancelled); len(left) > 0 {
					t.Errorf("not done: %v", left)
				}
				l.wantFiles(t)
				c := o.Summary.Counts
				rows[n] = fmt.Sprintf("| %-17s | %3d | %7d | %7d | %6s |", name, c[event.OK]+c[event.Changed], c[event.Changed], c[event.Skipped], took(o.Summary.Duration))
			})
		}
	})
	t.Logf("%-19s | run | changed | skipped |   time |", "| lab")
	for _, row := range rows {
		t.Log(row)
	}
}
