package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/steps/kube"
)

// marks remember how far the servers' own logs went.
type marks struct {
	hub, hosted int
	bmc         map[int]int // by service
}

func (l *lab) hosted(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	cp := l.Hosted(l.facts.ControlPlaneNamespace())
	if cp == nil {
		t.Fatalf("no hosted API server of %s runs", l.facts.ControlPlaneNamespace())
	}
	return cp
}

func writes(t *testing.T, cp *controlplane.ControlPlane) []controlplane.Write {
	t.Helper()
	all, err := cp.Writes()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (l *lab) mark(t *testing.T) marks {
	t.Helper()
	asked, err := l.BMCRequests()
	if err != nil {
		t.Fatal(err)
	}
	bmc := map[int]int{}
	for _, r := range asked {
		bmc[r.Service]++
	}
	return marks{len(writes(t, l.Hub())), len(writes(t, l.hosted(t))), bmc}
}

// ours says whether a write is labrun's: by its agent, and for whom it does not
// name itself by the user of its kubeconfig.
func ours(w controlplane.Write) bool {
	return strings.HasPrefix(w.Agent, "labrun") || w.User == "admin" || w.User == "system:admin"
}

// tenure says whether a write is to the Lease that the lab's own run holds: it is
// made when a run begins, renewed while it lives, and deleted at its end.
func (l *lab) tenure(w controlplane.Write) bool {
	return w.Resource == "leases" && w.Namespace == kube.InventoryNamespace && w.Name == kube.LeaseName(l.facts.Name) &&
		(w.Verb == "create" || w.Verb == "update" || w.Verb == "delete")
}

// wantUntouched holds the servers' own logs since a mark against the claim that
// a run changed nothing: no BMC, and no resourceVersion but that of its Lease,
// which it made and took away again.
func (l *lab) wantUntouched(t *testing.T, since marks) {
	t.Helper()
	tenure := map[string]int{}
	for name, log := range map[string][]controlplane.Write{
		"management cluster": writes(t, l.Hub())[since.hub:],
		"hosted cluster":     writes(t, l.hosted(t))[since.hosted:],
	} {
		asked, changed := map[string]int{}, 0
		for _, w := range log {
			if !ours(w) {
				continue
			}
			kind := w.Verb
			if w.DryRun {
				kind += " (dry run)"
			}
			asked[kind]++
			if w.Changed && l.tenure(w) {
				tenure[w.Verb]++
				continue
			}
			if w.Changed {
				changed++
			}
			if w.Changed || w.Code >= 300 {
				t.Errorf("%s: %s %s %s/%s by %s answered %d, changed %t", name, w.Verb, w.Resource, w.Namespace, w.Name, w.Agent, w.Code, w.Changed)
			}
		}
		t.Logf("%s, by its own log: labrun asked for %v; %d of them changed a resourceVersion", name, asked, changed)
	}
	if tenure["create"] != 1 || tenure["delete"] != 1 {
		t.Errorf("the Lease of %s was written as %v, want one create and one delete", l.facts.Name, tenure)
	}
	all, err := l.BMCRequests()
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	for _, r := range all {
		if since.bmc[r.Service]--; since.bmc[r.Service] >= 0 {
			continue
		}
		asked[r.Method+" "+r.Code]++
		if !reads(r) {
			t.Errorf("a BMC was asked %s %s (%s)", r.Method, r.Path, r.Code)
		}
	}
	if len(asked) == 0 {
		t.Error("no BMC was asked anything")
	}
	t.Logf("BMCs, by their own log: %v", asked)
}

// reads says whether a request can change nothing but a session.
func reads(r sim.BMCRequest) bool {
	return slices.Contains([]string{"GET", "HEAD"}, r.Method) || strings.Contains(r.Path, "/SessionService/Sessions")
}
