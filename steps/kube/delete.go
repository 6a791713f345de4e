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

// delete deletes the very object that was read. All objects of a step are deleted
// before the first one's end is awaited: one may hold another.
func (r *run) delete(ctx context.Context, t *task) error {
	before := r.view.get(t.ref)
	switch {
	case before == nil, before.GetDeletionTimestamp() != nil: // also where an interrupted run deleted it
		return nil
	case !t.fresh(before):
		return &stale{t.ref}
	case t.another(before): // somebody else made one of this name meanwhile
		return nil
	}
	if err := r.note(ctx, t); err != nil {
		return err
	}
	uid := before.GetUID()
	preconditions := &meta.Preconditions{UID: &uid}
	if t.Version != "" {
		preconditions.ResourceVersion = &t.Version
	}
	late := false
	err := r.effect(ctx, "delete", t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		propagation := meta.DeletePropagationBackground
		err := t.client.Delete(ctx, t.ref.Name, meta.DeleteOptions{Preconditions: preconditions, PropagationPolicy: &propagation})
		late = t.Version != "" && apierrors.IsConflict(err)
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or gone and another one made, or written
			return nil, false, nil
		}
		return nil, err == nil, err
	})
	if err == nil && late {
		return &stale{t.ref}
	}
	return err
}

// note enters what an undo has yet to know of an object that is about to go.
func (r *run) note(ctx context.Context, t *task) error {
	if len(t.Note) == 0 {
		return nil
	}
	if t.Shared {
		e := *t.Judged
		e.Note = t.Note
		done, err := r.replace(ctx, t, &e)
		if err == nil && !done {
			return &stale{t.ref}
		}
		return err
	}
	inventory, err := r.inventory(ctx, false)
	if err != nil {
		return err
	}
	e, there, err := r.entered(ctx, t, inventory)
	if err != nil || !there {
		return err
	}
	e.Note = t.Note
	return (&book{run: r}).write(ctx, map[string]*Entry{entryKey(r.hosted, t.ref): &e}, nil)
}

// awaitDeleted waits until all that was deleted is gone, and takes it out of the
// inventory.
func (r *run) awaitDeleted(ctx context.Context, all []*task) error {
	for _, t := range all {
		if t.How != Delete {
			continue
		}
		if going := r.view.get(t.ref); going != nil && (t.UID == "" || t.UID == string(going.GetUID())) {
			going = going.DeepCopy()
			if going.GetDeletionTimestamp() == nil {
				going.SetDeletionTimestamp(&meta.Time{Time: r.env.Now()})
			}
			if err := r.awaitGone(ctx, t, going); err != nil {
				return err
			}
		}
		if t.Enter {
			continue
		}
		if err := r.forget(ctx, t); err != nil {
			return err
		}
	}
	return nil
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
	look := time.NewTicker(heldEvery)
	defer look.Stop()
	var around []held // is asked of the whole namespace, so not at each change
	for {
		now := one.get(t.ref)
		if now == nil || now.GetUID() != going.GetUID() {
			break
		}
		r.scope.Progress(goingReport(t, now, around))
		select {
		case <-one.changed:
		case <-look.C:
			if namespace := t.around(); namespace != "" {
				around = r.cluster.heldIn(ctx, namespace)
			}
		case <-ctx.Done():
			return r.timedOut(ctx)
		}
	}
	err := r.insist(ctx, "reading", t.ref.String(), func(ctx context.Context) error { return r.view.read(ctx, t.ref) })
	return explain(r.cluster, "reading", t.ref.String(), r.manager, err)
}

// goingReport tells an object's end that is waited for: since when, what holds it,
// and what else is being deleted that it may wait for.
func goingReport(t *task, u *unstructured.Unstructured, around []held) event.Report {
	report := event.Report{Title: t.ref.String() + " is being deleted", Next: "oc get " + GetArguments(t.ref) + " -o yaml"}
	if since := u.GetDeletionTimestamp(); since != nil {
		report.Title += " since " + since.UTC().Format(time.RFC3339)
	}
	report.Lines = append(report.Lines, holders(u)...)
	for _, h := range around {
		report.Lines = append(report.Lines, event.Line{Label: "waits for", Text: h.text})
	}
	if len(around) > 0 {
		report.Next = "see why its owner does not let it go: oc get " + GetArguments(around[0].ref) + " -o yaml"
	}
	return report
}

// around is the namespace in which others may hold up the object's end, "" for none.
func (t *task) around() string {
	if t.ref.Kind == "Namespace" {
		return t.ref.Name
	}
	return t.Around
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
