package e2e

import (
	"sync/atomic"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	"github.com/labrun/labrun/steps/kube"
)

// undisturbed is the life of a lab that nobody killed a command of: what its run left,
// and the boundaries that its commands passed.
type undisturbed struct {
	objects               map[string]string
	changes               map[string]int
	run, rebuild, destroy []string
}

func undisturbedLife(t *testing.T) *undisturbed {
	t.Helper()
	u := &undisturbed{}
	m := u.begin(t)
	passed := func(doing ...string) []string {
		m.survives(t, nil, doing...)
		return m.cut.passed
	}
	u.run = passed("run")
	u.objects, u.changes = m.snapshot(t), m.changes(t)
	u.rebuild = passed("rebuild", "--from", "hosted")
	u.destroy = passed("destroy")
	m.wantGone(t, outcome{})
	return u
}

// mortal is a lab whose commands are killed, and what it was before.
type mortal struct {
	*lab
	cut    *cut
	t      *testing.T
	u      *undisturbed
	before map[string]string
}

func (u *undisturbed) begin(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{lab: start(t, connected, sim.Options{}), t: t, u: u}
	m.before = m.hub(t)
	m.cut = newCut(t, m.lab)
	return m
}

// lead leads one life after the other, and gives up at one that does not end as it
// should: the next ones want another lab. more says whether some are left.
func (m *mortal) lead(lives []life, next, kills *atomic.Int64) (more bool) {
	for {
		n := next.Add(1) - 1
		if n >= int64(len(lives)) {
			return false
		}
		if !m.live(lives[n], kills) {
			return true
		}
	}
}

// live builds the lab and takes it apart, and says whether all was as it should be.
func (m *mortal) live(l life, kills *atomic.Int64) bool {
	m.state, m.began = m.t.TempDir(), len(writes(m.t, m.Hub()))
	if !m.part(l.run, kills, m.wantBuilt, "run") {
		return false
	}
	for _, b := range l.rebuilds {
		if !m.part(&b, kills, m.wantRebuilt, "rebuild", "--from", "hosted") {
			return false
		}
	}
	return m.part(l.destroy, kills, m.wantGone, "destroy")
}

// part is one command, which is struck and comes to its end at last.
func (m *mortal) part(b *blow, kills *atomic.Int64, holds func(*testing.T, outcome), doing ...string) bool {
	name := doing[0]
	if b != nil {
		name += " killed " + b.name
	}
	whole := m.t.Run(name, func(t *testing.T) {
		n, last := m.survives(t, b, doing...)
		kills.Add(int64(n))
		holds(t, last)
	})
	if whole && b != nil {
		noteStruck(m.t, doing[0], b.name)
	}
	return whole
}

// survives lets a command be struck, and then lets it come to its end.
func (m *mortal) survives(t *testing.T, b *blow, doing ...string) (kills int, last outcome) {
	t.Helper()
	never := func(string) bool { return false }
	m.cut.afresh(never, doing...)
	if b != nil {
		kills = b.kill(t, m.lab, m.cut)
		m.cut.afresh(never, doing...)
	}
	last, _ = m.cut.once(t, m.lab)
	m.read(t, &last)
	return kills, last.must(t, 0)
}

func (m *mortal) wantBuilt(t *testing.T, last outcome) {
	t.Helper()
	m.wantContinued(t, last, m.u.objects, m.u.changes)
}

func (m *mortal) wantRebuilt(t *testing.T, _ outcome) {
	t.Helper()
	m.wantObjects(t, m.u.objects)
	m.wantFiles(t)
}

func (m *mortal) wantGone(t *testing.T, _ outcome) {
	t.Helper()
	wantBefore(t, m.before, m.hub(t))
	m.sweepUp(t)
}

// sweepUp deletes the namespaces that a destroy leaves: the next life begins as the first
// one, but for definitions of kinds.
func (m *mortal) sweepUp(t *testing.T) {
	t.Helper()
	c := playtest.Client(t, m.Hub().Config())
	for _, name := range []string{kube.InventoryNamespace, "hive"} {
		namespace := obj.New("v1", "Namespace", "", name)
		if err := client.IgnoreNotFound(c.Delete(t.Context(), namespace)); err != nil {
			t.Fatal(err)
		}
		playtest.Gone(t, c, namespace)
	}
}
