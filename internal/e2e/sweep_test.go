package e2e

import (
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
