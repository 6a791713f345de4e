package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/simtest"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps"
)

// root is the checkout, from this folder.
const root = "../.."

// limit bounds one run: a lab takes half a minute on an idle machine, and may share
// one with all other tests.
const limit = 15 * time.Minute

const (
	disconnected = "labs/ipv6-disconnected.yaml"
	connected    = "labs/ipv4-connected.yaml"
)

// lab is a simulated lab and the lab file that is run on it.
type lab struct {
	*sim.Lab
	facts                           *labs.Facts
	file, kubeconfig, values, state string
	more                            []string // further flags of each command
	began                           int      // where what is told of the lab begins in its hub's own log
}

// start starts the simulated lab of a lab file.
func start(t *testing.T, file string, o sim.Options) *lab {
	t.Helper()
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	p, found := pipeline.Load(pipeline.Request[*steps.Env]{
		File: file, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(),
	})
	if len(found) > 0 {
		t.Fatal(found)
	}
	l := &lab{facts: p.Facts.(*labs.Facts), file: file, state: t.TempDir()}
	o.Facts = l.facts
	began := time.Now()
	l.Lab = simtest.ForTest(t, o)
	t.Logf("simulated lab %s ready after %s", l.facts.Name, took(time.Since(began)))
	l.kubeconfig, l.values = simtest.Files(t, l.Lab)
	return l
}

// overlaid are the facts with the simulated lab's own values.
func (l *lab) overlaid(t *testing.T) *labs.Facts {
	t.Helper()
	p, found := pipeline.Load(pipeline.Request[*steps.Env]{
		File: l.file, Values: []string{l.values}, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(),
	})
	if len(found) > 0 {
		t.Fatal(found)
	}
	return p.Facts.(*labs.Facts)
}

func took(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// args are labrun's for a run of the lab.
func (l *lab) args() []string { return l.argsOf("run") }

// argsOf are labrun's for a command on the lab.
func (l *lab) argsOf(command string) []string {
	file, err := filepath.Abs(l.file)
	if err != nil {
		panic(err)
	}
	return append([]string{command, file, "--kubeconfig", l.kubeconfig, "--values", l.values, "--state-dir", l.state}, l.more...)
}

// outcome is what a run left.
type outcome struct {
	exit     int
	out, err string
	events   []event.Event
	*event.State
}

// run runs labrun in this process.
func (l *lab) run(t *testing.T, more ...string) outcome {
	t.Helper()
	return l.do(t, "run", more...)
}

// do runs one of labrun's commands that keep a journal.
func (l *lab) do(t *testing.T, command string, more ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out, errs bytes.Buffer
	o := outcome{exit: program.Main(ctx, append(l.argsOf(command), more...), cli.Streams{Out: &out, Err: &errs})}
	o.out, o.err = out.String(), errs.String()
	l.read(t, &o)
	l.wantNoSecrets(t, o)
	return o
}

// read reads the journal of the last run.
func (l *lab) read(t *testing.T, o *outcome) {
	t.Helper()
	folder, err := statedir.Of(l.state, l.facts.Name)
	if err != nil {
		t.Fatal(err)
	}
	last, err := folder.Last()
	if err != nil {
		t.Fatalf("%v\n%s", err, o.err)
	}
	journal, err := os.Open(last.Journal())
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	o.State = &event.State{}
	for e, err := range event.Read(journal) {
		if err != nil {
			t.Fatalf("journal of run %d: %v", last.Number, err)
		}
		o.events = append(o.events, e)
		o.Add(e)
	}
}

// must fails the test where a run did not end as it should.
func (o outcome) must(t *testing.T, exit int) outcome {
	t.Helper()
	if o.exit != exit {
		t.Fatalf("exit %d, want %d\n%s\n%s", o.exit, exit, o.err, o.out)
	}
	return o
}

func (o outcome) instances() []*event.Instance {
	var all []*event.Instance
	for _, s := range o.Steps {
		all = append(all, s.Instances...)
	}
	return all
}

// status are the names of the instances that ended so.
func (o outcome) status(of ...event.Status) []string {
	var names []string
	for _, i := range o.instances() {
		if i.Result != nil && slices.Contains(of, i.Result.Status) {
			names = append(names, i.Name())
		}
	}
	return names
}

// told is one line about a run: counts, time and requests.
func (o outcome) told() string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(o.Summary.Counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", o.Summary.Counts[s], s))
	}
	parts = append(parts, took(o.Summary.Duration).String())
	for _, s := range slices.Sorted(maps.Keys(o.Summary.Requests)) {
		parts = append(parts, fmt.Sprintf("%d %s", o.Summary.Requests[s], s))
	}
	return strings.Join(parts, " · ")
}
