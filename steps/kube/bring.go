package kube

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// task is one intent that is being brought about.
type task struct {
	Intent
	ref    Ref
	wanted *unstructured.Unstructured // without what labrun itself writes on it
	patch  map[string]any             // of a merge: applied after its Change
	client dynamic.ResourceInterface
	found  bool // it was there before, and is taken over
}

// tasks makes the plain objects of intents, before anything is written.
func tasks(step Step, intents []Intent) ([]*task, error) {
	patch, err := patchFor(step)
	if err != nil {
		return nil, err
	}
	all := make([]*task, len(intents))
	primary := 0
	for i, intent := range intents {
		wanted, err := plain(intent.Object)
		if err != nil {
			return nil, err
		}
		all[i] = &task{Intent: intent, wanted: wanted, ref: RefTo(wanted)}
		if intent.Primary {
			primary = i
		}
	}
	switch {
	case len(patch) == 0:
	case len(all) == 0:
		return nil, errors.New("there is a patch, but this step has no object here that it could be merged into")
	case all[primary].How == Merge:
		all[primary].patch = patch
	default:
		mergePatch(all[primary].wanted.Object, patch)
		if got := RefTo(all[primary].wanted); got != all[primary].ref {
			return nil, fmt.Errorf("the patch makes %s into %s: a patch changes neither kind nor name", all[primary].ref, got)
		}
	}
	return all, nil
}

func patchFor(step Step) (map[string]any, error) {
	p, ok := step.(patcher)
	if !ok || len(p.patchOf()) == 0 {
		return nil, nil
	}
	patch, err := normalise(p.patchOf())
	if err != nil {
		return nil, fmt.Errorf("reading the patch: %w", err)
	}
	return patch, nil
}

// bringAbout makes the intents true, in their order: what is absent is entered in
// the inventory first, and its UID after all is done.
func (r *run) bringAbout(ctx context.Context, intents []Intent) error {
	all, err := tasks(r.step, intents)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		if err := r.hold(ctx); err != nil {
			return err
		}
	}
	for _, t := range all {
		err := r.insist(ctx, "reading", t.ref.String(), func(ctx context.Context) error { return r.view.read(ctx, t.ref) })
		if errors.Is(err, errNotServed) {
			r.view.add(t.ref)
			err = nil
		}
		if err != nil {
			return explain(r.cluster, "reading", t.ref.String(), r.manager, err)
		}
	}
	book, err := r.open(ctx, all)
	if err != nil {
		return err
	}
	var failed error
	for _, t := range all {
		if failed = r.bring(ctx, t, book); failed != nil {
			break
		}
	}
	if failed == nil {
		failed = r.awaitDeleted(ctx, all)
	}
	if err := book.close(ctx); err != nil && failed == nil {
		return err
	}
	return failed
}

func (r *run) bring(ctx context.Context, t *task, book *book) error {
	if err := r.awaitClient(ctx, t); err != nil {
		return explain(r.cluster, "reading", t.ref.String(), r.manager, err)
	}
	if !t.How.undoes() {
		if err := r.makeRoom(ctx, t, book); err != nil {
			return err
		}
	}
	if !t.How.undoes() && (t.Shared || t.How == Merge) {
		if err := r.confirm(ctx, t, book); err != nil {
			return err
		}
	}
	switch t.How {
	case Apply:
		return r.apply(ctx, t, book)
	case CreateOnce:
		return r.createOnce(ctx, t, book)
	case Merge:
		return r.merge(ctx, t, book)
	case Delete:
		return r.delete(ctx, t)
	case Restore:
		return r.restore(ctx, t)
	case Forget:
		return r.forget(ctx, t)
	}
	return fmt.Errorf("%s: no such way to bring it about", t.ref)
}

// makeRoom waits until an object of this name that is being deleted is gone. What
// takes its place is entered first: the inventory still holds the UID of the old
// one, for which a killed run's new one would be somebody else's. What a merge found
// may have been somebody's: it is judged anew what is wanted once it is gone.
func (r *run) makeRoom(ctx context.Context, t *task, book *book) error {
	going := r.view.get(t.ref)
	if going == nil || going.GetDeletionTimestamp() == nil {
		return nil
	}
	if err := r.awaitGone(ctx, t, going); err != nil {
		return err
	}
	if t.How == Merge {
		return &stale{t.ref}
	}
	if t.Partial || r.view.get(t.ref) != nil {
		return nil
	}
	return book.enter(ctx, []*task{t})
}

// awaitClient finds out how the kind is asked for; a kind whose objects
// are undone need not exist.
func (r *run) awaitClient(ctx context.Context, t *task) error {
	var err error
	t.client, err = r.cluster.resource(ctx, t.ref)
	if errors.Is(err, errNotServed) && t.How.undoes() {
		return nil
	}
	if !errors.Is(err, errNotServed) {
		return err
	}
	if err := r.await(ctx, t.ref); err != nil {
		return err
	}
	if err := r.view.read(ctx, t.ref); err != nil {
		return err
	}
	t.client, err = r.cluster.resource(ctx, t.ref)
	return err
}

// effect brings one change about, told before and after, and keeps what the
// server answered.
func (r *run) effect(ctx context.Context, verb string, t *task, act func(context.Context) (*unstructured.Unstructured, bool, error)) error {
	if err := r.hold(ctx); err != nil {
		return err
	}
	return r.scope.DoObservable(ctx, verb, t.ref.String(), func(ctx context.Context) (bool, string, error) {
		var after *unstructured.Unstructured
		var changed bool
		err := r.insist(ctx, verb, t.ref.String(), func(ctx context.Context) (err error) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			ctx, end := lingers(ctx, r.cluster.lingering)
			defer end()
			after, changed, err = act(ctx)
			return err
		})
		if err != nil {
			return false, "", explain(r.cluster, verb, t.ref.String(), r.manager, err)
		}
		if after == nil {
			return changed, "", nil
		}
		r.view.learn(after)
		return changed, string(after.GetUID()), nil
	})
}

// hold makes sure that this run may change the lab, before it does.
func (r *run) hold(ctx context.Context) error {
	tenant, ok := r.env.(Tenant)
	if !ok {
		return nil
	}
	object := "Lease " + InventoryNamespace + "/" + LeaseName(r.scope.Lab)
	return explain(r.cluster, "taking it", object, r.manager, r.insist(ctx, "taking it", object, tenant.Hold))
}

func refusal(code trouble.ID, title, next string, lines ...event.Line) error {
	return &pipeline.Report{Report: event.Report{Code: string(code), Title: title, Lines: lines, Next: next}}
}
