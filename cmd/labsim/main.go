// Command labsim runs a lab on one machine, for labrun to be run against: see docs/simulated-lab.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, as labrun has them.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRunning = 4
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, got := untilSignal()
	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if s := got(); s != 0 && errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "labsim: interrupted; nothing is left")
		return 128 + int(s)
	}
	if !errors.Is(err, errTold) {
		fmt.Fprintln(os.Stderr, "labsim:", err)
	}
	return code(err)
}

// errUsage is in every error about the command line.
var errUsage = errors.New("see labsim --help")

// untilSignal gives a context that the first SIGINT or SIGTERM ends, and which of them it was.
func untilSignal() (context.Context, func() syscall.Signal) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		s := (<-signals).(syscall.Signal)
		cancel(stopped(s))
	}()
	return ctx, func() syscall.Signal {
		var s stopped
		if errors.As(context.Cause(ctx), &s) {
			return syscall.Signal(s)
		}
		return 0
	}
}

type stopped syscall.Signal

func (s stopped) Error() string { return "stopped by " + syscall.Signal(s).String() }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "labsim",
		Short:         "a lab on one machine, for labrun to be run against",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", err, errUsage) })
	root.AddCommand(upCommand(), downCommand(), statusCommand(), failuresCommand(), delaysCommand(), playersCommand())
	return root
}

// exactly is cobra.ExactArgs as an error of usage.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("expected %s: %w", what, errUsage)
		}
		return nil
	}
}
