package e2e

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// halfBuilt is after how many kills a lab is planned.
const halfBuilt = 40

// killedEverywhere kills one run after the other with SIGKILL, each at a wanted
// boundary at which none was killed before, until one ends by itself. What the lab
// holds then is what an undisturbed run leaves, and labrun changed nothing twice.
func killedEverywhere(t *testing.T, wanted func(string) bool, objects map[string]string, changes map[string]int) {
	t.Helper()
	l := start(t, connected, sim.Options{})
	c := newCut(t, l)
	c.wanted = wanted
	made := map[string]string{}
	began, kills := time.Now(), 0
	for {
		o, killed := c.once(t, l)
		l.wantSecretsKept(t, made, killed)
		if killed == "" {
			l.read(t, &o)
			l.wantContinued(t, o, objects, changes)
			break
		}
		if kills++; kills == halfBuilt {
			l.wantHalfPlan(t)
		}
	}
	t.Logf("killed %d times, each time at another of %d boundaries, in %s", kills, len(c.seen), took(time.Since(began)))
	if kills < 60 || len(made) < 3 {
		t.Errorf("runs were killed at %d boundaries, and %d Secrets watched", kills, len(made))
	}
}

// wantSecretsKept holds the Secrets that labrun made against those of before.
func (l *lab) wantSecretsKept(t *testing.T, made map[string]string, killed string) {
	t.Helper()
	now := l.secretsMade(t)
	for name, was := range made {
		if now[name] != was {
			t.Fatalf("after %q: %s is another one", killed, name)
		}
	}
	for name, is := range now {
		made[name] = is
	}
}

// wantContinued looks at a lab whose runs were killed, and the last one was not.
func (l *lab) wantContinued(t *testing.T, last outcome, objects map[string]string, changes map[string]int) {
	t.Helper()
	last.must(t, 0)
	wantWhole(t, last)
	if left := last.status(event.Failed, event.Blocked, event.Cancelled); len(left) > 0 {
		t.Errorf("not done: %v", left)
	}
	l.wantFiles(t)
	l.wantAlike(t, objects, changes)
}

// TestSweep is the whole product, for make sweep: a run of its own, in a lab of its
// own, is killed at each boundary, and others at random moments. Each is continued.
func TestSweep(t *testing.T) {
	if *sweep == 0 {
		t.Skip("takes hours: make sweep")
	}
	undisturbed := start(t, connected, sim.Options{})
	undisturbed.run(t).must(t, 0)
	objects, changes := undisturbed.snapshot(t), undisturbed.changes(t)

	recorded := start(t, connected, sim.Options{})
	pass := newCut(t, recorded)
	pass.wanted = func(string) bool { return false }
	if o, _ := pass.once(t, recorded); o.exit != 0 {
		t.Fatalf("exit %d of a run that is not killed\n%s", o.exit, o.err)
	}
	var kills atomic.Int64
	for _, boundary := range pass.passed {
		t.Run(boundary, func(t *testing.T) {
			t.Parallel()
			l := start(t, connected, sim.Options{})
			c := newCut(t, l)
			c.wanted = func(name string) bool { return name == boundary }
			if _, killed := c.once(t, l); killed != boundary {
				t.Fatalf("killed at %q", killed)
			}
			kills.Add(1)
			l.continued(t, c, objects, changes)
		})
	}
	const each = 10 // moments in one lab
	for n := 0; n < *sweep; n += each {
		t.Run("random", func(t *testing.T) {
			t.Parallel()
			l := start(t, connected, sim.Options{})
			c := newCut(t, l)
			c.wanted = func(string) bool { return false }
			made := map[string]string{}
			for range min(each, *sweep-n) {
				moment := time.Duration(rand.Int64N(int64(4 * time.Second)))
				timer := time.AfterFunc(moment, c.now)
				_, killed := c.once(t, l)
				timer.Stop()
				if killed != "" {
					kills.Add(1)
				}
				l.wantSecretsKept(t, made, moment.String())
			}
			l.continued(t, c, objects, changes)
		})
	}
	t.Cleanup(func() {
		t.Logf("%d runs were killed: at each of %d boundaries, and at random moments", kills.Load(), len(pass.passed))
	})
}

// continued lets a run go on to its end.
func (l *lab) continued(t *testing.T, c *cut, objects map[string]string, changes map[string]int) {
	t.Helper()
	c.wanted = func(string) bool { return false }
	o, _ := c.once(t, l)
	l.read(t, &o)
	l.wantContinued(t, o, objects, changes)
}
