package pipeline

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

// past makes a folded run of one instance: its events after the start.
func past(number int, events ...event.Event) *event.State {
	s := &event.State{}
	s.Add(event.Event{Type: event.RunStarted, Run: &event.Run{Number: number, Steps: []event.Ref{{ID: "mirror"}}}})
	for _, e := range events {
		e.Step = "mirror"
		s.Add(e)
	}
	return s
}

// What counts of several runs is the newest that had the effect, or was as one that
// had it.
func TestRecollect(t *testing.T) {
	started := event.Event{Type: event.StepStarted, Start: &event.Start{Uses: "exec", Digest: "d"}}
	intent := func(observable bool) event.Event {
		return event.Event{Type: event.Intent, Effect: &event.Effect{ID: 1, Verb: "exec", Object: "sh", Observable: observable}}
	}
	done := event.Event{Type: event.Done, Effect: &event.Effect{ID: 1}}
	ended := func(s event.Status, as int) event.Event {
		return event.Event{Type: event.StepFinished, Result: &event.Result{Status: s, As: as, Outputs: "o"}}
	}
	good := past(3, started, intent(false), done, ended(event.Changed, 0))
	for _, tc := range []struct {
		name string
		runs []*event.State
		want string // run, its kind and digest, lone intent of which run
	}{
		{"never", nil, "0  "},
		{"of another step", []*event.State{past(4)}, "0  "},
		{"ended well", []*event.State{good}, "3 exec d"},
		{"as it was before", []*event.State{past(5, started, ended(event.OK, 3))}, "3 exec d"},
		{"skipped since", []*event.State{past(4, ended(event.Skipped, 0)), good}, "3 exec d"},
		{"left out since", []*event.State{past(4), good}, "3 exec d"},
		{"cancelled before its effect", []*event.State{past(4, started, ended(event.Cancelled, 0)), good}, "3 exec d"},
		{"killed before its effect", []*event.State{past(4, started), good}, "3 exec d"},
		{"failed since", []*event.State{past(4, started, intent(false), done, ended(event.Failed, 0)), good}, "0  "},
		{"killed within it", []*event.State{past(4, started, intent(false)), good}, "0   lone 4"},
		{"killed within it, and not begun since", []*event.State{past(5, started), past(4, started, intent(false)), good}, "0   lone 4"},
		{"killed within what can be seen", []*event.State{past(4, started, intent(true)), good}, "3 exec d"},
		{"killed after it", []*event.State{past(4, started, intent(false), done), good}, "0  "},
	} {
		r := Recollect(tc.runs, "mirror", "")
		got := fmt.Sprint(r.Run, " ", r.Uses, " ", r.Digest)
		if r.Lone != nil {
			got += fmt.Sprint(" lone ", r.LoneRun)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestChangesSince(t *testing.T) {
	before := Remembered{Run: 1, Uses: "exec", Digest: "d", Options: map[string]string{"a": "0123456789", "gone": "1"}, Inputs: map[string]string{"f": "x"}}
	for _, tc := range []struct {
		name string
		now  event.Start
		want []string
	}{
		{"nothing", event.Start{Uses: "exec", Digest: "d", Options: before.Options, Inputs: before.Inputs}, nil},
		{"nothing but labrun", event.Start{Uses: "exec", Digest: "e", Options: before.Options, Inputs: before.Inputs}, nil},
		{"the kind", event.Start{Uses: "shell", Digest: "e", Options: before.Options, Inputs: before.Inputs}, []string{"it is another kind of step"}},
		{"all", event.Start{Uses: "exec", Digest: "e", Options: map[string]string{"a": "abcdefghij", "new": "2"}, Inputs: map[string]string{"f": "y"}},
			[]string{"option a changed (01234567 → abcdefgh)", "option gone is gone", "option new is new (2)", "input f changed (x → y)"}},
	} {
		if d := cmp.Diff(tc.want, changesSince(before, tc.now)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
}

// onceOld and onceNew are the options of a step as two releases know them.
type onceOld struct {
	Text string `yaml:"text"`
}

type onceNew struct {
	Text  string `yaml:"text"`
	Added int    `yaml:"added"`
}

func (onceOld) Run(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }
func (onceNew) Run(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }

func (onceOld) Remember(context.Context, struct{}) (map[string]string, bool, error) {
	return map[string]string{"images": "1"}, true, nil
}

func (onceNew) Remember(context.Context, struct{}) (map[string]string, bool, error) {
	return map[string]string{"images": "1"}, true, nil
}

// A step is as an earlier run left it also where that run's labrun knew an option less.
func TestRememberOlderLabrun(t *testing.T) {
	begin := func(kind Kind[struct{}], options any, before Remembered) (event.Start, bool) {
		now, same, err := remember(t.Context(), &Declared[struct{}]{Kind: kind}, struct{}{}, options, []byte("salt"), before)
		if err != nil {
			t.Fatal(err)
		}
		return now, same
	}
	start, _ := begin(Use[onceOld]("exec", "", ""), onceOld{"x"}, Remembered{})
	before := Remembered{Run: 1, Uses: start.Uses, Digest: start.Digest, Options: start.Options, Inputs: start.Inputs}
	for _, tc := range []struct {
		name    string
		options onceNew
		kind    string
		want    string // why it runs again
	}{
		{"nothing else", onceNew{Text: "x"}, "exec", ""},
		{"the new option is given", onceNew{Text: "x", Added: 3}, "exec", "option added is new"},
		{"an old one changed", onceNew{Text: "y"}, "exec", "option text changed"},
		{"the kind", onceNew{Text: "x"}, "shell", "it is another kind of step"},
	} {
		now, same := begin(Use[onceNew](tc.kind, "", ""), tc.options, before)
		because := strings.Join(now.Because, ", ")
		if same != (tc.want == "") || !strings.HasPrefix(because, tc.want) || tc.want == "" && because != "" {
			t.Errorf("%s: same %t, because %q, want %q", tc.name, same, because, tc.want)
		}
		if now.Digest == before.Digest {
			t.Errorf("%s: the digest of all options does not tell the releases apart", tc.name)
		}
	}
}

type slowOnce struct{}

func (slowOnce) Run(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }

// Remember reads inputs until it is told to stop.
func (slowOnce) Remember(ctx context.Context, _ struct{}) (map[string]string, bool, error) {
	<-ctx.Done()
	return nil, true, fmt.Errorf("reading the input mirror/: %w", ctx.Err())
}

// Inputs are read within the step's time, and no longer than the run lasts.
func TestRememberEnds(t *testing.T) {
	for _, tc := range []struct {
		name, timeout string
		within        time.Duration // of the run
		want          string
		exit          int
	}{
		{"its time is up", "1ms", time.Minute, "mirror failed: mirror timed out after 1ms", 1},
		{"the run is ended", "1h", time.Millisecond, "mirror cancelled: context deadline exceeded", 130},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := testRequest(write(t, head+"phases: [one]\nsteps:\n  - {id: mirror, phase: one, uses: slow, timeout: "+tc.timeout+"}\n"))
				p, found := Load(Request[struct{}]{File: req.File, Kinds: []Kind[struct{}]{Use[slowOnce]("slow", "", "")}, Schema: req.Schema, Environ: req.Environ})
				if len(found) > 0 {
					t.Fatal(found)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tc.within)
				defer cancel()
				r := &recorder{}
				summary, err := p.Run(ctx, RunOptions[struct{}]{Env: func(*Scope) struct{} { return struct{}{} }, Sinks: []event.Sink{r}})
				if got := strings.Join(r.inOrder(), ", "); err != nil || got != tc.want || summary.Exit != tc.exit {
					t.Errorf("%s, exit %d, %v; want %s, exit %d", got, summary.Exit, err, tc.want, tc.exit)
				}
			})
		})
	}
}

// An option's digest depends on its value, its name and the lab's salt.
func TestOptionDigests(t *testing.T) {
	type options struct {
		A, B string `yaml:"a,omitempty"`
		Env  map[string]string
		no   string
	}
	_ = options{}.no
	one := optionDigests([]byte("salt"), options{B: "x", Env: map[string]string{"k": "v"}})
	if len(one) != 2 || len(one["a"]) != 64 || len(one["env"]) != 64 {
		t.Fatalf("%v", one)
	}
	if two := optionDigests([]byte("other"), options{B: "x", Env: map[string]string{"k": "v"}}); two["a"] == one["a"] {
		t.Error("the salt makes no difference")
	}
	if same := optionDigests([]byte("salt"), options{B: "x", Env: map[string]string{"k": "v"}}); !reflect.DeepEqual(one, same) {
		t.Errorf("%v, then %v", one, same)
	}
}

// Outputs in which a secret was masked are not those that the step gave.
func TestHoldsMask(t *testing.T) {
	for _, tc := range []struct {
		v    any
		want bool
	}{{"token ***", true}, {map[string]any{"a": []any{"***"}}, true}, {map[string]any{"a": []any{"x", 3.0}}, false}, {nil, false}} {
		if got := holdsMask(tc.v); got != tc.want {
			t.Errorf("%v: %t", tc.v, got)
		}
	}
}
