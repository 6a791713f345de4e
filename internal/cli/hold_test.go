package cli_test

import (
	"context"
	"errors"
	"os"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// tenure is that of a management cluster which refuses, as LABRUN_TEST_TAKE says, and
// from which a step may lose the lab.
type tenure struct{ context.Context }

func (tenure) Take(ctx context.Context) error {
	switch refusal := os.Getenv("LABRUN_TEST_TAKE"); refusal {
	case "":
		return nil
	case "silence":
		<-ctx.Done()
		return ctx.Err()
	default:
		return errors.New(refusal)
	}
}

func (t tenure) Held() context.Context { return t }
func (tenure) Release() error          { return nil }

// keep gives a tenure and what ends it.
func keep() (func(holder.Holder) cli.Tenure, context.CancelCauseFunc) {
	held, lose := context.WithCancelCause(context.Background())
	return func(holder.Holder) cli.Tenure { return tenure{held} }, lose
}

// lose writes to a server which by then knows that the lab is lost.
type lose struct{}

func (lose) Run(_ context.Context, e *env) (struct{}, error) {
	lost := &holder.Lost{Lab: "lab", Where: "Lease labrun/lab-lab on https://hub:6443", Cause: errors.New("the server was not asked in time")}
	e.lose(lost)
	return struct{}{}, &pipeline.Report{Report: event.Report{Title: "ConfigMap a/b cannot be written"}, Cause: lost}
}
