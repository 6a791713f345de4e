package kube

import (
	"context"
	"crypto/rand"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
)

// createOnce creates an object where it is absent, and leaves it alone where it
// is not.
func (r *run) createOnce(ctx context.Context, t *task, book *book) error {
	if before := r.view.get(t.ref); before != nil {
		return r.keep(ctx, t, before, book)
	}
	wanted := t.wanted.DeepCopy()
	r.mark(wanted, t, absent)
	for _, fill := range []func(*unstructured.Unstructured) error{t.Initial, func(u *unstructured.Unstructured) error {
		if t.Generate == nil {
			return nil
		}
		return t.Generate(rand.Reader, u)
	}} {
		if fill == nil {
			continue
		}
		if err := fill(wanted); err != nil {
			return fmt.Errorf("making %s: %w", t.ref, err)
		}
	}
	if err := r.create(ctx, t, wanted); err != nil {
		return err
	}
	book.made(t, true, r.view.get(t.ref))
	return nil
}

// keep takes an object that exists as it is, and says so where it is not the lab's. One
// of the hub gets the lab's mark, and nothing else: another lab may go before this one.
func (r *run) keep(ctx context.Context, t *task, before *unstructured.Unstructured, book *book) error {
	if t.Shared {
		marking := *t
		marking.Change, marking.patch = nil, nil
		return r.merge(ctx, &marking, book)
	}
	c, err := r.whose(ctx, t, before)
	if err != nil {
		return err
	}
	if c == foreign {
		r.scope.Warn(event.Report{Title: t.ref.String() + " exists already and is not this lab's: it is used as it is, and never changed",
			Lines: []event.Line{{Label: "owner", Text: ownersOf(before)}}})
	}
	book.made(t, c == unentered, before)
	return nil
}

// createInitial makes an object with the fields that only its first create holds. What
// belongs to the hub is made so, too: an apply would not tell what somebody else made
// just before from its own.
func (r *run) createInitial(ctx context.Context, t *task, wanted *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	first := wanted.DeepCopy()
	if t.Initial != nil {
		if err := t.Initial(first); err != nil {
			return nil, fmt.Errorf("making %s: %w", t.ref, err)
		}
	}
	if err := r.create(ctx, t, first); err != nil {
		return nil, err
	}
	return r.view.get(t.ref), nil
}

// create sends a plain create. An object that turns out to exist is taken where
// it is what a create whose answer was lost left. What belongs to the hub and has no
// lab's mark is somebody else's: it is judged anew, as what was found.
func (r *run) create(ctx context.Context, t *task, wanted *unstructured.Unstructured) error {
	normal, err := normalise(wanted.Object)
	if err != nil {
		return fmt.Errorf("making %s: %w", t.ref, err)
	}
	wanted = &unstructured.Unstructured{Object: normal}
	late := false
	err = r.effect(ctx, "create", t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		made, err := t.client.Create(ctx, wanted, meta.CreateOptions{FieldManager: r.manager, FieldValidation: meta.FieldValidationStrict})
		if err == nil || transient(err) {
			return made, err == nil, err
		}
		// A webhook is asked before the server looks whether the name is taken: its refusal may mean just that.
		there, getErr := t.client.Get(ctx, t.ref.Name, meta.GetOptions{})
		if getErr != nil && !apierrors.IsAlreadyExists(err) {
			return nil, false, err
		}
		if getErr != nil {
			return nil, false, getErr
		}
		if !t.Shared && there.GetLabels()[LabelLab] != r.scope.Lab {
			return nil, false, foreignReport(t.ref, there)
		}
		if late = t.Shared && !IsUsed(there); late {
			return nil, false, nil
		}
		return there, true, nil
	})
	if err == nil && late {
		return &stale{t.ref}
	}
	return err
}
