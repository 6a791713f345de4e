package progress

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/labrun/labrun/pipeline/event"
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
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
	flag.Bool("update", false, "write the golden files")
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// tape makes events at given seconds.
type tape struct{ events []event.Event }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (t *tape) at(seconds float64, e event.Event) {
	e.Seq, e.Time = len(t.events)+1, noon.Add(time.Duration(seconds*float64(time.Second)))
	t.events = append(t.events, e)
}

func (t *tape) start(at float64, step, key string, timeout time.Duration) {
	t.at(at, event.Event{Type: event.StepStarted, Step: step, Key: key, Start: &event.Start{
		File: "labs/steps/hypershift-baremetal.yaml", Line: 88, Column: 3, Timeout: timeout}})
}

func (t *tape) sees(at float64, step, key string, r event.Report) {
	t.at(at, event.Event{Type: event.StepProgress, Step: step, Key: key, Report: &r})
}

func (t *tape) end(at float64, step, key string, took float64, r event.Result) {
	r.Duration = time.Duration(took * float64(time.Second))
	t.at(at, event.Event{Type: event.StepFinished, Step: step, Key: key, Result: &r})
}

// night is a run in which one host fails.
func night() []event.Event {
	t := &tape{}
	t.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Version: 1, Lab: "ipv6-disconnected", Number: 7,
		Title:  "IPv6 · disconnected · hub https://api.hub.hypershiftbm.lab:6443",
		Phases: []string{"check", "hub", "workers"},
		Steps: []event.Ref{{ID: "hub_info", Phase: "check"}, {ID: "preflight", Phase: "check"}, {ID: "registry_ca", Phase: "hub"}, {ID: "user_ca_bundle", Phase: "hub"},
			{ID: "mce", Phase: "hub"}, {ID: "host", Phase: "workers"}, {ID: "agents", Phase: "workers"}}}})
	t.start(0, "hub_info", "", 0)
	t.end(0.4, "hub_info", "", 0.4, event.Result{Status: event.OK, Summary: "OpenShift 4.20.3, MCE 2.10.1, 3 nodes"})
	t.start(0.4, "preflight", "", 0)
	t.at(2, event.Event{Type: event.StepWarned, Step: "preflight", Report: &event.Report{Title: "worker2 is powered on", Next: "its disk will be wiped"}})
	t.end(2.5, "preflight", "", 2.1, event.Result{Status: event.OK, Summary: "3 of 3 workers, 1 warning"})
	t.start(2.5, "registry_ca", "", 0)
	t.end(2.6, "registry_ca", "", 0.1, event.Result{Status: event.Changed, Summary: "ConfigMap openshift-config/registry-config"})
	t.end(2.6, "user_ca_bundle", "", 0, event.Result{Status: event.Skipped, Reason: "lab.registry.cluster_wide_ca is false (labs/ipv6-disconnected.yaml:31:5)"})
	t.start(2.6, "mce", "", 30*time.Minute)
	t.sees(3, "mce", "", event.Report{Title: "MultiClusterEngine multiclusterengine", Lines: []event.Line{{Label: "seen", Text: "Available is False (ComponentsNotReady): waiting for the components assisted-service, hypershift and 3 more"}}})
	t.sees(5, "mce", "", event.Report{Title: "too soon to be told in a log"})
	t.sees(63, "mce", "", event.Report{Title: "MultiClusterEngine multiclusterengine: 3 of 12 components\n\x1b[31mavailable"})
	t.end(364.6, "mce", "", 362, event.Result{Status: event.OK, Summary: "MultiClusterEngine multiclusterengine Available"})
	for _, key := range []string{"worker1", "worker2"} {
		t.at(364.7, event.Event{Type: event.StepPlanned, Step: "host", Key: key, Plan: &event.Plan{Decision: "later"}})
		t.start(364.7, "host", key, 30*time.Minute)
	}
	t.sees(400, "host", "worker1", event.Report{Title: "BareMetalHost clusters-hosted-ipv6/worker1", Lines: []event.Line{{Label: "seen", Text: "provisioning, powered on"}}})
	t.end(464.7, "host", "worker2", 100, event.Result{Status: event.Failed, Report: &event.Report{
		Title: "BareMetalHost clusters-hosted-ipv6/worker2 cannot be registered",
		Lines: []event.Line{{Label: "it said", Text: "Failed to get power state:\nHTTP 401 from the BMC"}, {Label: "seen", Text: "registering for 1m31s, last change 12:04:31"},
			{Label: "BMC", Text: "https://[2620:52:0:1305::1]:9000 refuses the user of Secret worker2-bmc"}},
		Next: "labrun preflight labs/ipv6-disconnected.yaml --host worker2", Code: "bmh-registration"}})
	t.at(465, event.Event{Type: event.StepEvidence, Step: "host", Key: "worker2", Evidence: &event.Evidence{Page: "/state/7/host.worker2/why.md"}})
	t.end(580, "host", "worker1", 215, event.Result{Status: event.OK, Summary: "provisioned"})
	t.end(580, "agents", "", 0, event.Result{Status: event.Blocked, Reason: "needs host, which failed"})
	t.at(580, event.Event{Type: event.RunFinished, Summary: &event.Summary{Exit: 1, Duration: 580 * time.Second,
		Counts:   map[event.Status]int{event.OK: 4, event.Changed: 1, event.Skipped: 1, event.Failed: 1, event.Blocked: 1},
		Requests: map[string]int{"hub reads": 412, "hub writes": 31}}})
	return t.events
}

func TestPlain(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, PlainOptions{})
	for _, e := range night() {
		if err := p.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	Failures(&out, p.State(), false)
	Closing(&out, p.State())
	golden(t, "plain.txt", out.Bytes())
}

func TestClosingOfAnInterruptedRun(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, PlainOptions{})
	tape := &tape{}
	tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "ipv4", Number: 1, Steps: []event.Ref{{ID: "a"}, {ID: "b"}, {ID: "c"}}}})
	tape.end(1, "a", "", 0, event.Result{Status: event.Cancelled, Reason: "interrupted"})
	tape.start(1, "b", "w0", 0)
	tape.end(2, "b", "w0", 1, event.Result{Status: event.Cancelled, Reason: "interrupted"})
	tape.at(2, event.Event{Type: event.RunFinished, Summary: &event.Summary{Exit: 130, Duration: 2 * time.Second, Counts: map[event.Status]int{event.Cancelled: 2}}})
	for _, e := range tape.events {
		if err := p.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	Closing(&out, p.State())
	golden(t, "interrupted.txt", out.Bytes())
}

// screen plays what the renderer writes and gives what a terminal would show.
func screen(out []byte) string {
	lines := []string{""}
	text := string(out)
	for len(text) > 0 {
		var up int
		switch {
		case strings.HasPrefix(text, "\x1b["):
			if n, _ := fmt.Sscanf(text, "\x1b[%dA", &up); n == 1 && strings.HasPrefix(text, fmt.Sprintf("\x1b[%dA\r\x1b[J", up)) {
				text = strings.TrimPrefix(text, fmt.Sprintf("\x1b[%dA\r\x1b[J", up))
				lines = append(lines[:len(lines)-1-up], "")
				continue
			}
			text = text[strings.Index(text, "m")+1:] // a colour
		case text[0] == '\n':
			lines = append(lines, "")
			text = text[1:]
		default:
			lines[len(lines)-1] += text[:1]
			text = text[1:]
		}
	}
	return strings.Join(lines, "\n")
}

func play(events []event.Event, columns, rows int, colour bool) []byte {
	var out bytes.Buffer
	var now time.Time
	term := NewTerminal(&out, TerminalOptions{Colour: colour, Still: true, Now: func() time.Time { return now },
		Size: func() (int, int) { return columns, rows }})
	for _, e := range events {
		now = e.Time
		_ = term.Take(e)
	}
	return out.Bytes()
}

func TestTerminal(t *testing.T) {
	all := night()
	half := all
	for n, e := range all {
		if e.Type == event.StepFinished && e.Key == "worker2" {
			half = all[:n+1]
		}
	}
	for _, tc := range []struct {
		name    string
		events  []event.Event
		columns int
		colour  bool
	}{
		{"terminal-running.txt", half, 120, false},
		{"terminal-done.txt", all, 120, false},
		{"terminal-narrow.txt", half, 40, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			shown := screen(play(tc.events, tc.columns, 24, tc.colour))
			for _, line := range strings.Split(shown, "\n") {
				if cells(line) >= tc.columns+1 {
					t.Errorf("%d columns: %q", cells(line), line)
				}
			}
			golden(t, tc.name, []byte(shown))
		})
	}
	if a, b := screen(play(all, 120, 24, true)), screen(play(all, 120, 24, false)); a != b {
		t.Errorf("colours change the layout:\n%s", cmp.Diff(b, a))
	}
}

// Forty steps that run at once on a small terminal: never more lines than it has.
func TestTerminalFortySteps(t *testing.T) {
	tape := &tape{}
	run := &event.Run{Lab: "big", Number: 1, Phases: []string{"only"}}
	for n := range 40 {
		run.Steps = append(run.Steps, event.Ref{ID: fmt.Sprintf("s%02d", n), Phase: "only"})
	}
	tape.at(0, event.Event{Type: event.RunStarted, Run: run})
	for n := range 40 {
		tape.start(0, fmt.Sprintf("s%02d", n), "", time.Hour)
	}
	shown := screen(play(tape.events, 80, 24, false))
	if !strings.Contains(shown, "… and 19 more that run") {
		t.Errorf("shown:\n%s", shown)
	}
	if n := strings.Count(shown, "\n"); n > 24 {
		t.Errorf("%d lines on 24 rows", n)
	}
}

func TestTerminalRedrawsByTheClock(t *testing.T) {
	tape := &tape{}
	tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "x", Steps: []event.Ref{{ID: "a"}}}})
	tape.start(0, "a", "", 0)
	drawn := make(chan string, 100)
	term := NewTerminal(writer(func(b []byte) { drawn <- string(b) }), TerminalOptions{Size: func() (int, int) { return 80, 24 }})
	for _, e := range tape.events {
		_ = term.Take(e)
	}
	for text := range drawn {
		if strings.Contains(text, spinner(1)) {
			break
		}
	}
	go func() {
		for range drawn {
		}
	}()
	term.Close()
	term.Close() // twice is once
	close(drawn)
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0s", 400 * time.Millisecond: "0.4s", 59*time.Second + 980*time.Millisecond: "1m00s", 362 * time.Second: "6m02s",
		time.Hour: "1h00m", 65 * time.Minute: "1h05m", -time.Second: "0.0s",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestSeen(t *testing.T) {
	for _, tc := range []struct{ key, title, line, want string }{
		{"", "MultiClusterEngine multiclusterengine", "Available is False", "MultiClusterEngine: Available is False"},
		{"", "HostedCluster clusters/hosted", "Available is False", "HostedCluster hosted: Available is False"},
		{"worker1", "BareMetalHost clusters/worker1", "state provisioning", "state provisioning"},
		{"worker1", "BareMetalHost clusters/worker1", "", "BareMetalHost worker1"},
		{"worker1", "BareMetalHost clusters/worker1: registration error", "HTTP 401", "BareMetalHost worker1: registration error: HTTP 401"},
		{"", "https://a.example/x.iso does not answer", "refused", "https://a.example/x.iso does not answer: refused"},
		{"", "waiting", "", "waiting"},
	} {
		i := &event.Instance{Key: tc.key, Seen: &event.Report{Title: tc.title}}
		if tc.line != "" {
			i.Seen.Lines = []event.Line{{Label: "seen", Text: tc.line}}
		}
		if got := seen(i); got != tc.want {
			t.Errorf("seen(%q, %q) = %q, want %q", tc.title, tc.line, got, tc.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"äöü", 2, "ä…"}, {"日本語", 4, "日…"}, {"abc", 0, ""}, {"abc", 1, "…"}} {
		if got := cut(tc.text, tc.n); got != tc.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tc.text, tc.n, got, tc.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[2Jb\nc\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		if got := clean(s); strings.ContainsAny(got, "\x1b\n\r\b\a\u009b\u202e") {
			t.Errorf("clean(%q) = %q", s, got)
		}
	})
}

func TestProofs(t *testing.T) {
	all := []Proof{
		{Name: "worker2", About: "Acme R1 1.0", Mark: Bad, Counts: "1 fail, 8 pass", Took: 1200 * time.Millisecond,
			Lines: []event.Line{{Label: "BMC", Text: "redfish+https://[::1]:9000/redfish/v1/Systems/2"}, {Label: "fail", Text: "auth: HTTP 401\x1b[2J\nno"}, {Label: "do", Text: "mend the password"}}},
		{Name: "cluster", Mark: Open, Counts: "1 unknown, 5 skip", Lines: []event.Line{{Label: "unknown", Text: "hub: there is no kubeconfig"}}},
		{Name: "w1", About: "redfish+https://[::1]:9000/redfish/v1/Systems/1", Mark: Warned, Counts: "1 warn, 26 pass", Took: time.Second, Lines: []event.Line{{Label: "warn", Text: "power: on"}}},
		{Name: "w0", About: "redfish+https://[::1]:9000/redfish/v1/Systems/0", Counts: "27 pass"},
		{Name: "registry", Mark: Skipped, Counts: "4 skip"},
	}
	failures := []Failure{{"worker2", "auth: HTTP 401\x1b[2J", "mend the password"}}
	for range failuresShown {
		failures = append(failures, Failure{Whose: "dns", Cause: "name-api: no address"})
	}
	for name, colour := range map[string]bool{"proofs.txt": false, "proofs-colour.txt": true} {
		var out bytes.Buffer
		if err := errors.Join(Proofs(&out, all, colour), Reminder(&out, failures, colour)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

// A board draws what is asked in place, and takes all of it away at the end.
func TestBoard(t *testing.T) {
	var out bytes.Buffer
	now := noon
	b := NewBoard(&out, []string{"w0", "w1", "dns"}, TerminalOptions{Still: true, Now: func() time.Time { return now }, Size: func() (int, int) { return 60, 4 }})
	now = now.Add(2 * time.Second)
	b.Tell("w1", "boot-mac")
	b.Done("w0")
	b.Done("w1")
	b.Done("dns")
	b.Close()
	golden(t, "board.txt", out.Bytes())
}
