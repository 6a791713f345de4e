package openshift

import (
	"context"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// operatorState is what the cluster-baremetal-operator says of itself.
type operatorState struct {
	available, progressing, degraded bool
	reason                           string
	message                          string // of Available, or of Degraded where it is so
	progress                         string // of Progressing
}

// report writes ClusterOperator baremetal; a cluster that has none is left so: the cluster version operator makes it.
func (b *bareMetal) report(ctx context.Context, s operatorState) error {
	was, err := obj.Get(ctx, b, obj.Config, "ClusterOperator", "", "baremetal")
	if err != nil || was == nil {
		return err
	}
	now := was.DeepCopy()
	available := obj.Condition{Type: "Available", Status: obj.Status(s.available), Reason: s.reason, Message: s.message}
	degraded := obj.Condition{Type: "Degraded", Status: obj.False}
	if s.degraded {
		available.Reason, available.Message = "", ""
		degraded = obj.Condition{Type: "Degraded", Status: obj.True, Reason: s.reason, Message: s.message}
	}
	for _, c := range []obj.Condition{
		available, degraded,
		{Type: "Progressing", Status: obj.Status(s.progressing), Reason: s.reason, Message: s.progress},
		{Type: "Upgradeable", Status: obj.True},
		{Type: "Disabled", Status: obj.False},
	} {
		obj.SetCondition(now, c)
	}
	return obj.WriteStatus(ctx, b, was, now)
}
