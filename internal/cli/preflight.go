package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/preflight"
	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/redfish"
)

type preflightFlags struct {
	labFlags
	output  string
	hosts   []string
	checks  []string
	verbose bool
	explain string
	active  bool
	serve   string
}

// everyCheck is the value of --explain without one: an id may follow as an
// argument.
const everyCheck = "list"

func (a *app[E]) preflightCommand() *cobra.Command {
	var f preflightFlags
	cmd := &cobra.Command{
		Use:   "preflight LAB",
		Short: "ask the BMCs, and DNS, registry, images and management cluster, whether the lab can be built; changes nothing",
		Long: `Asks, side by side, whether everything that the lab stands on can do what it needs of it: the
workers' BMCs (bmc), the lab's names (dns), its registry (registry), what the workers boot (images)
and the management cluster (cluster). Nothing is changed, unless --active asks for it by name.

Exit code 3 says that a check failed. A check that cannot be answered yet, such as those of a
management cluster that is still to be built, is unknown, and is no failure.`,
		Example: `  labrun preflight labs/ipv6-disconnected.yaml
  labrun preflight labs/ipv6-disconnected.yaml --check bmc --host worker1 --verbose
  labrun preflight labs/ipv6-disconnected.yaml --check dns,registry,boot-mac -o json
  labrun preflight --explain boot-mac`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("explain") {
				return a.explainCheck(f, args)
			}
			if err := oneLab(cmd, args); err != nil {
				return err
			}
			return a.preflight(cmd.Context(), args[0], f)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.hosts, "host", nil, "a worker that is asked, instead of all; may be repeated")
	flags.StringSliceVar(&f.checks, "check", nil, "just these areas (bmc, dns, registry, images, cluster) and checks: --check bmc,live-iso")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tell every check, not just those that somebody has to do something about")
	flags.BoolVar(&f.active, "active", false, "also insert a small ISO into each BMC's virtual drive, see it fetched, set the boot override, and undo both")
	flags.StringVar(&f.serve, "image-server", "", "with --active: HOST[:PORT] of this machine at which the BMCs fetch the ISO (default: its address on the route to each BMC)")
	flags.StringVar(&f.explain, "explain", "", "what a check asks, why, and how to mend it; all checks where none is named")
	flags.Lookup("explain").NoOptDefVal = everyCheck
	flags.StringVar(&f.stateDir, "state-dir", "", "that of the lab's runs, so that one line of flags does for them too; nothing is written there")
	outputFlag(cmd, &f.output, "text", "json", "junit")
	return cmd
}

func (a *app[E]) preflight(ctx context.Context, file string, f preflightFlags) error {
	choice, wrong, known := preflight.Choose(f.checks)
	if wrong != "" {
		return unknownCheck(wrong, known)
	}
	for _, word := range f.checks {
		if c, found := preflight.Find(word); found && c.Active && !f.active {
			return &misuse{message: word + " is a check of the active probe, which was not asked for", hint: "add --active"}
		}
	}
	if f.serve != "" && !f.active {
		return &misuse{message: "--image-server serves the image of the active probe, which was not asked for", hint: "add --active"}
	}
	p, job, err := a.loadJob(file, f.labFlags)
	if err != nil {
		return err
	}
	q := preflight.Questions{Hosts: f.hosts, Choice: choice, Now: a.program.Now}
	if f.active {
		q.Active = &redfish.Active{Listen: f.serve}
	}
	ctx, release := interruptibleWhile(ctx, leaving(f.active), func(text string) { fmt.Fprintln(a.streams.Err, text) }, nil)
	defer release()
	if t := terminalOf(a.streams.Err); t.live {
		q.Board = func(names []string) *progress.Board { return progress.NewBoard(a.streams.Err, names, a.terminal(t)) }
	}
	found, err := a.program.Preflight(ctx, job, q)
	found.Lab = p.Name
	if err != nil && ctx.Err() == nil {
		return err
	}
	if told := a.tellPreflight(found, f); err == nil {
		return told
	}
	return err // it was interrupted: what was found until then is told
}

// leaving says what is done at a signal, before what was found until then is told.
func leaving(active bool) string {
	if active {
		return "the BMCs are left as they were found, which may take a minute"
	}
	return "nothing more is asked, and open sessions are closed"
}

func (a *app[E]) tellPreflight(found preflight.Report, f preflightFlags) error {
	var told bytes.Buffer
	var err error
	switch f.output {
	case "json":
		err = writeJSON(&told, found)
	case "junit":
		err = found.JUnit(&told)
	default:
		err = found.Text(&told, preflight.Table{Colour: terminalOf(a.streams.Out).colour, Verbose: f.verbose})
	}
	if err == nil {
		_, err = a.streams.Out.Write(told.Bytes())
	}
	if err == nil && found.Summary.Status == redfish.Fail {
		return ends(pipeline.ExitPreflight)
	}
	return err
}

// explainCheck tells of one check, or lists all. The id stands behind --explain,
// with or without =.
func (a *app[E]) explainCheck(f preflightFlags, args []string) error {
	id := f.explain
	if id == everyCheck && len(args) > 0 {
		id = args[len(args)-1]
	}
	if id == everyCheck {
		if f.output == "json" {
			return writeJSON(a.streams.Out, preflight.Catalogue())
		}
		return preflight.List(a.streams.Out)
	}
	c, found := preflight.Find(id)
	switch {
	case !found:
		return unknownCheck(id, preflight.Names())
	case f.output == "json":
		return writeJSON(a.streams.Out, c)
	}
	return c.Explain(a.streams.Out)
}

func unknownCheck(word string, known []string) error {
	hint := source.DidYouMean(word, known)
	if hint == "" {
		hint = "labrun preflight --explain lists the checks"
	}
	return &misuse{message: fmt.Sprintf("no check of the pre-flight is called %q", word), hint: hint}
}
