package program

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline/event"
)

// told is a run's journal: what its steps took, in their order, and those that run.
type told struct {
	command string
	took    []took
	runs    []string
}

type took struct {
	step string
	time time.Duration
}

// write writes the journal of the lab's next run, which began at a time.
func (r told) write(t *testing.T, lab *statedir.Lab, began time.Time) {
	t.Helper()
	record, err := lab.Begin()
	if err != nil {
		t.Fatal(err)
	}
	journal, err := event.Create(record.Journal())
	if err != nil {
		t.Fatal(err)
	}
	at, seq := began, 0
	tell := func(e event.Event) {
		seq++
		e.Seq, e.Time = seq, at
		err = errors.Join(err, journal.Take(e))
	}
	run := &event.Run{Version: event.Version, Command: r.command, Lab: lab.Name, Number: record.Number}
	for _, step := range r.took {
		run.Steps = append(run.Steps, event.Ref{ID: step.step})
	}
	tell(event.Event{Type: event.RunStarted, Run: run})
	for _, step := range r.took {
		tell(event.Event{Type: event.StepStarted, Step: step.step, Start: &event.Start{}})
		at = at.Add(step.time)
		tell(event.Event{Type: event.StepFinished, Step: step.step, Result: &event.Result{Status: event.Changed}})
	}
	for _, step := range r.runs {
		tell(event.Event{Type: event.StepStarted, Step: step, Start: &event.Start{}})
	}
	if len(r.runs) == 0 {
		tell(event.Event{Type: event.RunFinished, Summary: &event.Summary{}})
	}
	if err := errors.Join(err, journal.Close()); err != nil {
		t.Fatal(err)
	}
}

// How long a destroy or a rebuild still takes is reckoned by the steps that it goes
// through, which have names of the lab's as well.
func TestStatusEstimates(t *testing.T) {
	t.Setenv("BMC_PASSWORD", "Vuqs7-mtzk2")
	const file = "../../labs/ipv4-connected.yaml"
	undo := []took{{"survey", time.Minute}, {"hosted_cluster", time.Hour}, {"mce_operator", 40 * time.Minute}}
	var rebuilt []took
	for _, step := range undo {
		rebuilt = append(rebuilt, took{"destroy/" + step.step, step.time})
	}
	rebuilt = append(rebuilt, took{"hub_info", 30 * time.Minute})
	for name, tc := range map[string]struct {
		past, now told
		want      string
	}{
		"destroy": {told{command: event.Destroy, took: undo}, told{command: event.Destroy, runs: []string{"survey"}},
			"about 1h40m left, from 1 past run, in none of which bmc_logins and "},
		"rebuild, its destroy": {told{command: event.Rebuild, took: rebuilt}, told{command: event.Rebuild, runs: []string{"destroy/survey"}},
			"about 2h10m left, from 1 past run, in none of which destroy/bmc_logins and "},
		"rebuild, its last undo": {told{command: event.Rebuild, took: rebuilt}, told{command: event.Rebuild, took: rebuilt[:2], runs: []string{"destroy/mce_operator"}},
			"about 30m left, from 1 past run, in none of which destroy/bmc_logins and "},
		"run": {told{took: slices.Concat(undo, []took{{"hub_info", 30 * time.Minute}})}, told{runs: []string{"lab_up"}},
			"about 2h10m left, from 1 past run"},
	} {
		t.Run(name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			lab, err := statedir.Of(state, "ipv4-connected")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now().Add(-12 * time.Hour) // what runs has taken longer than ever: it may end at any moment
			lock, err := lab.Lock(began)
			if err != nil {
				t.Fatal(err)
			}
			tc.past.write(t, lab, began.Add(-24*time.Hour))
			tc.now.write(t, lab, began)
			if err := lock.Begins(2); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := Main(t.Context(), []string{"status", file, "--state-dir", state}, cli.Streams{Out: &out, Err: &errs})
			if code != 0 || !strings.Contains(out.String(), tc.want) {
				t.Errorf("exit code %d, want %q\n%s%s", code, tc.want, &out, &errs)
			}
			if err := lock.Unlock(); err != nil {
				t.Error(err)
			}
		})
	}
}
