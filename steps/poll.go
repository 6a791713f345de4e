package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// poll asks until it is answered: of hosts, servers and names, which nobody can
// watch. Each failed attempt is told as progress; the last one is what a timeout
// reports.
func poll[T any](ctx context.Context, env *Env, failed func(error) event.Report, ask func(context.Context) (T, error)) (T, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 250*time.Millisecond, 10*time.Second
	var last error
	got, err := backoff.Retry(ctx, func() (T, error) {
		got, err := ask(ctx)
		if err != nil && ctx.Err() == nil {
			last = err
			env.Scope().Progress(failed(err))
		}
		return got, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0))
	if err == nil || ctx.Err() == nil || last == nil {
		return got, err
	}
	return got, &pipeline.Report{Report: failed(last), Cause: fmt.Errorf("%w: %w", ctx.Err(), last)}
}
