package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Kubeconfig is what lets somebody into the cluster that is built.
type Kubeconfig struct {
	Text    string // the kubeconfig itself
	From    string // where it was: one phrase
	Unasked string // why nobody could be asked whether it is still the cluster's; "" where somebody was
}

type kubeconfigFlags struct {
	labFlags
	out string
}

func (a *app[E]) kubeconfigCommand() *cobra.Command {
	var f kubeconfigFlags
	cmd := &cobra.Command{
		Use:   "kubeconfig LAB",
		Short: "the hosted cluster's kubeconfig",
		Long: `Writes the hosted cluster's kubeconfig to stdout, or to a file that only you may
read. It is the one in the Secret that HyperShift publishes on the management cluster.
Where that cluster cannot be asked it is the one that the last run has written, and
stderr says so.`,
		Example: "  labrun kubeconfig labs/ipv6-disconnected.yaml -o hosted.kubeconfig\n  oc --kubeconfig hosted.kubeconfig get nodes",
		Args:    oneLab,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.kubeconfig(cmd.Context(), args[0], f) },
	}
	f.register(cmd)
	stateFlag(cmd, &f.stateDir)
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "the file that is written, mode 0600, instead of stdout")
	return cmd
}

func (a *app[E]) kubeconfig(ctx context.Context, file string, f kubeconfigFlags) error {
	p, err := a.load(file, f.labFlags)
	if err != nil {
		return err
	}
	_, job, err := a.jobIn(p, f.labFlags)
	if err != nil {
		return err
	}
	found, err := a.program.Kubeconfig(ctx, job)
	if err != nil {
		return typed(err, f.command(file))
	}
	if found.Unasked != "" {
		fmt.Fprintf(a.streams.Err, "labrun: the management cluster could not be asked whether %s is still the hosted cluster's: %s\n", found.From, a.secrets.Text(found.Unasked))
	}
	if f.out == "" {
		_, err = io.WriteString(a.plain, found.Text)
		return err
	}
	if err := writePrivate(f.out, found.Text); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	fmt.Fprintf(a.streams.Err, "labrun: %s is written, from %s\n", f.out, found.From)
	return nil
}

// typed puts the lab, as the user named it, into the command that an error tells
// to type.
func typed(err error, lab string) error {
	var told event.Reporter
	if !errors.As(err, &told) {
		return err
	}
	r := told.Tell()
	r.Next = strings.ReplaceAll(r.Next, "LAB", lab)
	return &pipeline.Report{Report: r, Cause: err}
}
