package traps

import (
	"slices"
	"sync"
	"testing"

	"github.com/labrun/labrun/internal/sim"
)

// atOnce is how many labs of one site run side by side: they wait more than they work.
const atOnce = 8

func butFor(list, left []string) []string {
	return slices.DeleteFunc(list, func(id string) bool { return slices.Contains(left, id) })
}

// TestTraps runs the traps of single labs, which share one management cluster that is ready for them.
func TestTraps(t *testing.T) {
	rows := append(hostedRows(), workerRows()...)
	s := newSite(t, 11, sim.Options{Speed: 1000, Delays: pace()})
	t.Parallel() // two management clusters are better started one after the other
	s.install(t, row{steps: hubSteps()})
	sideBySide(t, s, rows)
}

// sideBySide runs rows of labs that do not touch each other, and checks them in their order.
func sideBySide(t *testing.T, s *site, rows []row) {
	t.Helper()
	var running sync.WaitGroup
	tries, outcomes, free := make([]*try, len(rows)), make([]outcome, len(rows)), make(chan struct{}, atOnce)
	for i, r := range rows {
		tries[i] = s.try(t, r)
	}
	for i := range rows {
		running.Go(func() {
			free <- struct{}{}
			outcomes[i] = tries[i].outcome()
			<-free
		})
	}
	running.Wait()
	for i, r := range rows {
		t.Run(r.trap, func(t *testing.T) {
			r.check(t, tries[i], outcomes[i])
			t.Log("\n" + r.tell(outcomes[i]))
		})
	}
}

// TestTrapsOfTheHub runs the traps of what all labs of a management cluster share, one after the other, while the
// cluster gets its operators.
func TestTrapsOfTheHub(t *testing.T) {
	s := newSite(t, 3, sim.Options{Speed: 1000, Delays: pace()})
	t.Parallel()
	inOrder(t, s, beforeOperators()...)
	removes(subscription, group("second"))(s.try(t, row{}))
	s.install(t, row{steps: []string{"mce_operator"}})
	inOrder(t, s, beforeEngine()...)
	s.install(t, row{steps: []string{"mce"}})
	inOrder(t, s, beforeFlags()...)
	s.install(t, row{steps: []string{"install_flags", "hypershift_operator", "provisioning"}})
	inOrder(t, s, withService()...)
	removes(agentService, registries)(s.try(t, row{}))
	s.install(t, row{
		steps: []string{"registries", "assisted_config", "agent_service"}, override: "  agent_service: {with: {patch: {spec: {mirrorRegistryRef: null}}}}",
		set: []string{`lab.agent_service.public_registries=["quay.io"]`},
	})
	inOrder(t, s, withoutMirrors(), withoutStorage())
}

func inOrder(t *testing.T, s *site, rows ...row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.trap, func(t *testing.T) {
			l := s.try(t, r)
			o := l.outcome()
			r.check(t, l, o)
			t.Log("\n" + r.tell(o))
		})
	}
}
