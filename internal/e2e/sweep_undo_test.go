package e2e

import (
	"hash/fnv"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// TestKilledUndo builds a lab and kills its rebuilds: the lab is as it was built. Then it
// kills its destroys: the hub is as it was before at last. Rebuilds are killed at the end
// of each step of their destroy, and where there is the time at many more boundaries.
func TestKilledUndo(t *testing.T) {
	t.Parallel()
	l := start(t, connected, sim.Options{})
	before := l.hub(t)
	l.run(t).must(t, 0)
	objects := l.snapshot(t)
	killed := *l // by another way to the hub
	c := newCut(t, &killed)
	rebuilds := func(name string) bool { return endsUndo(name) || oneIn(48, name) }
	if *further {
		rebuilds = func(name string) bool {
			return oneSide(name) && (endsUndo(name) || strings.Contains(name, " DELETE ") || oneIn(12, name))
		}
	}
	c.killedRebuilds(t, &killed, rebuilds, objects)
	c.killedDestroys(t, &killed, oneSide)
	if changed := l.destroy(t).must(t, 0).status(event.Changed); len(changed) > 0 {
		t.Errorf("destroyed, and there was something left to do: %v", changed)
	}
	wantBefore(t, before, l.hub(t))
}

// killedDestroys kills the destroys of a lab as killedEverywhere its runs, until one ends
// by itself.
func (c *cut) killedDestroys(t *testing.T, l *lab, wanted func(string) bool) {
	t.Helper()
	c.afresh(wanted, "destroy")
	began := time.Now()
	kills := c.untilItEnds(t, l)
	t.Logf("destroy: killed %d times, each time at another of %d boundaries, in %s", kills, len(c.seen), took(time.Since(began)))
	if kills < 30 {
		t.Errorf("destroys were killed at %d boundaries", kills)
	}
}

// killedRebuilds kills the rebuilds of a finished lab. Where one is killed in what it
// builds, the next one destroys that first.
func (c *cut) killedRebuilds(t *testing.T, l *lab, wanted func(string) bool, objects map[string]string) {
	t.Helper()
	c.afresh(wanted, "rebuild", "--from", "hosted")
	began := time.Now()
	kills := c.untilItEnds(t, l)
	t.Logf("rebuild: killed %d times, each time at another of %d boundaries, in %s", kills, len(c.seen), took(time.Since(began)))
	if kills < 15 {
		t.Errorf("rebuilds were killed at %d boundaries", kills)
	}
	l.wantObjects(t, objects)
	l.wantFiles(t)
}

// endsUndo is true of the end of each step of a rebuild's destroy.
func endsUndo(name string) bool { return strings.HasPrefix(name, "end of destroy/") }

// afresh lets another command be killed, also at boundaries that were reached.
func (c *cut) afresh(wanted func(string) bool, doing ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doing, c.wanted, c.seen = doing, wanted, map[string]bool{}
}

// untilItEnds runs the command again and again until it is not killed, and counts the
// kills.
func (c *cut) untilItEnds(t *testing.T, l *lab) int {
	t.Helper()
	for kills := 0; ; kills++ {
		o, killed := c.once(t, l)
		if killed != "" {
			t.Logf("%s killed at %s", c.doing[0], killed)
			continue
		}
		l.read(t, &o)
		o.must(t, 0)
		if left := o.status(event.Failed, event.Blocked, event.Cancelled); len(left) > 0 {
			t.Errorf("not done: %v", left)
		}
		return kills
	}
}

// oneIn is true of one boundary in n, always the same ones.
func oneIn(n uint32, name string) bool {
	sum := fnv.New32a()
	_, _ = io.WriteString(sum, name)
	return sum.Sum32()%n == 0
}
