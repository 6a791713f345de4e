package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
)

type planFlags struct {
	labFlags
	selectFlags
	output   string
	exitCode bool
	offline  bool
}

func (a *app[E]) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan LAB",
		Short: "what would run, be skipped (and why), and change",
		Long: `Says of each step whether it would run or be skipped, and why. Where the management cluster answers, it is asked
by dry runs what each step would change: nothing is changed, and no BMC is asked.`,
		Args: oneLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.selectFlags.check(cmd); err != nil {
				return err
			}
			return a.plan(cmd.Context(), args[0], f)
		},
	}
	f.labFlags.register(cmd)
	f.selectFlags.register(cmd)
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	cmd.Flags().BoolVar(&f.exitCode, "exit-code", false, "exit 10 where something would change, or may")
	cmd.Flags().BoolVar(&f.offline, "offline", false, "do not ask the management cluster")
	return cmd
}

func (a *app[E]) plan(ctx context.Context, file string, f planFlags) error {
	p, err := a.load(file, f.labFlags)
	if err != nil {
		return err
	}
	lab, err := statedir.Of(f.stateDir, p.Name)
	if err != nil {
		return err
	}
	var past *memory
	if !f.fresh {
		if past, err = remember(lab); err != nil {
			return err
		}
		a.note(past)
	}
	if err := selected(p, f.selectFlags, past); err != nil {
		return err
	}
	plan, err := a.planNow(ctx, p, f, lab, past)
	if err != nil {
		return err
	}
	var told bytes.Buffer
	if f.output == "json" {
		err = plan.WriteJSON(&told)
	} else {
		err = plan.WriteText(&told)
	}
	if err == nil {
		_, err = io.WriteString(a.streams.Out, a.secrets.Text(told.String()))
	}
	if err != nil {
		return err
	}
	if f.exitCode && plan.Pending() > 0 {
		return ends(exitChange)
	}
	return nil
}

// planNow plans with what earlier runs tell, and what the management cluster says
// where it answers. Where it was not asked, that is told.
func (a *app[E]) planNow(ctx context.Context, p *pipeline.Pipeline[E], f planFlags, lab *statedir.Lab, past *memory) (*pipeline.Plan, error) {
	job, err := a.jobOf(p, f.labFlags, lab)
	if err != nil {
		return nil, err
	}
	environment := a.program.Open(job)
	defer environment.close()
	ctx, release := interruptible(ctx, func(text string) { fmt.Fprintln(a.streams.Err, text) }, environment.Kill)
	defer release()
	server, unasked := "", "--offline"
	if !f.offline && environment.Server != nil {
		if server, err = environment.Server(ctx); err != nil {
			server, unasked = "", err.Error()
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	salt, err := lab.Salt()
	if err != nil {
		return nil, err
	}
	plan := p.PlanNow(ctx, pipeline.PlanOptions[E]{Env: environment.New, Server: server != "", Memory: past.last, Salt: salt})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	switch plan.Server = server; {
	case server != "":
		made, err := environment.Made(ctx)
		if err != nil {
			return nil, err
		}
		plan.FindOrphans(made)
	case environment.Server != nil:
		plan.Unasked = unasked
		fmt.Fprintf(a.streams.Err, "labrun: the management cluster was not asked what would change: %s\n", a.secrets.Text(unasked))
	}
	return plan, nil
}

func (a *app[E]) graphCommand() *cobra.Command {
	var (
		f      labFlags
		output string
	)
	cmd := &cobra.Command{
		Use:   "graph LAB",
		Short: "the steps as Mermaid or DOT",
		Args:  oneLab,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.load(args[0], f)
			if err != nil {
				return err
			}
			if output == "dot" {
				return p.Plan().WriteDOT(a.streams.Out)
			}
			return p.Plan().WriteMermaid(a.streams.Out)
		},
	}
	f.register(cmd)
	outputFlag(cmd, &output, "mermaid", "dot")
	return cmd
}
