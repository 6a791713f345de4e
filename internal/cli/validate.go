package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app[E]) validateCommand() *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "validate LAB...",
		Short: "check files only; touches nothing",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &misuse{message: "labrun validate takes at least one lab file", hint: cmd.UseLine()}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			code := exitDone
			for _, file := range args {
				if !a.validate(file, f) {
					code = exitUsage
				}
			}
			return ends(code)
		},
	}
	f.register(cmd)
	return cmd
}

// validate says whether a file is right.
func (a *app[E]) validate(file string, f labFlags) bool {
	p, err := a.load(file, f)
	var wrong *invalid
	if errors.As(err, &wrong) {
		_ = wrong.found.Render(a.streams.Err, wrong.files)
		fmt.Fprintf(a.streams.Err, "%s: %s\n", file, count(len(wrong.found), "mistake"))
		return false
	}
	fmt.Fprintf(a.streams.Out, "%s: %s is valid: %s in %s\n", file, p.Name, count(len(p.Steps), "step"), count(len(p.Phases), "phase"))
	return true
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
