package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/pipeline"
)

// Proven is what a pre-flight found.
type Proven struct {
	Proofs   []progress.Proof // the worst first
	Usable   int              // workers
	Requests int
	Reports  any // the same for machines
}

type preflightFlags struct {
	labFlags
	output string
	hosts  []string
}

func (a *app[E]) preflightCommand() *cobra.Command {
	var f preflightFlags
	cmd := &cobra.Command{
		Use:     "preflight LAB",
		Short:   "ask the workers' BMCs whether they can do what the lab needs; changes nothing",
		Long:    "Asks the workers' BMCs, side by side, whether they can do what the lab needs of them.\nNothing is changed. Exit code 3 says that a worker cannot be used.",
		Example: "  labrun preflight labs/ipv6-disconnected.yaml --host worker2",
		Args:    oneLab,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.preflight(cmd.Context(), args[0], f) },
	}
	f.register(cmd)
	cmd.Flags().StringArrayVar(&f.hosts, "host", nil, "a worker that is asked, instead of all; may be repeated")
	outputFlag(cmd, &f.output, "text", "json")
	return cmd
}

func (a *app[E]) preflight(ctx context.Context, file string, f preflightFlags) error {
	p, job, err := a.loadJob(file, f.labFlags)
	if err != nil {
		return err
	}
	began := a.program.Now()
	ctx, release := interruptible(ctx, func(text string) { fmt.Fprintln(a.streams.Err, text) }, nil)
	defer release()
	found, err := a.program.Preflight(ctx, job, f.hosts)
	if err != nil {
		return err
	}
	var told bytes.Buffer
	if f.output == "json" {
		err = writeJSON(&told, struct {
			Lab     string `json:"lab"`
			Workers any    `json:"workers"`
		}{p.Name, found.Reports})
	} else {
		err = a.tellProven(&told, found, a.program.Now().Sub(began))
	}
	if err == nil {
		_, err = io.WriteString(a.streams.Out, a.secrets.Text(told.String()))
	}
	if err == nil && found.Usable < len(found.Proofs) {
		return ends(pipeline.ExitPreflight)
	}
	return err
}

func (a *app[E]) tellProven(w io.Writer, found Proven, took time.Duration) error {
	if err := progress.Proofs(w, found.Proofs, terminalOf(a.streams.Out).colour); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %s can be used · %s · %s\n",
		found.Usable, count(len(found.Proofs), "worker"), count(found.Requests, "request"), took.Round(100*time.Millisecond))
	return err
}
