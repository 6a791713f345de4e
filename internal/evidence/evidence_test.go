package evidence

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

const secret = "hunter2hunter2"

// failure is what a run told until its host failed.
func failure(t *testing.T) (*Keeper, pipeline.Failure) {
	t.Helper()
	mask := strings.NewReplacer(secret, "***").Replace
	k := New("lab.yaml --values v.yaml", mask, func(code string) (Advice, bool) {
		return Advice{ID: code, Means: "Metal3 cannot talk to the BMC.", Cures: []string{"Compare the user and password with the BMC's."}}, code == "bmh-registration"
	})
	report := &event.Report{
		Title: "BareMetalHost clusters-hosted/worker0 has a registration error, 2nd attempt", Code: "bmh-registration",
		Lines: []event.Line{{Label: "it said", Text: "HTTP 401\nfrom the BMC"}, {Label: "since", Text: "12:00:31"}},
		Next:  "labrun preflight lab.yaml --host worker0",
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for n, e := range []event.Event{
		{Type: event.RunStarted, Run: &event.Run{Lab: "ipv6", File: "lab.yaml", Number: 7, Title: "IPv6 · hub https://hub:6443"}},
		{Type: event.StepStarted, Step: "host", Key: "worker0", Start: &event.Start{File: "builtin:hypershift-baremetal", Line: 88, Column: 3}},
		{Type: event.Intent, Step: "host", Key: "worker0", Effect: &event.Effect{ID: 1, Verb: "create", Object: "BareMetalHost clusters-hosted/worker0"}},
		{Type: event.Done, Step: "host", Key: "worker0", Effect: &event.Effect{ID: 1, Verb: "create", Object: "BareMetalHost clusters-hosted/worker0", Changed: true}},
		{Type: event.StepProgress, Step: "other", Report: &event.Report{Title: "something else"}},
		{Type: event.StepProgress, Step: "host", Key: "worker0", Report: &event.Report{Title: "registering", Lines: []event.Line{{Label: "seen", Text: "power unknown"}}}},
		{Type: event.StepFinished, Step: "host", Key: "worker0", Result: &event.Result{Status: event.Failed, Duration: 100 * time.Second, Report: report}},
	} {
		e.Seq, e.Time = n+1, at.Add(time.Duration(n)*10*time.Second)
		if err := k.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	return k, pipeline.Failure{Step: "host", Key: "worker0", Uses: "metal3/host", Dir: filepath.Join(t.TempDir(), "host.worker0"),
		Result: event.Result{Status: event.Failed, Duration: 100 * time.Second, Report: report}}
}

func TestCollect(t *testing.T) {
	k, f := failure(t)
	f.Witness = func(_ context.Context, keep pipeline.Keep) error {
		return errors.Join(
			keep("conditions.txt", []byte("password "+secret+"\n")),
			keep("logs/metal3.ironic.log", []byte(strings.Repeat("a line of the log\n", 20000)+"the last line\n")),
			keep("../../outside", []byte("x")),
			fmt.Errorf("asking the BMC of worker0: %w", errors.New("HTTP 401 for "+secret)),
		)
	}
	kept := k.Collect(t.Context(), f)
	want := &event.Evidence{Page: filepath.Join(f.Dir, "why.md"), Files: []string{"conditions.txt", "logs/metal3.ironic.log", "_/_/outside"}}
	if d := cmp.Diff(want, kept); d != "" {
		t.Fatalf("kept (-want +got):\n%s", d)
	}
	for _, name := range append(kept.Files, Page) {
		path := filepath.Join(f.Dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() > fileLimit {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s holds the secret, or cannot be read: %v", name, err)
		}
		if name == "logs/metal3.ironic.log" && (!strings.HasPrefix(string(text), "a line") || !strings.HasSuffix(string(text), "the last line\n")) {
			t.Errorf("the log was not cut at lines, or lost its end")
		}
	}
	page, err := os.ReadFile(kept.Page)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "why.md", page)
}

// What comes after the time for collecting is up is not kept, and the page says
// that something did not answer.
func TestCollectTooLate(t *testing.T) {
	k, f := failure(t)
	var late pipeline.Keep
	f.Witness = func(ctx context.Context, keep pipeline.Keep) error {
		late = keep
		<-ctx.Done()
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	kept := k.Collect(ctx, f)
	if err := late("late.txt", nil); err == nil || kept == nil || len(kept.Files) > 0 {
		t.Errorf("kept %v, and late: %v", kept, err)
	}
	page, err := os.ReadFile(kept.Page)
	if err != nil || !strings.Contains(string(page), "the time for collecting evidence was up") {
		t.Errorf("%v, the page:\n%s", err, page)
	}
}

// A folder that cannot be written leaves no evidence, and breaks nothing.
func TestCollectNowhere(t *testing.T) {
	k, f := failure(t)
	if err := os.WriteFile(f.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Witness = func(_ context.Context, keep pipeline.Keep) error { return keep("a.txt", []byte("a")) }
	if kept := k.Collect(t.Context(), f); kept != nil {
		t.Errorf("kept %v", kept)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}
