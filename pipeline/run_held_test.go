package pipeline

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// A run whose lab may be another run's begins nothing more: no step, no effect,
// and no finally step, which an interruption alone would leave.
func TestRunThatLosesItsLab(t *testing.T) {
	defer goleak.VerifyNone(t)
	held, lose := context.WithCancelCause(t.Context())
	r := &recorder{}
	begun := false
	do := does{"a": func(ctx context.Context, e *env) error {
		lose(coded{4})
		<-ctx.Done()
		return e.scope.Do(ctx, "delete", "x", func(context.Context) (bool, string, error) { begun = true; return true, "", nil })
	}}
	p := steps("a", "b < a", "last")
	p.Steps[2].Stage = Finally
	o := runOptions(r, fixed{}, do)
	o.Held = held
	summary, err := p.Run(t.Context(), o)
	if err != nil || summary.Exit != 4 || begun {
		t.Errorf("%v, %v, an effect begun: %t; want exit 4 and none", summary, err, begun)
	}
	reason := coded{4}.Error()
	want := []string{"a cancelled: " + reason, "b cancelled: " + reason, "last cancelled: " + reason}
	if d := cmp.Diff(want, r.results()); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
}
