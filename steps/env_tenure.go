package steps

import (
	"context"

	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/steps/kube"
)

// Keep makes the tenure by which a run of this process holds the lab on the
// management cluster. It is called before the first step; without it nothing is
// held.
func (l *Lab) Keep(self holder.Holder) *kube.Tenure {
	l.tenure = kube.NewTenure(l.facts.Name, l.Hub, self, kube.TenureOptions{})
	return l.tenure
}

// Hold makes sure that this run holds the lab. It asks the server at the first
// call only.
func (l *Lab) Hold(ctx context.Context) error {
	if l.tenure == nil {
		return nil
	}
	return l.tenure.Take(ctx)
}
