package e2e

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim"
)

// killed is a command that TestSweep kills.
type killed struct {
	doing   []string
	built   bool          // it begins with a finished lab
	lasts   time.Duration // about, for random moments
	holds   func(t *testing.T, l *lab, last outcome, u *undisturbed)
	secrets bool // what was generated stays
}

// undisturbed is what a lab is that nobody killed a run of.
type undisturbed struct {
	objects map[string]string
	changes map[string]int
}

func killedCommands() []killed {
	return []killed{
		{doing: []string{"run"}, lasts: 4 * time.Second, secrets: true, holds: func(t *testing.T, l *lab, last outcome, u *undisturbed) {
			l.wantContinued(t, last, u.objects, u.changes)
		}},
		{doing: []string{"rebuild", "--from", "hosted"}, built: true, lasts: 20 * time.Second, holds: func(t *testing.T, l *lab, last outcome, u *undisturbed) {
			last.must(t, 0)
			l.wantObjects(t, u.objects)
			l.wantFiles(t)
		}},
		{doing: []string{"destroy"}, built: true, lasts: 4 * time.Second, holds: func(t *testing.T, l *lab, last outcome, _ *undisturbed) {
			last.must(t, 0)
		}},
	}
}

// TestSweep is the whole product, for make sweep: each command is killed at each
// boundary in a lab of its own, and in others at random moments, so many of a run and
// a quarter of the others. Each is continued by the same command.
func TestSweep(t *testing.T) {
	if *sweep == 0 && !*boundaries {
		t.Skip("takes hours: make sweep")
	}
	first := start(t, connected, sim.Options{})
	first.run(t).must(t, 0)
	u := &undisturbed{objects: first.snapshot(t), changes: first.changes(t)}
	for n, k := range killedCommands() {
		moments := *sweep
		if n > 0 {
			moments /= 4
		}
		t.Run(k.doing[0], func(t *testing.T) { k.sweep(t, u, moments) })
	}
}

func (k killed) sweep(t *testing.T, u *undisturbed, moments int) {
	var kills atomic.Int64
	var passed []string
	if *boundaries {
		passed = k.passed(t)
	}
	for _, boundary := range passed {
		t.Run(boundary, func(t *testing.T) {
			t.Parallel()
			k.in(t, u, func(l *lab, c *cut) {
				c.afresh(func(name string) bool { return name == boundary }, k.doing...)
				if _, at := c.once(t, l); at != boundary {
					t.Fatalf("killed at %q", at)
				}
				kills.Add(1)
			})
		})
	}
	const each = 10 // moments in one lab
	for n := 0; n < moments; n += each {
		t.Run("random", func(t *testing.T) {
			t.Parallel()
			k.in(t, u, func(l *lab, c *cut) {
				made := map[string]string{}
				for range min(each, moments-n) {
					moment := time.Duration(rand.Int64N(int64(k.lasts)))
					timer := time.AfterFunc(moment, c.now)
					_, at := c.once(t, l)
					timer.Stop()
					if at != "" {
						kills.Add(1)
					}
					if k.secrets {
						l.wantSecretsKept(t, made, moment.String())
					}
				}
			})
		})
	}
	t.Cleanup(func() {
		t.Logf("%s was killed %d times: at boundaries, of which there are %d, and at %d random moments", k.doing[0], kills.Load(), len(passed), moments)
	})
}

// passed are the boundaries of a command that is not killed.
func (k killed) passed(t *testing.T) []string {
	t.Helper()
	l, c, _ := k.begin(t)
	if o, _ := c.once(t, l); o.exit != 0 {
		t.Fatalf("exit %d of a %s that is not killed\n%s", o.exit, k.doing[0], o.err)
	}
	return c.passed
}

// begin starts a lab that the command begins with, and a way to it that can be cut.
func (k killed) begin(t *testing.T) (l *lab, c *cut, before map[string]string) {
	t.Helper()
	l = start(t, connected, sim.Options{})
	before = l.hub(t)
	if k.built {
		l.run(t).must(t, 0)
	}
	c = newCut(t, l)
	c.afresh(func(string) bool { return false }, k.doing...)
	return l, c, before
}

// in lets kill have its way with a lab, continues what it left, and looks at that.
func (k killed) in(t *testing.T, u *undisturbed, kill func(*lab, *cut)) {
	t.Helper()
	l, c, before := k.begin(t)
	kill(l, c)
	c.afresh(func(string) bool { return false }, k.doing...)
	o, _ := c.once(t, l)
	l.read(t, &o)
	k.holds(t, l, o, u)
	if k.doing[0] == "destroy" {
		wantBefore(t, before, l.hub(t))
	}
}
