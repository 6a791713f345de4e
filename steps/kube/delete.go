package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
)

// delete deletes the very object that was read, and waits until it is gone.
func (r *run) delete(ctx context.Context, t *task) error {
	before := r.view.get(t.ref)
	if before == nil { // also where an interrupted run deleted it
		return r.forget(ctx, t)
	}
	if before.GetDeletionTimestamp() != nil {
		if err := r.awaitGone(ctx, t, before); err != nil {
			return err
		}
		return r.forget(ctx, t)
	}
	uid := before.GetUID()
	err := r.effect(ctx, "delete", t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		propagation := meta.DeletePropagationBackground
		err := t.client.Delete(ctx, t.ref.Name, meta.DeleteOptions{
			Preconditions: &meta.Preconditions{UID: &uid}, PropagationPolicy: &propagation})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or gone and another one made
			return nil, false, nil
		}
		return nil, err == nil, err
	})
	if err != nil {
		return err
	}
	before = before.DeepCopy()
	before.SetDeletionTimestamp(&meta.Time{Time: r.env.Now()})
	if err := r.awaitGone(ctx, t, before); err != nil {
		return err
	}
	return r.forget(ctx, t)
}

// awaitGone waits until an object that is being deleted is gone; it returns at
// once for one that is not.
func (r *run) awaitGone(ctx context.Context, t *task, going *unstructured.Unstructured) error {
	if going == nil || going.GetDeletionTimestamp() == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	one := newView(r.cluster)
	one.add(t.ref)
	one.put(t.ref, going)
	defer one.group.Wait()
	defer cancel()
	one.watch(ctx)
	for {
		now := one.get(t.ref)
		if now == nil || now.GetUID() != going.GetUID() {
			break
		}
		r.scope.Progress(goingReport(t.ref, now))
		select {
		case <-one.changed:
		case <-ctx.Done():
			return r.timedOut(ctx)
		}
	}
	err := r.insist(ctx, "reading", t.ref.String(), func(ctx context.Context) error { return r.view.read(ctx, t.ref) })
	return explain(r.cluster, "reading", t.ref.String(), r.manager, err)
}

func goingReport(ref Ref, u *unstructured.Unstructured) event.Report {
	report := event.Report{Title: ref.String() + " is being deleted"}
	if since := u.GetDeletionTimestamp(); since != nil {
		report.Lines = append(report.Lines, event.Line{Label: "since", Text: since.UTC().Format(time.RFC3339)})
	}
	if held := u.GetFinalizers(); len(held) > 0 {
		report.Lines = append(report.Lines, event.Line{Label: "held by", Text: strings.Join(held, ", ")})
		report.Next = fmt.Sprintf("look at what each of these finalizers waits for: oc get %s -o yaml", GetArguments(ref))
	}
	return report
}

// GetArguments are those of oc get for an object.
func GetArguments(ref Ref) string {
	kind := strings.ToLower(ref.Kind)
	if g := ref.kind().Group; g != "" {
		kind += "." + g
	}
	if ref.Namespace != "" {
		return fmt.Sprintf("-n %s %s %s", ref.Namespace, kind, ref.Name)
	}
	return kind + " " + ref.Name
}
