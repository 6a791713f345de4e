package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// halves are after which step a run of the connected lab is killed, from its first
// object to its last wait; three of them in every test run.
func halves() []string {
	if !*further {
		return []string{"mce[]", "hosted_cluster[]", "scale[]"}
	}
	return []string{
		"mce_operator[]", "mce[]", "agent_service[]", "namespaces[]", "etcd_key[]",
		"hosted_cluster[]", "infraenv[]", "host[worker0]", "scale[]", "installed[worker1]",
	}
}

// TestHalfBuilt kills runs of the lab, each further on, and destroys what they had
// built: the hub is as it was before, and the next run begins with it. The state
// folder is lost each second time.
func TestHalfBuilt(t *testing.T) {
	t.Parallel()
	l := start(t, connected, sim.Options{})
	before := l.hub(t)
	killed := *l // by another way to the hub than the destroys'
	c := newCut(t, &killed)
	for n, half := range halves() {
		c.afresh(func(name string) bool { return name == "end of "+half }, "run")
		if o, at := c.once(t, &killed); at == "" {
			t.Fatalf("it came to no end of %s: exit %d\n%s", half, o.exit, o.err)
		}
		built := l.hub(t)
		if n%2 == 1 {
			if err := os.RemoveAll(filepath.Join(l.state, l.facts.Name)); err != nil {
				t.Fatal(err)
			}
		}
		o := l.destroy(t).must(t, 0)
		t.Logf("killed at the end of %s, %d objects more than before; destroyed: %s", half, len(built)-len(before), o.told())
		if len(built) <= len(before) || !slices.Contains(o.status(event.Changed), "inventory") {
			t.Errorf("killed at the end of %s: nothing was there to destroy", half)
		}
		wantBefore(t, before, l.hub(t))
		if n == len(halves())-1 {
			l.wantOff(t)
		}
	}
}
