package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

// env is the environment of these tests: a scope, and what the steps do.
type env struct {
	scope *Scope
	do    map[string]func(ctx context.Context, env *env) error
}

type act struct {
	Note string `yaml:"note,omitempty"`
}

type acted struct {
	Name string `yaml:"name"`
}

func (a acted) Summary() string { return "did " + a.Name }

func (a act) Run(ctx context.Context, e *env) (acted, error) {
	do := e.do[e.scope.Step]
	if do == nil {
		return acted{name(e.scope.Step, e.scope.Key)}, nil
	}
	return acted{name(e.scope.Step, e.scope.Key)}, do(ctx, e)
}

// fixed resolves from tables, by step id.
type fixed struct {
	skip  map[string]string
	items map[string][]string
	err   map[string]error
}

func (f fixed) WhyNot(_ *Pipeline[*env], d *Declared[*env], in *Instance, _ map[string]any) (string, error) {
	if in != nil && f.skip[d.ID+"."+in.Key] != "" {
		return f.skip[d.ID+"."+in.Key], nil
	}
	return f.skip[d.ID], nil
}

func (f fixed) Instances(_ *Pipeline[*env], d *Declared[*env], _ map[string]any) ([]Instance, error) {
	var found []Instance
	for n, key := range f.items[d.ID] {
		found = append(found, Instance{Key: key, Item: key, Index: n})
	}
	return found, f.err[d.ID]
}

func (f fixed) Options(_ *Pipeline[*env], d *Declared[*env], values map[string]any) (any, error) {
	return act{Note: fmt.Sprint(values["steps"])}, f.err[d.ID]
}

// recorder keeps the events.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
	fail   func(event.Event) error
}

func (r *recorder) Take(e event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		if err := r.fail(e); err != nil {
			return err
		}
	}
	r.events = append(r.events, e)
	return nil
}

// results gives how each instance ended: "host[w0] failed: because".
func (r *recorder) results() []string {
	var got []string
	for _, e := range r.events {
		if e.Type != event.StepFinished {
			continue
		}
		text := name(e.Step, e.Key) + " " + string(e.Result.Status)
		if e.Result.Reason != "" {
			text += ": " + e.Result.Reason
		}
		if e.Result.Report != nil {
			text += ": " + e.Result.Report.Title
		}
		got = append(got, text)
	}
	slices.Sort(got)
	return got
}

// steps makes a pipeline of lines "id < need need"; "id*" has a forEach.
func steps(lines ...string) *Pipeline[*env] {
	kind := Use[act]("test/act", "", "")
	p := &Pipeline[*env]{Name: "lab", File: "lab.yaml", Phases: []string{"only"}, Values: map[string]any{}}
	for n, line := range lines {
		id, needs, _ := strings.Cut(line, "<")
		d := &Declared[*env]{ID: strings.TrimSpace(id), Phase: "only", Kind: kind, Pos: source.Position{File: "lab.yaml", Line: n + 1, Column: 3}}
		if strings.HasSuffix(d.ID, "*") {
			d.ID = strings.TrimSuffix(d.ID, "*")
			d.ForEach = &Expression{Text: "lab.workers"}
		}
		for _, need := range strings.Fields(needs) {
			d.Edges = append(d.Edges, Edge{From: need, Reason: ByNeeds})
		}
		p.Steps = append(p.Steps, d)
	}
	return p
}

type does map[string]func(ctx context.Context, e *env) error

func runOptions(r *recorder, f fixed, do does) RunOptions[*env] {
	return RunOptions[*env]{
		Env:     func(s *Scope) *env { return &env{scope: s, do: do} },
		Sinks:   []event.Sink{r},
		Number:  1,
		resolve: f,
	}
}

func fails(text string) func(context.Context, *env) error {
	return func(context.Context, *env) error { return errors.New(text) }
}

type coded struct{ code int }

func (c coded) Error() string { return fmt.Sprintf("code %d", c.code) }
func (c coded) ExitCode() int { return c.code }

func TestRunStatuses(t *testing.T) {
	defer goleak.VerifyNone(t)
	change := func(ctx context.Context, e *env) error {
		return e.scope.Do(ctx, "apply", "ConfigMap a/b", func(context.Context) (bool, string, error) { return true, "u", nil })
	}
	look := func(ctx context.Context, e *env) error {
		return e.scope.DoObservable(ctx, "apply", "ConfigMap a/b", func(context.Context) (bool, string, error) { return false, "u", nil })
	}
	for _, tc := range []struct {
		name  string
		steps []string
		fixed fixed
		do    does
		want  []string
		exit  int
	}{
		{"ok, changed and skipped", []string{"a", "b < a", "c < b", "d < c"}, fixed{skip: map[string]string{"c": "lab.x is false"}},
			does{"a": change, "b": look}, []string{"a changed", "b ok", "c skipped: lab.x is false", "d ok"}, 0},
		{"a failure blocks what is below, not beside", []string{"a", "b", "c < a", "d < c b", "e < b"}, fixed{},
			does{"a": fails("no")}, []string{"a failed: no", "b ok", "c blocked: needs a, which failed", "d blocked: needs a, which failed", "e ok"}, 1},
		{"forEach", []string{"h* < a", "a", "z < h"}, fixed{items: map[string][]string{"h": {"w0", "w1", "w2"}}, skip: map[string]string{"h.w1": "not usable"}},
			nil, []string{"a ok", "h[w0] ok", "h[w1] skipped: not usable", "h[w2] ok", "z ok"}, 0},
		{"forEach over nothing", []string{"h*", "z < h"}, fixed{}, nil, []string{"h skipped: forEach has nothing to repeat over: lab.workers is empty", "z ok"}, 0},
		{"one instance fails, the others end", []string{"h*", "z < h"}, fixed{items: map[string][]string{"h": {"w0", "w1"}}},
			does{"h": func(_ context.Context, e *env) error {
				if e.scope.Key == "w0" {
					return errors.New("no power")
				}
				return nil
			}}, []string{"h[w0] failed: no power", "h[w1] ok", "z blocked: needs h, which failed"}, 1},
		{"forEach does not evaluate", []string{"h*", "z < h"}, fixed{err: map[string]error{"h": errors.New("nothing there")}}, nil,
			[]string{"h failed: nothing there", "z blocked: needs h, which failed"}, 1},
		{"options do not evaluate", []string{"a"}, fixed{err: map[string]error{"a": errors.New("nothing there")}}, nil, []string{"a failed: nothing there"}, 1},
		{"preflight", []string{"a", "b"}, fixed{}, does{"a": fails("x"), "b": func(context.Context, *env) error { return fmt.Errorf("hosts: %w", coded{3}) }},
			[]string{"a failed: x", "b failed: hosts: code 3"}, 3},
		{"another run holds the lab", []string{"a", "b < a"}, fixed{}, does{"a": func(context.Context, *env) error { return fmt.Errorf("ConfigMap a/b: %w", coded{4}) }},
			[]string{"a failed: ConfigMap a/b: code 4", "b blocked: needs a, which failed"}, 4},
		{"another run holds the lab, and a pre-flight failed", []string{"a", "b"}, fixed{},
			does{"a": func(context.Context, *env) error { return coded{4} }, "b": func(context.Context, *env) error { return coded{3} }},
			[]string{"a failed: code 4", "b failed: code 3"}, 4},
		{"the exit code of a program is its own", []string{"a"}, fixed{}, does{"a": func(ctx context.Context, _ *env) error {
			return exec.CommandContext(ctx, "sh", "-c", "exit 4").Run()
		}}, []string{"a failed: exit status 4"}, 1},
		{"panic", []string{"a", "b < a"}, fixed{}, does{"a": func(context.Context, *env) error { panic("oops") }},
			[]string{"a failed: the step test/act broke down: oops", "b blocked: needs a, which failed"}, 1},
		{"goexit", []string{"a"}, fixed{}, does{"a": func(context.Context, *env) error { runtime.Goexit(); return nil }},
			[]string{"a failed: the step ended without a result"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recorder{}
			summary, err := steps(tc.steps...).Run(t.Context(), runOptions(r, tc.fixed, tc.do))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, r.results()); d != "" {
				t.Errorf("results (-want +got):\n%s", d)
			}
			if summary.Exit != tc.exit {
				t.Errorf("exit %d, want %d", summary.Exit, tc.exit)
			}
			total := 0
			for n := range maps.Values(summary.Counts) {
				total += n
			}
			if total != len(tc.want) {
				t.Errorf("the summary counts %v", summary.Counts)
			}
			for n, e := range r.events {
				if e.Seq != n+1 || e.Time.Location() != time.UTC {
					t.Errorf("event %d has the number %d and the time %s", n, e.Seq, e.Time)
				}
			}
			if last := r.events[len(r.events)-1]; last.Type != event.RunFinished || r.events[0].Type != event.RunStarted {
				t.Errorf("the stream begins with %s and ends with %s", r.events[0].Type, last.Type)
			}
		})
	}
}

// A phase comes after another one whole; a failure in it blocks all that follow,
// and a step that the file takes out is skipped with its reason.
func TestRunPhases(t *testing.T) {
	p := steps("a", "b", "c", "d")
	p.Phases = []string{"one", "two", "three"}
	for n, phase := range []string{"one", "one", "two", "three"} {
		p.Steps[n].Phase = phase
	}
	p.Steps[2].Edges = []Edge{{Phase: "one", Reason: ByPhase}}
	p.Steps[3].Edges = []Edge{{Phase: "two", Reason: ByPhase}}
	p.Steps[1].Disabled = "our hub has it"
	for fail, want := range map[bool][]string{
		false: {"a ok", "b skipped: disabled: our hub has it", "c ok", "d ok"},
		true:  {"a failed: no", "b skipped: disabled: our hub has it", "c blocked: needs a, which failed", "d blocked: needs a, which failed"},
	} {
		do := does{}
		if fail {
			do["a"] = fails("no")
		}
		r := &recorder{}
		if _, err := p.Run(t.Context(), runOptions(r, fixed{}, do)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, r.results()); d != "" {
			t.Errorf("results (-want +got):\n%s", d)
		}
	}
}

// What can go side by side does: each step waits until all have begun.
func TestRunSideBySide(t *testing.T) {
	defer goleak.VerifyNone(t)
	var all sync.WaitGroup
	all.Add(4)
	meet := func(context.Context, *env) error {
		all.Done()
		all.Wait()
		return nil
	}
	r := &recorder{}
	o := runOptions(r, fixed{items: map[string][]string{"h": {"w0", "w1"}}}, does{"a": meet, "b": meet, "h": meet})
	summary, err := steps("a", "b", "h*", "z < a b h").Run(t.Context(), o)
	if err != nil || summary.Counts[event.OK] != 5 {
		t.Errorf("%v, %v", summary, err)
	}
}

func TestRunParallelLimit(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	r := &recorder{}
	one := func(context.Context, *env) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}
	do, ids := does{}, []string{}
	for n := range 50 {
		id := fmt.Sprintf("s%d", n)
		ids, do[id] = append(ids, id), one
	}
	o := runOptions(r, fixed{}, do)
	o.Parallel = 3
	if summary, err := steps(ids...).Run(t.Context(), o); err != nil || summary.Counts[event.OK] != 50 {
		t.Errorf("%v, %v", summary, err)
	}
	if most > 3 {
		t.Errorf("%d ran at the same time, the limit is 3", most)
	}
}

func TestRunTimeoutTellsWhatWasSeen(t *testing.T) {
	defer goleak.VerifyNone(t)
	wait := func(ctx context.Context, e *env) error {
		if e.scope.Step == "b" {
			e.scope.Progress(event.Report{Title: "phase is Installing", Lines: []event.Line{{Label: "seen", Text: "for 1ms"}}, Next: "oc get mce"})
		}
		<-ctx.Done()
		return fmt.Errorf("wait for the thing: %w", ctx.Err())
	}
	p := steps("a", "b")
	p.Steps[0].Timeout, p.Steps[1].Timeout = time.Millisecond, 2*time.Millisecond
	r := &recorder{}
	summary, err := p.Run(t.Context(), runOptions(r, fixed{}, does{"a": wait, "b": wait}))
	if err != nil || summary.Exit != 1 {
		t.Fatalf("%v, %v", summary, err)
	}
	got := map[string]event.Report{}
	for _, e := range r.events {
		if e.Type == event.StepFinished {
			got[e.Step] = *e.Result.Report
		}
	}
	want := map[string]event.Report{
		"a": {Title: "a timed out after 1ms", Lines: []event.Line{{Label: "it said", Text: "wait for the thing: context deadline exceeded"}}},
		"b": {Title: "b timed out after 2ms", Lines: []event.Line{{Label: "last seen", Text: "phase is Installing"}, {Label: "seen", Text: "for 1ms"}}, Next: "oc get mce"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("reports (-want +got):\n%s", d)
	}
}

// When the journal cannot be kept no effect begins, those begun end, and the run
// says so.
func TestRunWithoutRoomForTheJournal(t *testing.T) {
	defer goleak.VerifyNone(t)
	full := errors.New("no space left")
	began, done := make(chan struct{}), make(chan struct{})
	var cancelledEarly, acted bool
	do := does{
		"slow": func(ctx context.Context, e *env) error {
			return e.scope.Do(ctx, "exec", "mirror", func(ctx context.Context) (bool, string, error) {
				close(began)
				<-done
				cancelledEarly = ctx.Err() != nil
				return true, "", nil
			})
		},
		"next": func(ctx context.Context, e *env) error {
			<-began
			defer close(done)
			return e.scope.Do(ctx, "exec", "more", func(context.Context) (bool, string, error) {
				acted = true
				return true, "", nil
			})
		},
	}
	r := &recorder{}
	r.fail = func(e event.Event) error {
		if e.Type == event.Intent && e.Step == "next" || slices.ContainsFunc(r.events, func(e event.Event) bool { return e.Seq < 0 }) {
			return full
		}
		return nil
	}
	summary, err := steps("slow", "next", "after < slow").Run(t.Context(), runOptions(r, fixed{}, do))
	if !errors.Is(err, full) || summary.Exit != 1 || summary.Report == nil {
		t.Errorf("%+v, %v", summary, err)
	}
	if cancelledEarly || acted {
		t.Errorf("the begun effect was cut off: %v; a new one began: %v", cancelledEarly, acted)
	}
	for _, line := range r.results() {
		if strings.HasPrefix(line, "after") && !strings.HasPrefix(line, "after cancelled") {
			t.Error(line)
		}
	}
}

func TestRunJournalsNothingAtAll(t *testing.T) {
	full := errors.New("no space left")
	r := &recorder{fail: func(event.Event) error { return full }}
	_, err := steps("a").Run(t.Context(), runOptions(r, fixed{}, does{"a": func(context.Context, *env) error {
		t.Error("the step ran")
		return nil
	}}))
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestScopeTellsEachReportOnce(t *testing.T) {
	var told []event.Event
	s := NewScope("lab", "p", "a", "", func(e event.Event) error { told = append(told, e); return nil })
	s.Progress(event.Report{Title: "x"})
	s.Progress(event.Report{Title: "x"})
	s.Progress(event.Report{Title: "x", Lines: []event.Line{{Label: "seen", Text: "y"}}})
	if len(told) != 2 {
		t.Errorf("told %d times, want 2", len(told))
	}
}

func TestDigest(t *testing.T) {
	type options struct{ Patch map[string]any }
	a := digest(nil, "k", options{map[string]any{"x": 1, "y": 2}})
	if b := digest(nil, "k", options{map[string]any{"y": 2, "x": 1}}); a != b || len(a) != 64 {
		t.Errorf("%s and %s", a, b)
	}
	if b := digest(nil, "k", options{map[string]any{"y": 2, "x": 2}}); a == b {
		t.Error("other options have the same digest")
	}
	if b := digest(nil, "l", options{map[string]any{"x": 1, "y": 2}}); a == b {
		t.Error("another kind has the same digest")
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Second: "1m30s", 10 * time.Second: "10s", 0: "0s"} {
		if got := event.Span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

type nothing struct{}

func (nothing) Run(context.Context, *env) (struct{}, error) { return struct{}{}, nil }

type idle struct{ fixed }

func (idle) Options(*Pipeline[*env], *Declared[*env], map[string]any) (any, error) {
	return nothing{}, nil
}

// A run of 10,000 steps that do nothing, with its journal on a disk.
func BenchmarkRun10000(b *testing.B) {
	kind := Use[nothing]("test/nothing", "", "")
	for _, shape := range []string{"chain", "wide"} {
		b.Run(shape, func(b *testing.B) {
			p := &Pipeline[*env]{Name: "lab", File: "lab.yaml", Phases: []string{"only"}}
			for n := range 10_000 {
				d := &Declared[*env]{ID: fmt.Sprintf("step_%05d", n), Phase: "only", Kind: kind, Pos: source.Position{File: "lab.yaml", Line: n, Column: 5}}
				if n > 0 && shape == "chain" {
					d.Edges = []Edge{{From: p.Steps[n-1].ID, Reason: ByOrder}}
				}
				p.Steps = append(p.Steps, d)
			}
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for n := 0; b.Loop(); n++ {
				j, err := event.Create(filepath.Join(b.TempDir(), fmt.Sprint(n)))
				if err != nil {
					b.Fatal(err)
				}
				o := RunOptions[*env]{Env: func(s *Scope) *env { return &env{scope: s} }, Sinks: []event.Sink{j}, resolve: idle{}}
				if summary, err := p.Run(b.Context(), o); err != nil || summary.Counts[event.OK] != 10_000 {
					b.Fatal(summary, err)
				}
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/10_000, "ms/step")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/10_000, "B/step")
		})
	}
}
