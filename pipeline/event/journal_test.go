package event

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sample() []Event {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	events := []Event{
		{Type: RunStarted, Run: &Run{Version: Version, Lab: "ipv6", File: "ipv6.yaml", Number: 7, Labrun: "v0.1.0",
			Phases: []string{"hub"}, Steps: []Ref{{ID: "mce", Phase: "hub"}, {ID: "host", Phase: "hub"}, {ID: "last", Phase: "hub"}}}},
		{Type: StepStarted, Step: "mce", Start: &Start{Phase: "hub", Uses: "openshift/mce", File: "s.yaml", Line: 3, Column: 5}},
		{Type: Intent, Step: "mce", Effect: &Effect{ID: 1, Verb: "apply", Object: "MultiClusterEngine multiclusterengine", Observable: true}},
		{Type: Done, Step: "mce", Effect: &Effect{ID: 1, Verb: "apply", Object: "MultiClusterEngine multiclusterengine", Changed: true, UID: "u-1", Observable: true}},
		{Type: StepProgress, Step: "mce", Report: &Report{Title: "phase is Installing <3>", Lines: []Line{{Label: "seen", Text: "for 2s"}}}},
		{Type: StepFinished, Step: "mce", Result: &Result{Status: Changed, Duration: 3 * time.Second, Outputs: map[string]any{"name": "x"}}},
		{Type: StepPlanned, Step: "host", Key: "worker0", Plan: &Plan{Decision: "run"}},
		{Type: StepStarted, Step: "host", Key: "worker0", Start: &Start{Phase: "hub", Uses: "metal3/host"}},
		{Type: Intent, Step: "host", Key: "worker0", Effect: &Effect{ID: 1, Verb: "exec", Object: "oc-mirror"}},
		{Type: StepWarned, Step: "host", Key: "worker0", Report: &Report{Title: "powered on"}},
	}
	for n := range events {
		events[n].Seq = n + 1
		events[n].Time = at.Add(time.Duration(n) * time.Second)
	}
	return events
}

func written(t *testing.T, events []Event) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := j.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the journal's mode is %v, want 0600", info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(b []byte) (events []Event, err error) {
	for e, err := range Read(bytes.NewReader(b)) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestJournalReadsBackWhatItTook(t *testing.T) {
	want := sample()
	got, err := read(written(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("read back (-written +read):\n%s", d)
	}
}

func TestCreateRefusesAJournalThatExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("Create over a file gave %v", err)
	}
}

// A journal cut at any byte gives the whole lines before the cut.
func TestReadToleratesATornLine(t *testing.T) {
	b := written(t, sample())
	for cut := range b {
		events, err := read(b[:cut])
		whole := bytes.Count(b[:cut], []byte("\n"))
		if len(events) != whole {
			t.Fatalf("cut at %d: %d events, want %d", cut, len(events), whole)
		}
		atEnd := cut == 0 || b[cut-1] == '\n'
		if atEnd && err != nil || !atEnd && !errors.Is(err, ErrTorn) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	whole := string(written(t, sample()))
	lines := strings.SplitAfter(whole, "\n")
	for _, tc := range []struct{ name, text, want string }{
		{"later version", strings.Replace(whole, `"version":1`, `"version":2,"more":{"x":[]}`, 1), "later version, 2, and this labrun reads up to 1: use labrun v0.1.0"},
		{"no journal", "hello\n", "first line is no run.started"},
		{"first line is another event", lines[1] + lines[2], "first line is no run.started"},
		{"garbage in the middle", lines[0] + "{oops\n" + lines[1], "line 2 of the journal is no event"},
		{"a line is missing", lines[0] + lines[2], "line 2 of the journal has the number 3"},
		{"zeros at the end", lines[0] + strings.Repeat("\x00", 64), ErrTorn.Error()},
		{"zeros and a newline at the end", lines[0] + strings.Repeat("\x00", 64) + "\n", ErrTorn.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := read([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
	if _, err := read([]byte(strings.Replace(whole, `"version":1`, `"version":9`, 1))); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version gives %v, want ErrVersion", err)
	}
}

func TestJournalStopsAtItsFirstError(t *testing.T) {
	j, err := Create(filepath.Join(t.TempDir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.file.Close(); err != nil {
		t.Fatal(err)
	}
	events := sample()
	first := j.Take(events[0])
	if first == nil {
		t.Fatal("a closed file took an event")
	}
	if second := j.Take(events[1]); second != first {
		t.Errorf("after %v came %v", first, second)
	}
}

func TestFold(t *testing.T) {
	b := written(t, sample())
	s, err := Fold(Read(bytes.NewReader(b[:len(b)-3])))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Torn || s.Finished || s.Run.Number != 7 {
		t.Errorf("torn %v, finished %v, run %d", s.Torn, s.Finished, s.Run.Number)
	}
	var got []string
	for _, st := range s.Steps {
		got = append(got, fmt.Sprintf("%s %s %q", st.Phase, st.ID, st.Status()))
		for _, i := range st.Instances {
			got = append(got, fmt.Sprintf("  %s %s running=%v open=%d waited=%v", i.Name(), i.Typed(), i.Running(), len(i.Open), i.Waited))
		}
	}
	want := []string{
		`hub mce "changed"`, `  mce mce running=false open=0 waited=true`,
		`hub host ""`, `  host[worker0] host.worker0 running=true open=1 waited=false`,
		`hub last ""`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("state (-want +got):\n%s", d)
	}
}

func TestWorse(t *testing.T) {
	order := []Status{"", Skipped, OK, Changed, Blocked, Cancelled, Failed}
	for n, a := range order {
		for m, b := range order {
			if got := Worse(a, b); got != order[max(n, m)] {
				t.Errorf("Worse(%q, %q) = %q", a, b, got)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	j := &bytes.Buffer{}
	enc := newEncoder(j)
	for _, e := range sample() {
		if err := enc.Encode(e); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(j.Bytes())
	f.Add(j.Bytes()[:j.Len()/2])
	f.Add([]byte("{}\n"))
	f.Add([]byte("\x00\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := read(b)
		if err == nil && len(b) > 0 && len(events) == 0 {
			t.Error("something was read as nothing without an error")
		}
		if _, err := Fold(Read(bytes.NewReader(b))); err != nil && errors.Is(err, ErrTorn) {
			t.Error("a torn line is noted in the state, not returned")
		}
		// What was read is written and read as the same.
		again := &bytes.Buffer{}
		enc := newEncoder(again)
		for _, e := range events {
			if err := enc.Encode(e); err != nil {
				return // a time beyond year 9999 cannot be written
			}
		}
		twice, err := read(again.Bytes())
		if err != nil || len(twice) != len(events) {
			t.Errorf("read %d events, written again %d: %v", len(events), len(twice), err)
		}
	})
}

// A journal that lacks an event is not continued.
func TestJournalEndsAtAnEventThatCannotBeWritten(t *testing.T) {
	j, err := Create(filepath.Join(t.TempDir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	bad := Event{Type: StepFinished, Step: "mce", Result: &Result{Outputs: map[string]any{"x": make(chan int)}}}
	first := j.Take(bad)
	if first == nil || !strings.Contains(first.Error(), "step.finished of mce") {
		t.Fatalf("taking it gave %v", first)
	}
	if err := j.Take(sample()[0]); !errors.Is(err, first) {
		t.Errorf("the next event gave %v", err)
	}
	if err := j.Close(); !errors.Is(err, first) {
		t.Errorf("closing gave %v", err)
	}
}
