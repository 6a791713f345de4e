package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

func (a *app[E]) stepsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "steps [NAME]",
		Short: "the built-in steps; one step's options with an example",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &misuse{message: "labrun steps takes the name of one step", hint: cmd.UseLine()}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			kinds := a.program.Kinds()
			if len(args) == 0 {
				return listKinds(a.streams.Out, kinds, output)
			}
			k, err := kindOf(kinds, args[0])
			if err != nil {
				return err
			}
			return tellKind(a.streams.Out, k, output)
		},
	}
	outputFlag(cmd, &output, "text", "json")
	return cmd
}

func kindOf[E any](kinds []pipeline.Kind[E], name string) (pipeline.Kind[E], error) {
	var names []string
	for _, k := range kinds {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	hint := source.DidYouMean(name, names)
	for _, known := range names {
		if hint == "" && path.Base(known) == name {
			hint = fmt.Sprintf("did you mean %q?", known)
		}
	}
	if hint == "" {
		hint = "labrun steps lists them"
	}
	return pipeline.Kind[E]{}, &misuse{message: fmt.Sprintf("no step is called %q", name), hint: hint}
}

// kindDoc is a kind as it is written.
type kindDoc struct {
	Name    string  `json:"name"`
	Doc     string  `json:"doc"`
	Options []field `json:"options"`
	Outputs []field `json:"outputs"`
	Timeout string  `json:"timeout,omitempty"` // where the step gives none
	Example string  `json:"example,omitempty"`
}

func docOf[E any](k pipeline.Kind[E]) kindDoc {
	doc := kindDoc{Name: k.Name, Doc: k.Doc, Options: fieldsOf(k.Options), Outputs: fieldsOf(k.Outputs), Example: strings.Trim(k.Example, "\n")}
	for n := range doc.Outputs {
		doc.Outputs[n].Required = false // nobody gives them
	}
	if k.Timeout > 0 {
		doc.Timeout = event.Span(k.Timeout)
	}
	return doc
}

func listKinds[E any](w io.Writer, kinds []pipeline.Kind[E], output string) error {
	if output == "json" {
		docs := make([]kindDoc, len(kinds))
		for n, k := range kinds {
			docs[n] = docOf(k)
		}
		return writeJSON(w, docs)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range kinds {
		fmt.Fprintf(table, "%s\t%s\n", k.Name, firstSentence(k.Doc))
	}
	return table.Flush()
}

func tellKind[E any](w io.Writer, k pipeline.Kind[E], output string) error {
	doc := docOf(k)
	if output == "json" {
		return writeJSON(w, doc)
	}
	fmt.Fprintf(w, "%s\n\n%s\n", doc.Name, doc.Doc)
	if err := tellFields(w, "Options", doc.Options); err != nil {
		return err
	}
	if err := tellFields(w, "Outputs", doc.Outputs); err != nil {
		return err
	}
	if doc.Timeout != "" {
		fmt.Fprintf(w, "\nTimeout\n  %s, where the step gives none\n", doc.Timeout)
	}
	if doc.Example == "" {
		return nil
	}
	fmt.Fprint(w, "\nExample\n")
	for _, line := range strings.Split(doc.Example, "\n") {
		fmt.Fprintf(w, "  %s\n", line)
	}
	return nil
}

func tellFields(w io.Writer, title string, fields []field) error {
	if len(fields) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", title)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range fields {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", f.Name, f.Type, f.remark())
	}
	return table.Flush()
}

func firstSentence(doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	if n := strings.Index(doc, ". "); n >= 0 {
		return doc[:n+1]
	}
	return doc
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
