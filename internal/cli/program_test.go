package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing/fstest"
	"time"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// The program of these tests: facts and steps that need nothing but files.

type facts struct {
	Stack        string `yaml:"stack" enum:"ipv4|ipv6" doc:"address family"`
	Disconnected bool   `yaml:"disconnected" default:"false" doc:"no registry but its own"`
	Hosts        []host `yaml:"hosts,omitempty" doc:"servers"`
}

type host struct {
	Name string `yaml:"name" doc:"name of the server"`
}

type env struct {
	scope   *pipeline.Scope
	conceal func(secret string)
	lose    context.CancelCauseFunc // of the lab, as if another machine had taken it
}

type noted struct {
	Text string `yaml:"text"`
}

func (n noted) Summary() string { return n.Text }

// note tells a text.
type note struct {
	Text string `yaml:"text" default:"nothing" doc:"what is told"`
}

func (n note) Run(context.Context, *env) (noted, error) { return noted(n), nil }

// write brings a file to a text.
type write struct {
	File string `yaml:"file" doc:"the file that is written"`
	Text string `yaml:"text,omitempty" doc:"its text"`
}

func (w write) Run(ctx context.Context, e *env) (struct{}, error) {
	if have, err := os.ReadFile(w.File); err == nil && string(have) == w.Text {
		return struct{}{}, nil
	}
	return struct{}{}, e.scope.DoObservable(ctx, "write", "file "+w.File, func(context.Context) (bool, string, error) {
		return true, "", os.WriteFile(w.File, []byte(w.Text), 0o600)
	})
}

func (w write) Render(context.Context, *env) ([]map[string]any, error) {
	if w.Text == "later" {
		return nil, fmt.Errorf("%w: HostedCluster a/b\nis not there", pipeline.ErrLater)
	}
	return []map[string]any{{"kind": "File", "metadata": map[string]any{"name": w.File}}}, nil
}

// fail fails with a report.
type fail struct {
	Fatal bool `yaml:"fatal,omitempty" doc:"as a pre-flight does"`
}

type fatal struct{ error }

func (fatal) ExitCode() int { return pipeline.ExitPreflight }

func (f fail) Run(_ context.Context, e *env) (struct{}, error) {
	err := error(&pipeline.Report{Report: event.Report{Title: "the host cannot be registered",
		Lines: []event.Line{{Label: "it said", Text: "HTTP 401 from the BMC"}}, Next: "labrun preflight"}})
	if f.Fatal {
		err = fatal{err}
	}
	return struct{}{}, err
}

// leak tells a secret wherever a step can.
type leak struct {
	Secret string `yaml:"secret" doc:"what must not be told"`
}

func (l leak) Run(ctx context.Context, e *env) (noted, error) {
	e.conceal(l.Secret)
	report := event.Report{Title: "told " + l.Secret, Lines: []event.Line{{Label: "seen", Text: l.Secret}}, Next: "use " + l.Secret}
	e.scope.Warn(report)
	err := e.scope.Do(ctx, "exec", "curl "+l.Secret, func(context.Context) (bool, string, error) {
		return true, "", &pipeline.Report{Report: report}
	})
	return noted{l.Secret}, err
}

// hang waits for ever. It opens the FIFO ready once it does.
type hang struct {
	Ready string `yaml:"ready,omitempty" doc:"a FIFO that is opened when the wait begins"`
	Deaf  bool   `yaml:"deaf,omitempty" doc:"do not end when told to"`
}

func (h hang) Run(ctx context.Context, e *env) (struct{}, error) {
	e.scope.Progress(event.Report{Title: "agent worker0 is not bound", Lines: []event.Line{{Label: "seen", Text: "state is known"}}, Next: "oc get agent"})
	if h.Ready != "" {
		if err := os.WriteFile(h.Ready, []byte("ready\n"), 0o600); err != nil {
			return struct{}{}, err
		}
	}
	if h.Deaf {
		<-make(chan struct{})
	}
	<-ctx.Done()
	return struct{}{}, ctx.Err()
}

// crash breaks down.
type crash struct{}

func (crash) Run(context.Context, *env) (struct{}, error) { panic(errors.New("index out of range")) }

// bounded is a kind that is not waited for for ever.
func bounded(k pipeline.Kind[*env]) pipeline.Kind[*env] {
	k.Timeout = 30 * time.Minute
	return k
}

func program() cli.Program[*env] {
	return cli.Program[*env]{
		Version: "v0.0.0-test",
		Kinds: func() []pipeline.Kind[*env] {
			return []pipeline.Kind[*env]{
				bounded(pipeline.Use[note]("test/note", "Tells a text. It does nothing else.", "- {id: hello, uses: test/note, with: {text: hello}}")),
				pipeline.Use[write]("test/write", "Writes a file.", "- {id: a, uses: test/write, with: {file: a.txt}}"),
				pipeline.Use[fail]("test/fail", "Fails.", ""),
				pipeline.Use[leak]("test/leak", "Tells a secret.", ""),
				pipeline.Use[hang]("test/hang", "Waits for ever.", ""),
				pipeline.Use[crash]("test/crash", "Breaks down.", ""),
				pipeline.Use[lose]("test/lose", "Loses the lab.", ""),
			}
		},
		Schema: func() pipeline.Schema {
			return pipeline.Schema{Facts: reflect.TypeFor[facts](), Complete: func(name string, f any) []pipeline.FactProblem {
				if name == "odd" {
					return []pipeline.FactProblem{{Path: "stack", Message: "an odd lab", Warning: true}}
				}
				return nil
			}}
		},
		Builtin: fstest.MapFS{"shared.yaml": {Data: []byte("phases: [check, build]\nsteps:\n- {id: hello, phase: check, uses: test/note, with: {text: \"${{ lab.stack }}\"}}\n")}},
		Title:   func(s cli.Job) string { return s.Facts.(*facts).Stack },
		Open: func(j cli.Job) cli.Environment[*env] {
			counts := map[string]int{"hub writes": 0}
			if j.Adopt {
				counts["adopting"] = 1
			}
			keep, lose := keep()
			return cli.Environment[*env]{
				Keep:     keep,
				New:      func(s *pipeline.Scope) *env { return &env{s, j.Conceal, lose} },
				Requests: func() map[string]int { return counts },
			}
		},
		Now: clock,
	}
}

// clock stands still where a script says so, so that its output is always the same.
func clock() time.Time {
	if os.Getenv("LABRUN_TEST_CLOCK") != "" {
		return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	}
	return time.Now()
}

func labrun() {
	os.Exit(cli.Main(context.Background(), program(), os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}))
}
