package kube

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

// renderLimit bounds what one step reads for its objects: a cluster that cannot
// be reached is told, not waited for.
const renderLimit = 15 * time.Second

const (
	masked    = "***"
	generated = "(generated when it is created)"
	// weak secrets are not looked for in other objects: masking every "a" would
	// leave nothing to read.
	weak = 4
)

// render gives the objects that a run would bring about, as plain maps with
// their secrets masked. It reads the cluster only for a step that declares reads
// and has objects; what is not there to be read, also a secret, is pipeline.ErrLater.
func render(ctx context.Context, env Environment, step Step) ([]map[string]any, error) {
	secrets, err := secretsOf(ctx, env, step)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", pipeline.ErrLater, err)
	}
	scope := env.Scope()
	r := &run{env: env, step: step, scope: scope, facts: env.Facts(), secrets: secrets, manager: managerOf(scope), view: newView(nil)}
	intents, err := step.Objects(r.facts, r.seen())
	if _, reads := step.(Reader); reads && (err != nil || len(intents) > 0) {
		if r, err = readOnce(ctx, env, step); err != nil {
			return nil, fmt.Errorf("%w: %w", pipeline.ErrLater, err)
		}
		intents, err = step.Objects(r.facts, r.seen())
	}
	if early := (*NotYet)(nil); errors.As(err, &early) {
		return nil, fmt.Errorf("%w: %w", pipeline.ErrLater, err)
	}
	if err != nil {
		return nil, err
	}
	all, err := tasks(step, intents)
	if err != nil {
		return nil, err
	}
	reveal, ok := env.(Revealer)
	var rendered []map[string]any
	for _, t := range all {
		if t.How.undoes() {
			continue
		}
		u, err := r.render(t)
		if err != nil {
			return nil, err
		}
		if !ok || !reveal.RevealSecrets() {
			mask(t, u, secrets)
		}
		rendered = append(rendered, u.Object)
	}
	return rendered, nil
}

// Look reads what a step declares as it is at the moment, and brings nothing about.
// A cluster that does not answer is told, not waited for.
func Look(ctx context.Context, env Environment, step Step) (Seen, error) {
	r, err := readOnce(ctx, env, step)
	if err != nil {
		return Seen{}, err
	}
	return r.seen(), nil
}

// readOnce reads what a step declares as it is at the moment.
func readOnce(ctx context.Context, env Environment, step Step) (*run, error) {
	ctx, cancel := context.WithTimeout(ctx, renderLimit)
	defer cancel()
	r, err := newRun(ctx, env, step)
	if err != nil {
		return nil, err
	}
	r.once = true
	return r, r.readAll(ctx)
}

// render is the object as a first run would send it.
func (r *run) render(t *task) (*unstructured.Unstructured, error) {
	u := t.wanted.DeepCopy()
	r.mark(u, t, absent)
	if t.Initial != nil {
		if err := t.Initial(u); err != nil {
			return nil, err
		}
	}
	if t.How == Merge {
		if err := t.change(u); err != nil {
			return nil, err
		}
	}
	if t.Generate != nil { // the shape of it: what it holds is made when it is created
		if err := t.Generate(zeros{}, u); err != nil {
			return nil, err
		}
	}
	normal, err := normalise(u.Object)
	u.Object = normal
	return u, err
}

// mask hides the values of a secret object, and the lab's secrets wherever they
// stand in another.
func mask(t *task, u *unstructured.Unstructured, secrets map[string]labs.Secret) {
	if t.Secret || t.ref.Kind == "Secret" {
		for _, field := range []string{"data", "stringData"} {
			if values, ok := u.Object[field].(map[string]any); ok {
				for key := range values {
					values[key] = masked
					if t.Generate != nil {
						values[key] = generated
					}
				}
			}
		}
	}
	var hide []string
	for _, s := range secrets {
		value := s.Reveal()
		for _, v := range []string{value, strings.TrimSpace(value)} {
			if len(v) >= weak {
				hide = append(hide, v, masked, base64.StdEncoding.EncodeToString([]byte(v)), masked)
			}
		}
	}
	if len(hide) > 0 {
		replacer := strings.NewReplacer(hide...)
		for key, value := range u.Object {
			u.Object[key] = maskValue(replacer, value)
		}
	}
}

func maskValue(r *strings.Replacer, v any) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case map[string]any:
		for key, value := range v {
			v[key] = maskValue(r, value)
		}
	case []any:
		for i, value := range v {
			v[i] = maskValue(r, value)
		}
	}
	return v
}

// zeros is the random source of what is only shown.
type zeros struct{}

// Read gives zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
