package preflight

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/redfish"
)

// TestFollow has a worker and areas leave the board once all that is asked of them was heard of, and not by what is heard of
// twice or was asked only because another check needs it.
func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name   string
		active *redfish.Active
		choice Choice
		area   []string // the ids that the area dns is done after
	}{
		{"read-only", nil, nil, idsOf("dns")},
		{"active", &redfish.Active{}, nil, idsOf("dns")},
		{"chosen", nil, Choice{BMC: {"reset"}, "dns": idsOf("dns")[1:2]}, idsOf("dns")[1:2]},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			frozen := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			f := Questions{Active: c.active, Choice: c.choice, Board: func(names []string) *progress.Board {
				return progress.NewBoard(&out, names, progress.TerminalOptions{Still: true, Now: func() time.Time { return frozen }, Size: func() (int, int) { return 80, 20 }})
			}}.Follow([]string{"worker0"}, []string{"dns"})
			defer f.Close()
			asked := func() string {
				drawn := out.String()
				line, _, _ := strings.Cut(drawn[strings.LastIndex(drawn, " of 2 asked")-1:], " asked")
				return line
			}
			last := redfish.Catalogue()
			if c.active != nil {
				last = redfish.ActiveCatalogue()
			}
			for _, check := range bmcChecks() {
				if check.ID == last[len(last)-1].ID {
					break
				}
				f.Heard("worker0", redfish.Result{ID: check.ID})
				f.Heard("worker0", redfish.Result{ID: check.ID})
			}
			if got := asked(); got != "0 of 2" {
				t.Errorf("before the worker's last check: %s", got)
			}
			f.Heard("worker0", redfish.Result{ID: last[len(last)-1].ID})
			if got := asked(); got != "1 of 2" {
				t.Errorf("after it: %s", got)
			}
			f.Heard("dns", redfish.Result{ID: "what-it-needs"})
			if got := asked(); got != "1 of 2" {
				t.Errorf("after what was not chosen: %s", got)
			}
			for _, id := range c.area {
				f.Heard("dns", redfish.Result{ID: id})
			}
			if drawn := out.String(); strings.LastIndex(drawn, "\x1b[J") < strings.LastIndex(drawn, " asked") {
				t.Errorf("after all, it shows %q", drawn)
			}
		})
	}
}

func idsOf(area string) []string {
	var ids []string
	for _, c := range named(area) {
		ids = append(ids, c.ID)
	}
	return ids
}
