package kube

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
)

// stale is the error of an object that was written since it was judged: by another
// lab, whose mark may change what becomes of it, or by an operator.
type stale struct{ ref Ref }

// Error names the object.
func (s *stale) Error() string { return s.ref.String() + " was written since it was judged" }

// fresh says that an object is still what was judged, as far as that matters.
func (t *task) fresh(u *unstructured.Unstructured) bool {
	return t.Version == "" || u != nil && u.GetResourceVersion() == t.Version
}

// another says that an object is not the one that is meant, but one of its name.
func (t *task) another(u *unstructured.Unstructured) bool {
	return t.UID != "" && t.UID != string(u.GetUID())
}

// bringAll asks the step for what must exist and brings it about. What was written
// since it was judged is read and judged anew, until ctx ends.
func (r *run) bringAll(ctx, watching context.Context) error {
	times := 0
	for b := backoff(); ; times++ {
		intents, err := r.objects(ctx, watching)
		if err != nil {
			return err
		}
		var late *stale
		if err = r.bringAbout(ctx, intents); !errors.As(err, &late) {
			return err
		}
		r.scope.Progress(staleReport(late.ref, r.view.get(late.ref), times+1))
		if err := r.pause(ctx, b.Step()); err != nil {
			return err
		}
		if err := r.readAnew(ctx, late.ref); err != nil {
			return err
		}
	}
}

// readAnew reads all again that the step looks at or brings about; a kind that is not
// served may come with the latter. The object that others write is read last: the less
// time passes until it is changed, the sooner that succeeds.
func (r *run) readAnew(ctx context.Context, last Ref) error {
	if err := r.readInventories(ctx); err != nil {
		return err
	}
	last.Optional = true
	var refs []Ref
	for _, ref := range r.view.refs() {
		if ref.Optional = true; ref.key() != last.key() {
			refs = append(refs, ref)
		}
	}
	if err := r.readEach(ctx, append(refs, last)); err != nil {
		return err
	}
	return r.follow(ctx)
}

func staleReport(ref Ref, u *unstructured.Unstructured, times int) event.Report {
	report := event.Report{Title: ref.String() + " was written since it was judged: it is read and judged anew",
		Next: fmt.Sprintf("see who writes it that often: oc get %s -o yaml --show-managed-fields", GetArguments(ref))}
	report.Lines = []event.Line{{Label: "times", Text: strconv.Itoa(times)}}
	if u == nil {
		report.Title, report.Next = ref.String()+" is gone since it was judged: all is read and judged anew", "see whether it is there again: oc get "+GetArguments(ref)
		return report
	}
	report.Lines = append(report.Lines, event.Line{Label: "writers", Text: ownersOf(u)})
	return report
}
