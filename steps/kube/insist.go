package kube

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// How long one request may go without an answer before that is told, and before it is
// given up and sent again. An API server answers within a minute, if only that it had
// no time. A request that changes something may take a little longer than the run that
// is told to stop: who does not wait for the answer does not know what was done.
const (
	tellSilence = 10 * time.Second
	endSilence  = 75 * time.Second
	lingering   = 5 * time.Second
)

// errSilence is the error of a request that the server did not answer.
var errSilence = errors.New("no answer")

// insist does what the server may refuse for the moment until it succeeds, is
// refused for good, or ctx ends.
func (r *run) insist(ctx context.Context, doing, object string, act func(context.Context) error) error {
	since := time.Now()
	for b := backoff(); ; {
		err := r.ask(ctx, object+": "+doing, act)
		if ctx.Err() != nil && err != nil {
			return r.timedOut(ctx)
		}
		if r.once || !transient(err) {
			return err
		}
		r.scope.Progress(event.Report{Code: string(trouble.ServerSilent), Title: object + ": " + doing + " waits: the API server does not answer as it should",
			Lines: []event.Line{{Label: "it said", Text: said(err)}, {Label: "server", Text: r.cluster.Host()},
				{Label: "since", Text: since.UTC().Format(time.RFC3339)}},
			Next: "see whether it is the right server, and answers: curl -k " + r.cluster.Host() + "/readyz"})
		wait := b.Step()
		if after, ok := apierrors.SuggestsClientDelay(err); ok {
			wait = time.Duration(after) * time.Second
		}
		if err := r.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// insistOn is insist for what writes an inventory on the version that was read: where
// another lab writes it at the same moment, that is done again.
func (r *run) insistOn(ctx context.Context, doing, object string, act func(context.Context) error) error {
	for b := backoff(); ; {
		err := r.insist(ctx, doing, object, act)
		if !apierrors.IsConflict(err) {
			return err
		}
		if err := r.pause(ctx, b.Step()); err != nil {
			return err
		}
	}
}

// pause waits between two attempts; its error is that ctx ended.
func (r *run) pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return r.timedOut(ctx)
	case <-timer.C:
		return nil
	}
}

// ask does one request, and gives it up where the server is silent. What the server
// may have done all the same is found when it is asked again.
func (r *run) ask(ctx context.Context, doing string, act func(context.Context) error) error {
	since := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, r.cluster.endSilence, errSilence)
	defer cancel()
	tell := time.AfterFunc(r.cluster.tellSilence, func() {
		r.scope.Progress(event.Report{Code: string(trouble.ServerSilent), Title: doing + " waits for an answer of the API server",
			Lines: []event.Line{{Label: "server", Text: r.cluster.Host()}, {Label: "since", Text: since.UTC().Format(time.RFC3339)}},
			Next:  "see whether it is the right server, and answers: curl -k " + r.cluster.Host() + "/readyz"})
	})
	defer tell.Stop()
	err := act(limited)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(limited), errSilence) {
		return errSilence
	}
	return err
}

// lingers ends so much later than its parent, but where that ends for the server's silence.
func lingers(parent context.Context, by time.Duration) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	late := make(chan *time.Timer, 1)
	stop := context.AfterFunc(parent, func() {
		why := context.Cause(parent)
		if errors.Is(why, errSilence) {
			by = 0
		}
		late <- time.AfterFunc(by, func() { cancel(why) })
	})
	return ctx, func() {
		if !stop() {
			(<-late).Stop()
		}
		cancel(context.Canceled)
	}
}
