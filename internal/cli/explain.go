package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/steps/trouble"
)

func (a *app[E]) explainCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "explain [ID]",
		Short: "the failures that labrun recognises; what one means, and what cures it",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &misuse{message: "labrun explain takes the name of one failure", hint: cmd.UseLine()}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listTroubles(a.streams.Out, output)
			}
			t, found := trouble.Find(args[0])
			if !found {
				return unknownTrouble(args[0])
			}
			if output == "json" {
				return writeJSON(a.streams.Out, t)
			}
			tellTrouble(a.streams.Out, t)
			return nil
		},
	}
	outputFlag(cmd, &output, "text", "json")
	return cmd
}

func unknownTrouble(name string) error {
	var names []string
	for _, t := range trouble.All() {
		names = append(names, string(t.ID))
	}
	hint := source.DidYouMean(name, names)
	if hint == "" {
		hint = "labrun explain lists them"
	}
	return &misuse{message: fmt.Sprintf("no failure is called %q", name), hint: hint}
}

func listTroubles(w io.Writer, output string) error {
	if output == "json" {
		return writeJSON(w, trouble.All())
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range trouble.All() {
		fmt.Fprintf(table, "%s\t%s\n", t.ID, firstSentence(t.Means))
	}
	return table.Flush()
}

func tellTrouble(w io.Writer, t trouble.Trouble) {
	fmt.Fprintf(w, "%s\n\n%s\n\nShown by\n  %s", t.ID, t.Means, t.Source)
	if t.Object != "" {
		fmt.Fprintf(w, ", on %s", t.Object)
	}
	fmt.Fprintf(w, ": %s\n\nThe step ends\n  %s\n\nWhat to do\n", t.Shows, t.Ends)
	for n, cure := range t.Cures {
		fmt.Fprintf(w, "  %d. %s\n", n+1, cure)
	}
}
