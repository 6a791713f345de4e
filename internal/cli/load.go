package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
)

// labFlags are the flags of every command that reads a lab file.
type labFlags struct {
	values     []string
	set        []string
	kubeconfig string
	stateDir   string // of the commands that have stateFlag
	forRun     bool   // not a flag: the lab is built next
}

func (f *labFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.values, "values", nil, "a file whose lab and vars are put on top of the lab file's; may be repeated")
	flags.StringArrayVar(&f.set, "set", nil, "a fact put on top of those: lab.release.version=4.20.3; may be repeated")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the management cluster, instead of the lab file's")
}

func stateFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "state-dir", "", "folder of journals and evidence (default "+statedir.Default()+")")
}

// outputFlag is -o with its allowed words, the first being the default.
func outputFlag(cmd *cobra.Command, output *string, words ...string) {
	cmd.Flags().VarP(&choice{value: output, words: words}, "output", "o", "how the result is written: "+strings.Join(words, " or "))
	*output = words[0]
}

// choice is the value of a flag that allows a few words.
type choice struct {
	value *string
	words []string
}

func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}
func (c *choice) Type() string { return "FORMAT" }
func (c *choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return fmt.Errorf("%q is none of %s", text, strings.Join(c.words, ", "))
	}
	*c.value = text
	return nil
}

// command is the lab as it is named on a command line: the file, and the flags
// that another command needs as well, to find the same lab and its runs.
func (f labFlags) command(file string) string {
	words := []string{file}
	for _, flag := range []struct {
		name   string
		values []string
	}{{"--values", f.values}, {"--set", f.set}, {"--kubeconfig", []string{f.kubeconfig}}, {"--state-dir", []string{f.stateDir}}} {
		for _, value := range flag.values {
			if value != "" {
				words = append(words, flag.name, value)
			}
		}
	}
	return shellescape.QuoteCommand(words)
}

// read reads a lab file, and begins to mask its secrets before anything is told of it.
// Whatever opens a Job is read by it: a lab that is taken apart, too.
func (a *app[E]) read(r pipeline.Request[E]) (*pipeline.Pipeline[E], source.Diagnostics) {
	p, found := pipeline.Load(r)
	a.know(p.Facts)
	return p, found
}

// load reads a lab file and tells its warnings.
func (a *app[E]) load(file string, f labFlags) (*pipeline.Pipeline[E], error) {
	p, found := a.read(a.request(file, f))
	if len(found) > 0 {
		return p, &invalid{found, p.Files}
	}
	a.warn(p.Warnings, p.Files)
	return p, nil
}

// know begins to mask the secrets of a lab that are on this machine; those that are not
// there, or that a command prints, are left to who needs them.
func (a *app[E]) know(facts any) {
	if facts == nil {
		return
	}
	if a.program.Known != nil {
		a.secrets.Spare(a.program.Known(facts))
	}
	if a.program.Secrets != nil {
		for _, secret := range a.program.Secrets(facts) {
			a.secrets.Add(secret)
		}
	}
}

func (a *app[E]) request(file string, f labFlags) pipeline.Request[E] {
	return pipeline.Request[E]{
		File: file, Values: f.values, Set: f.set, ForRun: f.forRun,
		Kinds: a.program.Kinds(), Schema: a.program.Schema(), Builtin: a.program.Builtin, Check: a.program.Check,
	}
}

func (a *app[E]) warn(warnings source.Diagnostics, files *source.Files) {
	told := slices.Clone(warnings)
	for n := range told {
		told[n].Message = "warning: " + told[n].Message
	}
	_ = told.Render(a.streams.Err, files)
}

// loadJob reads a lab file for a command that records no run.
func (a *app[E]) loadJob(file string, f labFlags) (*pipeline.Pipeline[E], Job, error) {
	p, err := a.load(file, f)
	if err != nil {
		return nil, Job{}, err
	}
	_, job, err := a.jobIn(p, f)
	return p, job, err
}

// jobIn is jobOf with the lab's folder in the state folder.
func (a *app[E]) jobIn(p *pipeline.Pipeline[E], f labFlags) (*statedir.Lab, Job, error) {
	lab, err := statedir.Of(f.stateDir, p.Name)
	if err != nil {
		return nil, Job{}, err
	}
	job, err := a.jobOf(p, f, lab)
	return lab, job, err
}

// jobOf is what an environment of this lab is made for.
func (a *app[E]) jobOf(p *pipeline.Pipeline[E], f labFlags, lab *statedir.Lab) (Job, error) {
	j := Job{Lab: p.Name, Facts: p.Facts, StateDir: lab.Dir, Conceal: a.secrets.Add, Holds: a.secrets.Holds}
	if f.kubeconfig != "" {
		path, err := filepath.Abs(f.kubeconfig)
		if err != nil {
			return j, fmt.Errorf("find the file of --kubeconfig: %w", err)
		}
		j.Kubeconfig = path
	}
	return j, nil
}
