package preflight

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Explain writes what a check asks, its rule, why it matters and how to mend what it finds.
func (c Check) Explain(w io.Writer) error {
	text := fmt.Sprintf("%s (%s)\n\nAsks\n  %s\n\nRule\n  %s\n", c.ID, c.Area, Sentence(c.Asks), Sentence(c.Rule))
	if c.Why != "" {
		text += "\nWhy\n  " + Sentence(c.Why) + "\n"
	}
	text += "\nWhat to do\n  " + Sentence(c.Remedy) + "\n"
	if len(c.Needs) > 0 {
		text += "\nAsked after\n  " + strings.Join(c.Needs, ", ") + "\n"
	}
	if c.Active {
		text += "\nAsked only with --active, and in a run where lab.preflight.active is true: it changes something at the BMC, and changes it back.\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// List writes all checks by area, each with what it asks.
func List(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	area := ""
	for _, c := range Catalogue() {
		column := ""
		if c.Area != area {
			column, area = c.Area, c.Area
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", column, c.ID, c.Asks)
	}
	return table.Flush()
}
