package pipeline

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

// collected gives what the stream tells of evidence, in order.
func collected(r *recorder) []string {
	var told []string
	for _, e := range r.events {
		switch e.Type {
		case event.StepFinished:
			told = append(told, e.Step+" "+string(e.Result.Status))
		case event.StepEvidence:
			told = append(told, e.Step+" "+e.Evidence.Page)
		}
	}
	return told
}

// The evidence of a failure is told after the failure, and that of nothing else.
func TestCollect(t *testing.T) {
	r := &recorder{}
	o := runOptions(r, fixed{}, does{"a": fails("no")})
	o.Evidence = func(step, _ string) string { return "/evidence/" + step }
	o.Collect = func(_ context.Context, f Failure) *event.Evidence {
		if f.Uses != "test/act" || f.Result.Report.Title != "no" || f.Witness != nil {
			t.Errorf("collected %+v", f)
		}
		return &event.Evidence{Page: f.Dir + "/why.md"}
	}
	if _, err := steps("a", "b < a", "c").Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := "a failed, a /evidence/a/why.md"
	if told := strings.Join(collected(r), ", "); !strings.Contains(told, "a failed") || !strings.Contains(told, "a /evidence/a/why.md") ||
		strings.Index(told, "a failed") > strings.Index(told, "a /evidence") || strings.Count(told, "/evidence/") != 1 {
		t.Errorf("told %q, want %q in it", told, want)
	}
}

// A collector has its time, not more: one that heeds its context keeps what it
// has, one that does not is left behind.
func TestCollectIsLimited(t *testing.T) {
	for name, c := range map[string]struct {
		collect Collector
		takes   time.Duration
		told    []string
	}{
		"heeds its context": {func(ctx context.Context, _ Failure) *event.Evidence {
			<-ctx.Done()
			return &event.Evidence{Page: "what there is"}
		}, 18 * time.Second, []string{"a failed", "a what there is"}},
		"hangs": {func(context.Context, Failure) *event.Evidence {
			time.Sleep(time.Hour)
			return nil
		}, 20 * time.Second, []string{"a failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{}
				o := runOptions(r, fixed{}, does{"a": fails("no")})
				o.Collect = c.collect
				summary, err := steps("a").Run(t.Context(), o)
				if err != nil || summary.Exit != ExitFailed || summary.Duration != c.takes {
					t.Errorf("%+v, %v; want %v", summary, err, c.takes)
				}
				if d := cmp.Diff(c.told, collected(r)); d != "" {
					t.Errorf("told (-want +got):\n%s", d)
				}
				time.Sleep(time.Hour) // until the one that hangs is over
			})
		})
	}
}
