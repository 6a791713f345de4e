package cli

import (
	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
)

type planFlags struct {
	labFlags
	selectFlags
	stateDir string
	output   string
	exitCode bool
}

func (a *app[E]) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan LAB",
		Short: "what would run and be skipped, and why",
		Args:  oneLab,
		RunE:  func(_ *cobra.Command, args []string) error { return a.plan(args[0], f) },
	}
	f.labFlags.register(cmd)
	f.selectFlags.register(cmd)
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	cmd.Flags().BoolVar(&f.exitCode, "exit-code", false, "exit 10 where a step would run")
	return cmd
}

func (a *app[E]) plan(file string, f planFlags) error {
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
	}
	if err := selected(p, f.selectFlags, past); err != nil {
		return err
	}
	plan := p.Plan()
	if f.output == "json" {
		err = plan.WriteJSON(a.streams.Out)
	} else {
		err = plan.WriteText(a.streams.Out)
	}
	if err != nil {
		return err
	}
	if f.exitCode && plan.Count(pipeline.WillRun)+plan.Count(pipeline.Later) > 0 {
		return ends(exitChange)
	}
	return nil
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
