package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/labrun/labrun/pipeline/event"
)

// testDo does what the test says.
type testDo struct {
	Text string `yaml:"text,omitempty"`
}

type testDone struct {
	Text string `yaml:"text"`
}

type doer struct {
	scope *Scope
	do    func(ctx context.Context, s *Scope, text string) error
}

func (t testDo) Run(ctx context.Context, d *doer) (testDone, error) {
	return testDone(t), d.do(ctx, d.scope, t.Text)
}

// runFile loads and runs a file of test/do steps.
func runFile(t *testing.T, ctx context.Context, steps string, do func(ctx context.Context, s *Scope, text string) error) (*recorder, event.Summary) {
	t.Helper()
	r := &recorder{}
	summary, err := loadDo(t, steps).Run(ctx, RunOptions[*doer]{Env: func(s *Scope) *doer { return &doer{s, do} }, Sinks: []event.Sink{r}})
	if err != nil {
		t.Fatal(err)
	}
	return r, summary
}

func loadDo(t *testing.T, steps string) *Pipeline[*doer] {
	t.Helper()
	req := testRequest(write(t, head+steps))
	p, found := Load(Request[*doer]{File: req.File, Kinds: []Kind[*doer]{Use[testDo]("do", "", "")}, Schema: req.Schema, Environ: req.Environ})
	if len(found) > 0 {
		t.Fatal(found)
	}
	return p
}

const late = `phases: [one]
steps:
  - {id: clean, uses: do, finally: true, with: {text: "a ${{ steps.a.status }}, ${{ steps.a.outputs?.text ?? 'nothing' }}"}}
  - {id: a, phase: one, uses: do, with: {text: made}}
  - {id: b, phase: one, uses: do}
  - {id: dump, uses: do, onFailure: true}
  - {id: dump_b, uses: do, onFailure: [b]}
  - {id: after_clean, uses: do, finally: true}
`

// TestLateSiblings runs late steps that read how another one ended.
func TestLateSiblings(t *testing.T) {
	const steps = `phases: [one]
steps:
  - {id: clean, uses: do, finally: true}
  - {id: alarm, uses: do, finally: true, when: "steps.clean.status == 'failed'", with: {text: "${{ steps.clean.outputs?.text ?? 'nothing' }}"}}
  - {id: strict, uses: do, finally: true, needs: [clean]}
`
	for fails, want := range map[bool][]string{
		true:  {"clean failed: no", "alarm ok", "strict blocked: needs clean, which failed"},
		false: {"clean ok", "alarm skipped: steps.clean.status is ok", "strict ok"},
	} {
		r, _ := runFile(t, t.Context(), steps, func(_ context.Context, s *Scope, _ string) error {
			if fails && s.Step == "clean" {
				return errors.New("no")
			}
			return nil
		})
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(r.inOrder()))); diff != "" {
			t.Errorf("clean fails %t (-want +got):\n%s", fails, diff)
		}
	}
}

// TestLateAfter places steps behind late ones.
func TestLateAfter(t *testing.T) {
	p := loadDo(t, `phases: [one]
steps:
  - {id: a, phase: one, uses: do}
  - {id: bye, uses: do, finally: true}
  - {id: more, uses: do, after: bye}
  - {id: same, uses: do, after: bye, finally: true}
`)
	for _, d := range p.Steps[1:] {
		if d.Stage != Finally || d.Timeout != lateTimeout {
			t.Errorf("%s: %+v", d.ID, d)
		}
	}
}

func TestLateSteps(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, tc := range []struct {
		name string
		fail map[string]bool
		want []string // in the order in which they ended
		text string   // of clean
		exit int
	}{
		{"nothing failed", nil,
			[]string{"a ok", "b ok", "dump skipped: nothing failed", "dump_b skipped: nothing failed in b", "clean ok", "after_clean ok"}, "a ok, made", 0},
		{"a failure", map[string]bool{"a": true},
			[]string{"a failed: no", "b blocked: needs a, which failed", "dump ok", "dump_b skipped: nothing failed in b", "clean ok", "after_clean ok"}, "a failed, nothing", 1},
		{"a failure in them hides nothing and blocks nothing", map[string]bool{"b": true, "clean": true, "dump": true},
			[]string{"a ok", "b failed: no", "dump failed: no", "dump_b ok", "clean failed: no", "after_clean ok"}, "a ok, made", 1},
		{"only a finally step fails", map[string]bool{"clean": true},
			[]string{"a ok", "b ok", "dump skipped: nothing failed", "dump_b skipped: nothing failed in b", "clean failed: no", "after_clean ok"}, "a ok, made", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clean := ""
			r, summary := runFile(t, t.Context(), late, func(_ context.Context, s *Scope, text string) error {
				if s.Step == "clean" {
					clean = text
				}
				if tc.fail[s.Step] {
					return errors.New("no")
				}
				return nil
			})
			if diff := cmp.Diff(tc.want, r.inOrder()); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
			if clean != tc.text || summary.Exit != tc.exit {
				t.Errorf("%q, exit %d", clean, summary.Exit)
			}
		})
	}
}

// inOrder gives how each instance ended, in the order of the events.
func (r *recorder) inOrder() []string {
	var all []string
	for _, e := range r.events {
		if e.Type == event.StepFinished {
			one := &recorder{events: []event.Event{e}}
			all = append(all, one.results()...)
		}
	}
	return all
}

// An interruption ends all but the finally steps, whose own context it leaves.
func TestFinallyAfterInterruption(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	r, summary := runFile(t, ctx, late, func(ctx context.Context, s *Scope, _ string) error {
		if s.Step == "a" {
			cancel(coded{143})
			<-ctx.Done()
		}
		if _, bounded := ctx.Deadline(); s.Step == "clean" && !bounded {
			return errors.New("no limit")
		}
		return ctx.Err()
	})
	want := []string{"a cancelled: code 143", "b cancelled: code 143", "dump skipped: nothing failed", "dump_b skipped: nothing failed in b", "clean ok", "after_clean ok"}
	if diff := cmp.Diff(want, r.inOrder()); diff != "" || summary.Exit != 143 {
		t.Errorf("exit %d, results (-want +got):\n%s", summary.Exit, diff)
	}
}

// A journal that cannot be kept keeps finally steps from new effects, too.
func TestFinallyWithoutJournal(t *testing.T) {
	p := loadDo(t, late)
	r := &recorder{fail: func(e event.Event) error {
		if e.Type == event.StepFinished {
			return errors.New("disk full")
		}
		return nil
	}}
	ran := map[string]bool{}
	var mu sync.Mutex
	_, err := p.Run(t.Context(), RunOptions[*doer]{Sinks: []event.Sink{r}, Env: func(s *Scope) *doer {
		return &doer{s, func(context.Context, *Scope, string) error {
			mu.Lock()
			defer mu.Unlock()
			ran[s.Step] = true
			return nil
		}}
	}})
	if err == nil || ran["clean"] {
		t.Errorf("%v, ran %v", err, ran)
	}
}

func TestRetry(t *testing.T) {
	for _, tc := range []struct {
		name, retry string
		errs        []error // of the attempts; nil ends well
		result      string
		warned      []string
		took        [2]time.Duration
	}{
		{"the second is well", "{attempts: 3, backoff: 10s}", []error{errors.New("x"), nil}, "a ok", []string{"attempt 1 of 3 failed, again in"}, [2]time.Duration{8 * time.Second, 12 * time.Second}},
		{"all fail, the wait doubles up to max", "{attempts: 4, backoff: 10s, max: 15s}", []error{errors.New("x"), errors.New("y"), errors.New("z"), errors.New("last")}, "a failed: last",
			[]string{"attempt 1 of 4", "attempt 2 of 4", "attempt 3 of 4"}, [2]time.Duration{32 * time.Second, 42 * time.Second}},
		{"when", "{attempts: 3, when: \"error contains 'busy' && lab.domain == 'd'\"}",
			[]error{&Report{Report: event.Report{Title: "no", Lines: []event.Line{{Label: "it said", Text: "busy"}}}}, errors.New("gone")}, "a failed: gone", []string{"attempt 1 of 3 failed"}, [2]time.Duration{4 * time.Second, 6 * time.Second}},
		{"the timeout bounds all", "{attempts: 9, backoff: 10s}, timeout: 23s", []error{errors.New("x"), errors.New("y"), errors.New("z")}, "a failed: y", []string{"attempt 1 of 9"}, [2]time.Duration{8 * time.Second, 12 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), 0
				r, _ := runFile(t, t.Context(), "phases: [one]\nsteps: [{id: a, phase: one, uses: do, retry: "+tc.retry+"}]\n", func(context.Context, *Scope, string) error {
					n++
					return tc.errs[n-1]
				})
				if diff := cmp.Diff([]string{tc.result}, r.results()); diff != "" {
					t.Error(diff)
				}
				var warned []string
				for _, e := range r.events {
					if e.Type == event.StepWarned {
						warned = append(warned, e.Report.Title)
					}
				}
				for i, want := range tc.warned {
					if len(warned) != len(tc.warned) || !strings.HasPrefix(warned[i], want) {
						t.Errorf("warned %q, want %q", warned, tc.warned)
						break
					}
				}
				if took := time.Since(began); took < tc.took[0] || took > tc.took[1] {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// What an interruption did to a step is no failure that is tried again, and a
// wait between two attempts ends with it.
func TestRetryInterrupted(t *testing.T) {
	for _, during := range []string{"attempt", "wait"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			r, _ := runFile(t, ctx, "phases: [one]\nsteps: [{id: a, phase: one, uses: do, retry: {attempts: 3, backoff: 1h, max: 2h}}]\n", func(ctx context.Context, _ *Scope, _ string) error {
				n++
				if during == "wait" {
					time.AfterFunc(time.Minute, cancel)
					return errors.New("no")
				}
				cancel()
				return ctx.Err()
			})
			if diff := cmp.Diff([]string{"a cancelled: interrupted"}, r.results()); diff != "" || n != 1 {
				t.Errorf("%s: %d attempts, %s", during, n, diff)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most, all := 0, 0, 0
		began := time.Now()
		r, _ := runFile(t, t.Context(), "vars: {n: [a, b, c, d, e]}\nphases: [one]\nsteps: [{id: a, phase: one, uses: do, forEach: vars.n, limit: 2}]\n", func(context.Context, *Scope, string) error {
			mu.Lock()
			now, all = now+1, all+1
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		})
		if took := time.Since(began); most != 2 || all != 5 || took != 3*time.Second {
			t.Errorf("at most %d of %d side by side, %s: %v", most, all, took, r.results())
		}
	})
}

// TestLateMistakes checks what is told of a wrong retry, limit, finally and
// onFailure.
func TestLateMistakes(t *testing.T) {
	for step, want := range map[string]string{
		"{id: x, phase: one, uses: test/get, finally: true}":                                            "x runs after all phases, and belongs to none",
		"{id: x, uses: test/get, finally: maybe}":                                                       `finally must be true or false, found "maybe"`,
		"{id: x, uses: test/get, finally: true, onFailure: true}":                                       "x is a finally step already",
		"{id: x, uses: test/get, onFailure: [bb]}":                                                      `no step has the id "bb"`,
		"{id: x, uses: test/get, onFailure: yes}":                                                       `onFailure must be true, or a list of ids, found "yes"`,
		"{id: x, uses: test/get, finally: true, with: {name: \"${{ steps.a.outputs.url }}\"}}":          "the outputs of a may be absent: x runs also where a failed",
		"{id: x, uses: test/get, after: a, finally: true}":                                              "x stands after a, in the phase one, and is no finally step there",
		"{id: x, uses: test/get, after: a, onFailure: [a]}":                                             "x stands after a, in the phase one, and is no onFailure step there",
		"{id: x, uses: test/get, after: late, onFailure: true}":                                         "x stands after late, in the phase finally, and is no onFailure step there",
		"{id: x, uses: test/get, finally: true, with: {name: \"${{ steps.late.outputs.url }}\"}}":       "the outputs of late may be absent: x runs also where late failed",
		"{id: x, phase: one, uses: test/get, needs: [late]}":                                            "late is a finally step: it runs after x",
		"{id: x, phase: one, uses: test/get, limit: 2}":                                                 "limit bounds the repetitions of a forEach, and x has none",
		"{id: x, phase: one, uses: test/get, forEach: lab.workers, limit: 0}":                           `limit must be a whole number from 1 to 1000, found "0"`,
		"{id: x, phase: one, uses: test/get, retry: {attempts: 0}}":                                     `attempts must be a whole number from 1 to 1000, found "0"`,
		"{id: x, phase: one, uses: test/get, retry: {atempts: 2}}":                                      `x.retry has no key "atempts"`,
		"{id: x, phase: one, uses: test/get, retry: {backoff: 10s, max: 5s}}":                           "max is shorter than backoff, 10s",
		"{id: x, phase: one, uses: test/get, retry: {when: \"error\"}}":                                 "must be true or false, this is a string",
		"{id: x, phase: one, uses: test/get, retry: {when: \"steps.a.status == 'ok'\"}}":                `nothing is called "steps" here`,
		"{id: x, phase: one, uses: test/get, retry: {when: \"error contains 'x' && lab.stak == 'y'\"}}": `lab has no fact "stak"`,
	} {
		req := testRequest(write(t, head+"phases: [one]\nsteps:\n  - {id: a, phase: one, uses: test/get}\n  - {id: late, uses: test/get, finally: true}\n  - "+step+"\n"))
		_, found := Load(req)
		if text := fmt.Sprint(found); !strings.Contains(text, want) || len(found) != 1 {
			t.Errorf("%s: %v", step, found)
		}
	}
}

func TestLatePlan(t *testing.T) {
	var b strings.Builder
	plan := loadDo(t, late).Plan()
	if err := plan.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(b.String(), "\n\n")
	want := `one         run    a
            run    b
on failure  later  dump         only where a step failed
            later  dump_b       only where b failed
finally     run    clean        after a (outputs)
            run    after_clean
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	if err := plan.WriteMermaid(&b); err != nil || !strings.Contains(b.String(), `subgraph P_on__failure["on failure"]`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
