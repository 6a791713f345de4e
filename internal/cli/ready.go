package cli

import (
	"context"
	"fmt"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
)

// ready looks at what a run needs and no file can say, before its first step. All
// that is missing is told at once, at the facts that name it.
func (a *app[E]) ready(ctx context.Context, p *pipeline.Pipeline[E], environment Environment[E]) error {
	if environment.Ready == nil {
		return nil
	}
	ctx, release := interruptible(ctx, func(text string) { fmt.Fprintln(a.streams.Err, text) }, environment.Kill)
	defer release()
	problems := environment.Ready(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var found, warnings source.Diagnostics
	for _, problem := range problems {
		at, _ := p.Tree.Lookup(problem.Path)
		if d := at.Find(problem.Message, problem.Hint); problem.Warning {
			warnings = append(warnings, d)
		} else {
			found = append(found, d)
		}
	}
	a.warn(warnings.Sort(), p.Files)
	if len(found) == 0 {
		return nil
	}
	if err := found.Sort().Render(a.streams.Err, p.Files); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Err, "labrun: %s: nothing was run\n", p.File)
	return ends(exitFailed)
}
