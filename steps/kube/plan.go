package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	difflib "github.com/pmezard/go-difflib/difflib"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

// plan says what a run of the step would change, by dry runs: the server itself
// says what would become of each object. What cannot be known before other steps
// have run is pipeline.ErrLater.
func plan(ctx context.Context, env Environment, step Step, outputs outputs) (pipeline.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, renderLimit)
	defer cancel()
	r, err := newRun(ctx, env, step)
	if err != nil {
		return pipeline.Change{}, later(err)
	}
	r.once, r.adopt = true, false // nothing is entered
	if err := r.readAll(ctx); err != nil {
		return pipeline.Change{}, later(err)
	}
	intents, err := step.Objects(r.facts, r.seen())
	if err != nil {
		var early *NotYet
		if errors.As(err, &early) {
			err = later(err)
		}
		return pipeline.Change{}, err
	}
	all, err := tasks(step, intents)
	if err != nil {
		return pipeline.Change{}, err
	}
	var change pipeline.Change
	for _, t := range all {
		c, err := r.outlook(ctx, t)
		if err != nil {
			return change, err
		}
		change.Objects = append(change.Objects, c)
	}
	if slices.ContainsFunc(change.Objects, func(c pipeline.ObjectChange) bool { return c.Verb != "none" }) {
		return change, nil
	}
	return r.ending(change, outputs)
}

// ending judges what is there, where nothing would be changed.
func (r *run) ending(change pipeline.Change, outputs outputs) (pipeline.Change, error) {
	seen := r.seen()
	switch v := r.step.Judge(r.facts, seen); v.State {
	case Failed:
		return change, &pipeline.Report{Report: v.Report}
	case Waiting:
		change.Waits = "waits: " + v.Report.Title
	case Done:
		var err error
		if change.Outputs, err = outputs.call(r.step, r.facts, seen); err != nil {
			return change, err
		}
	}
	return change, nil
}

func later(err error) error { return fmt.Errorf("%w: %w", pipeline.ErrLater, err) }

// outlook says what would become of one object.
func (r *run) outlook(ctx context.Context, t *task) (pipeline.ObjectChange, error) {
	err := r.view.read(ctx, t.ref)
	if errors.Is(err, errNotServed) {
		r.view.add(t.ref) // the kind comes with what an earlier step installs
		err = nil
	} else if err == nil {
		t.client, err = r.cluster.resource(ctx, t.ref)
	}
	if err != nil {
		return pipeline.ObjectChange{}, later(explain(r.cluster, "reading", t.ref.String(), r.manager, err))
	}
	before := r.view.get(t.ref)
	c := pipeline.ObjectChange{Object: t.ref.String(), Verb: "none"}
	switch {
	case before == nil && t.How == Delete, before != nil && t.How == CreateOnce && !t.Shared:
		return c, nil
	case t.How == Delete:
		c.Verb = "delete"
		return c, nil
	case before == nil && t.Partial:
		return c, later(fmt.Errorf("%s is not there yet", t.ref))
	case before == nil:
		c.Verb = "create"
		return c, r.tryCreate(ctx, t)
	}
	after, err := r.after(ctx, t, before)
	if err != nil {
		return c, explain(r.cluster, "asking what would change of", t.ref.String(), r.manager, err)
	}
	if after == nil {
		return c, nil
	}
	c.Verb = "update"
	c.Diff, err = difference(t, before, after, r.secrets)
	return c, err
}

// after is what an object that is there would become, nil where it would stay as it
// is.
func (r *run) after(ctx context.Context, t *task, before *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if t.How == Merge || t.How == CreateOnce {
		after, err := r.merged(t, before)
		if err != nil || sameJSON(before.Object, after.Object) {
			return nil, err
		}
		return after, nil
	}
	claim, err := r.claim(ctx, t, before, nil)
	if err != nil {
		return nil, err
	}
	wanted := t.wanted.DeepCopy()
	r.mark(wanted, t, claim)
	after, err := r.patch(ctx, t, wanted, true)
	if err != nil || !differs(before, after, r.managerOf(t)) {
		return nil, err
	}
	return after, nil
}

// tryCreate asks the server whether it would take an object that is absent. In a
// namespace that an earlier step makes, it cannot say yet.
func (r *run) tryCreate(ctx context.Context, t *task) error {
	if t.client == nil {
		return nil
	}
	wanted, err := r.render(t)
	if err != nil {
		return err
	}
	o := meta.CreateOptions{FieldManager: r.manager, FieldValidation: meta.FieldValidationStrict, DryRun: []string{meta.DryRunAll}}
	_, err = t.client.Create(ctx, wanted, o)
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || transient(err) {
		return nil
	}
	return explain(r.cluster, "create", t.ref.String(), r.manager, err)
}

// changedValue stands for a secret value that would be another one.
const changedValue = "*** (another value)"

// difference is a unified diff of what would change of an object, without what the
// server keeps about it and with secrets masked.
func difference(t *task, before, after *unstructured.Unstructured, secrets map[string]labs.Secret) (string, error) {
	from, to := &unstructured.Unstructured{Object: content(before)}, &unstructured.Unstructured{Object: content(after)}
	altered := alteredValues(from, to)
	mask(t, from, secrets)
	mask(t, to, secrets)
	if t.Secret || t.ref.Kind == "Secret" {
		for _, at := range altered {
			_ = unstructured.SetNestedField(to.Object, changedValue, at...)
		}
	}
	x, err := yaml.Marshal(from.Object)
	if err != nil {
		return "", err
	}
	y, err := yaml.Marshal(to.Object)
	if err != nil {
		return "", err
	}
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: difflib.SplitLines(string(x)), B: difflib.SplitLines(string(y)), Context: 1})
	return strings.TrimRight(text, "\n"), err
}

// alteredValues are the paths of the data that would have another value.
func alteredValues(from, to *unstructured.Unstructured) [][]string {
	var paths [][]string
	for _, field := range []string{"data", "stringData"} {
		was, _ := from.Object[field].(map[string]any)
		is, _ := to.Object[field].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(is)) {
			if value, there := was[key]; there && !sameJSON(value, is[key]) {
				paths = append(paths, []string{field, key})
			}
		}
	}
	return paths
}
