package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
)

func (a *app[E]) validateCommand() *cobra.Command {
	var (
		f      labFlags
		output string
	)
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
			var all []checked
			for _, file := range args {
				c := a.validate(file, f, output == "text")
				if all = append(all, c); !c.Valid {
					code = exitUsage
				}
			}
			if output == "json" {
				if err := writeJSON(a.streams.Out, all); err != nil {
					return err
				}
			}
			return ends(code)
		},
	}
	f.register(cmd)
	outputFlag(cmd, &output, "text", "json")
	return cmd
}

// checked is what validate says of a file, for machines.
type checked struct {
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Lab      string    `json:"lab,omitempty"`
	Mistakes []mistake `json:"mistakes,omitempty"`
	Warnings []mistake `json:"warnings,omitempty"`
}

// mistake is one finding; lines and columns begin at 1.
type mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func mistakesOf(found source.Diagnostics) []mistake {
	var all []mistake
	for _, d := range found {
		all = append(all, mistake{File: d.Pos.File, Line: d.Pos.Line, Column: d.Pos.Column, Message: d.Message, Hint: d.Hint})
	}
	return all
}

// validate says whether a file is right; aloud it is told as well.
func (a *app[E]) validate(file string, f labFlags, aloud bool) checked {
	p, found := pipeline.Load(a.request(file, f))
	c := checked{File: file, Valid: len(found) == 0, Lab: p.Name, Mistakes: mistakesOf(found), Warnings: mistakesOf(p.Warnings)}
	switch {
	case !aloud:
	case c.Valid:
		a.warn(p.Warnings, p.Files)
		fmt.Fprintf(a.streams.Out, "%s: %s is valid: %s in %s\n", file, p.Name, count(len(p.Steps), "step"), count(len(p.Phases), "phase"))
	default:
		_ = found.Render(a.streams.Err, p.Files)
		fmt.Fprintf(a.streams.Err, "%s: %s\n", file, count(len(found), "mistake"))
	}
	return c
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
