package pipeline

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/labrun/labrun/pipeline/event"
)

func TestRunCancelled(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, tc := range []struct {
		cause error
		exit  int
	}{{nil, 130}, {coded{143}, 143}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		r := &recorder{}
		do := does{"a": func(ctx context.Context, e *env) error {
			e.scope.Progress(event.Report{Title: "waiting for it"})
			cancel(tc.cause)
			<-ctx.Done()
			return ctx.Err()
		}, "x": fails("before")}
		o := runOptions(r, fixed{items: map[string][]string{"h": {"w0"}}}, do)
		o.Parallel = 1
		summary, err := steps("x", "a", "h*", "c < a", "y < x").Run(ctx, o)
		if err != nil || summary.Exit != tc.exit {
			t.Errorf("%v, %v; want exit %d", summary, err, tc.exit)
		}
		reason := "interrupted"
		if tc.cause != nil {
			reason = tc.cause.Error()
		}
		want := []string{"a cancelled: " + reason + ": waiting for it", "c cancelled: " + reason, "h[w0] cancelled: " + reason, "x failed: before", "y blocked: needs x, which failed"}
		if d := cmp.Diff(want, r.results()); d != "" {
			t.Errorf("results (-want +got):\n%s", d)
		}
	}
}

// A step that fails for a reason of its own while the run is being interrupted
// has failed: the reason is told.
func TestRunFailsWhileInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{}
	do := does{"a": func(context.Context, *env) error {
		cancel()
		return &Report{Report: event.Report{Title: "HTTP 401 from the BMC"}}
	}}
	if _, err := steps("a").Run(ctx, runOptions(r, fixed{}, do)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a failed: HTTP 401 from the BMC"}, r.results()); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
}
