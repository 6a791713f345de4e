package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/labrun/labrun/pipeline/event"
)

// errBroken marks a step that broke down: it is not tried again.
var errBroken = errors.New("the step broke down")

// tries runs a step until it ends well, as often as its retry allows.
func (s *scheduler[E]) tries(ctx context.Context, d *Declared[E], scope *Scope, options any) (Outcome, error) {
	waits := pauses(d.Retry)
	for attempt := 1; ; attempt++ {
		out, err := s.try(ctx, d, scope, options)
		if err == nil || ctx.Err() != nil || d.Retry == nil || attempt >= d.Retry.Attempts || errors.Is(err, errBroken) {
			return out, err
		}
		again, bad := d.Retry.again(err, s.pipeline.Values)
		if bad != nil {
			return out, fmt.Errorf("%w; whether it is tried again could not be told: %w", err, bad)
		}
		wait := waits()
		if until, bounded := ctx.Deadline(); !again || bounded && time.Until(until) <= wait {
			return out, err
		}
		scope.Warn(failedAttempt(attempt, d.Retry.Attempts, wait, err))
		if !pause(ctx, wait) {
			return out, ctx.Err()
		}
	}
}

// try runs a step once, and makes an error of a panic.
func (s *scheduler[E]) try(ctx context.Context, d *Declared[E], scope *Scope, options any) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(d, p)
		}
	}()
	return d.Kind.Run(ctx, s.options.Env(scope), options)
}

// again says whether a failure is one that is tried again.
func (r *Retry) again(failure error, values map[string]any) (bool, error) {
	if r.When == nil {
		return true, nil
	}
	told := tellError(failure)
	text := told.Title
	for _, l := range told.Lines {
		text += "\n" + l.Label + ": " + l.Text
	}
	v, err := r.When.Eval(map[string]any{"error": text, "lab": values["lab"], "vars": values["vars"], "env": values["env"]})
	again, _ := v.(bool)
	return again, err
}

// pauses gives the waits between attempts, each of about twice the time of the
// one before: instances that failed together are not all tried again together.
func pauses(r *Retry) func() time.Duration {
	if r == nil {
		return nil
	}
	b := &backoff.ExponentialBackOff{InitialInterval: r.Backoff, RandomizationFactor: 0.2, Multiplier: 2, MaxInterval: r.Max}
	return func() time.Duration { return min(b.NextBackOff(), r.Max) }
}

// pause waits, and says whether the context let it.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// failedAttempt tells an attempt that is not the last.
func failedAttempt(attempt, of int, wait time.Duration, err error) event.Report {
	r := *tellError(err)
	unit := time.Second / 10
	if wait < time.Second {
		unit = time.Millisecond
	}
	r.Title = fmt.Sprintf("attempt %d of %d failed, again in %s: %s", attempt, of, event.Span(wait.Round(unit)), r.Title)
	return r
}
