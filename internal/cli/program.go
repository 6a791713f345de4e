// Package cli is labrun's command line: commands, flags, exit codes, and what is
// written where. Results go to stdout, progress and messages to stderr. It knows
// no lab: the program hands it the kinds of steps, the schema of the facts, and
// the way to make an environment, each made only by the commands that need it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/evidence"
	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/masking"
	"github.com/labrun/labrun/internal/masking/weak"
	"github.com/labrun/labrun/internal/preflight"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

// Program is what a program hands to the command line.
type Program[E any] struct {
	Version string
	Kinds   func() []pipeline.Kind[E]
	Schema  func() pipeline.Schema
	Builtin fs.FS // the files of include: [builtin:NAME], as NAME.yaml
	// LabSchema is the JSON schema of a lab file; without it there is no command
	// that writes it.
	LabSchema []byte
	// Init writes a lab file to begin with; without it there is no such command.
	// The findings are those of the file of workers, and the error is one of usage.
	Init func(NewLab) ([]byte, source.Diagnostics, error)
	// Check is that of pipeline.Request; may be nil.
	Check func(kind pipeline.Kind[E], options any, lab, step, key string) []pipeline.FactProblem
	// Title is one line about a lab, for people; may be nil.
	Title func(Job) string
	// Open makes the environment of a run's steps. It connects to nothing.
	Open func(Job) Environment[E]
	// Secrets gives those of a lab's secrets that are on this machine, and Known what
	// is to stay readable beside them; both may be nil.
	Secrets func(facts any) []string
	Known   func(facts any) []weak.Known
	// Preflight asks what the lab stands on; without it there is no such command.
	Preflight func(ctx context.Context, j Job, q preflight.Questions) (preflight.Report, error)
	// Kubeconfig finds what lets somebody into the cluster that is built; without it
	// there is no such command.
	Kubeconfig func(ctx context.Context, j Job) (Kubeconfig, error)
	// Destroy takes a lab apart; without it there is no such command.
	Destroy *Destroying[E]
	// Advise says what is known of a kind of failure, by the code of its report;
	// may be nil.
	Advise func(code string) (evidence.Advice, bool)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Job is what an environment is made for.
type Job struct {
	Lab        string                 // its name
	Facts      any                    // pointer to a struct of the schema's type
	Kubeconfig string                 // of --kubeconfig, "" for the lab file's
	StateDir   string                 // folder of the lab on this machine
	Reveal     bool                   // render secrets as they are
	Adopt      bool                   // take over objects that exist and are not the lab's
	Conceal    func(secret string)    // masks a secret in what the run tells; nil where nothing is masked
	Holds      func(text string) bool // says whether a secret that was concealed stands in a text; may be nil
	// Keeps says why an undo leaves what an instance of a step made, "" where it does
	// not; nil keeps nothing.
	Keeps func(step, key string) string
}

// Environment is what the steps of one command share.
type Environment[E any] struct {
	New      func(*pipeline.Scope) E
	Requests func() map[string]int // what was asked of others so far; may be nil
	Kill     func()                // ends at once the programs that it runs; may be nil
	Close    func()                // ends its connections; may be nil
	// Keep gives what holds the lab beyond this machine, for the commands that
	// change it; may be nil.
	Keep func(self holder.Holder) Tenure
	// Server asks whether the management cluster answers, and names it; nil: there is
	// none. Made is what it has of the lab, by its inventory.
	Server func(context.Context) (string, error)
	Made   func(context.Context) ([]pipeline.Orphan, error)
	// Ready says which facts a run cannot work with that could not be looked at
	// when the file was loaded, the secrets that a command prints; may be nil.
	Ready func(context.Context) []pipeline.FactProblem
}

func (e Environment[E]) close() {
	if e.Close != nil {
		e.Close()
	}
}

// Streams are what a command reads and writes.
type Streams struct {
	Out, Err io.Writer
}

// app is one call of the command line. Whatever it writes to its streams is masked:
// no command has to think of it.
type app[E any] struct {
	program Program[E]
	streams Streams
	secrets masking.Secrets // found by whatever the command does
	plain   io.Writer       // stdout past the masks, for a secret that is asked for by name
	// heartbeat is how long a step may be silent in progress that is no terminal's.
	heartbeat time.Duration
}

// Main runs one command and gives its exit code.
func Main[E any](ctx context.Context, p Program[E], args []string, s Streams) int {
	if p.Now == nil {
		p.Now = time.Now
	}
	a := &app[E]{program: p, plain: s.Out, heartbeat: defaultHeartbeat}
	out, errs := a.secrets.Writer(s.Out), a.secrets.Writer(s.Err)
	a.streams = Streams{Out: out, Err: errs}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	command, err := root.ExecuteContextC(ctx)
	code := a.tell(command, err)
	_, _ = out.Close(), errs.Close() // nobody is left who could be told
	return code
}

// tell writes an error as a person needs it, and gives its exit code.
func (a *app[E]) tell(command *cobra.Command, err error) int {
	var (
		quiet *silent
		wrong *invalid
		code  pipeline.ExitCoder
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &wrong):
		_ = wrong.found.Render(a.streams.Err, wrong.files)
		return exitUsage
	case errors.As(err, &code):
		fmt.Fprintf(a.streams.Err, "labrun: %v\n", err)
		return code.ExitCode()
	}
	fmt.Fprintf(a.streams.Err, "labrun: %v\n", err)
	var told event.Reporter
	if errors.As(err, &told) && told.Tell().Next != "" {
		fmt.Fprintf(a.streams.Err, "  %s\n", told.Tell().Next)
	}
	return exitFailed
}

// invalid is the error of files with findings.
type invalid struct {
	found source.Diagnostics
	files *source.Files
}

func (e *invalid) Error() string { return e.found.Error() }
