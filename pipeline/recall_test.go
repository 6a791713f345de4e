package pipeline

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

// What the journal left out, or has as JSON has it, is as the step gave it.
func TestRestore(t *testing.T) {
	type inner struct {
		Count int `yaml:"count"`
	}
	type outputs struct {
		Name  string         `yaml:"name"`
		Count int            `yaml:"count"`
		Ratio float64        `yaml:"ratio"`
		List  []inner        `yaml:"list"`
		Map   map[string]int `yaml:"map"`
		Deep  *inner         `yaml:"deep"`
		Not   string         `yaml:"not"`
	}
	journal := map[string]any{"name": "x", "count": 3.0, "ratio": 3.0, "list": []any{map[string]any{"count": 1.0}},
		"map": map[string]any{"a": 2.0}, "deep": map[string]any{"count": 4.0}, "gone": "of an older labrun"}
	want := map[string]any{"name": "x", "count": 3, "ratio": 3.0, "list": []any{map[string]any{"count": 1}},
		"map": map[string]any{"a": 2}, "deep": map[string]any{"count": 4}, "not": ""}
	if d := cmp.Diff(want, restore(journal, reflect.TypeFor[outputs]())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, strange := range []any{"text", 3.0, []any{1.0}} {
		if got := restore(strange, reflect.TypeFor[outputs]()); !reflect.DeepEqual(got, strange) {
			t.Errorf("%v became %v", strange, got)
		}
	}
}

const recalling = `phases: [one, two]
steps:
  - {id: a, phase: one, uses: do, with: {text: x}}
  - {id: h, phase: one, forEach: "['w0', 'w1']", key: item, uses: do, with: {text: "${{ item }}"}}
  - {id: d, phase: two, uses: do, with: {text: "${{ steps.a.outputs.text }} ${{ steps.h.by['w1'].text }} ${{ len(steps.h.items) }}"}}
`

// Outputs of steps that are left out are those of an earlier run.
func TestSelectRecalls(t *testing.T) {
	recall := func(step string) (Recalled, bool) {
		return Recalled{Outputs: map[string]any{"text": "recalled"}, Instances: []RecalledInstance{
			{Key: "w0", Outputs: map[string]any{"text": "zero"}}, {Key: "w1", Outputs: map[string]any{"text": "one"}}}}, step == "a" || step == "h"
	}
	for _, file := range []string{recalling, strings.Replace(recalling, "{id: d,", "{id: d, needs: [a, h],", 1)} {
		p := loadDo(t, file)
		if err := p.Select(Selection{From: []string{"two"}, Recall: recall}); err != nil {
			t.Fatal(err)
		}
		want := []string{"a skipped: left out by --from two", "d ok: recalled one 2", "h skipped: left out by --from two"}
		if d := cmp.Diff(want, endings(t, p)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// A step that needs the one that it reads is refused, too, where no earlier run left what
// it reads.
func TestSelectRefusesWhatNobodyGave(t *testing.T) {
	for _, needs := range []string{"", " needs: [a, h],"} {
		p := loadDo(t, strings.Replace(recalling, "{id: d,", "{id: d,"+needs, 1))
		err := p.Select(Selection{Only: []string{"d"}, Recall: func(string) (Recalled, bool) { return Recalled{}, false }})
		if err == nil || !strings.Contains(err.Error(), "d reads outputs of a (") || !strings.Contains(err.Error(), "let a take part, --only a,d") {
			t.Errorf("with%q: %v", needs, err)
		}
	}
}

// What a selection leaves out is no orphan: the lab file has it, whatever its instances.
func TestOrphans(t *testing.T) {
	made := []Orphan{{Step: "h", Key: "w1"}, {Step: "h", Key: "w7"}, {Step: "former"}}
	for _, c := range []struct {
		only []string
		want []Orphan
	}{
		{nil, made[1:]},
		{[]string{"a"}, made[2:]},
		{[]string{"h.w0"}, made[1:]},
	} {
		p := loadDo(t, recalling)
		if err := p.Select(Selection{Only: c.only}); err != nil {
			t.Fatal(err)
		}
		plan := p.Plan()
		plan.FindOrphans(made)
		if d := cmp.Diff(c.want, plan.Orphans, cmp.AllowUnexported(Orphan{})); d != "" {
			t.Errorf("--only %v (-want +got):\n%s", c.only, d)
		}
	}
}

// Of an instance that was skipped no output is there, so that what is read instead
// counts; one that ran has all that its kind gives.
func TestSelectRecallsSkippedInstances(t *testing.T) {
	recall := func(step string) (Recalled, bool) {
		return Recalled{Instances: []RecalledInstance{{Key: "w0"}, {Key: "w1", Skipped: true}}}, step == "h"
	}
	p := loadDo(t, `phases: [one, two]
steps:
  - {id: h, phase: one, forEach: "['w0', 'w1']", key: item, uses: do, with: {text: "${{ item }}"}}
  - {id: d, phase: two, uses: do, with: {text: "<${{ steps.h.by['w0'].text ?? 'none' }}> <${{ steps.h.by['w1'].text ?? 'none' }}>"}}
`)
	if err := p.Select(Selection{From: []string{"two"}, Recall: recall}); err != nil {
		t.Fatal(err)
	}
	want := []string{"d ok: <> <none>", "h skipped: left out by --from two"}
	if d := cmp.Diff(want, endings(t, p)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Outputs in which a secret was masked are not recalled: the step that gives them
// has to take part, and the refusal says what to type.
func TestSelectRecallsNoMask(t *testing.T) {
	masked := map[string]any{"text": "https://x/byapikey/***/minimal.iso"}
	plain := map[string]any{"text": "plain"}
	for _, c := range []struct {
		s    Selection
		a, h any // outputs that are recalled, of h those of w1
		want string
	}{
		{Selection{From: []string{"two"}}, plain, plain, ""},
		{Selection{From: []string{"two"}}, masked, plain, "which is left out by --from two: its outputs held a secret, which no journal keeps\n  let a take part, --from a: a step that is done already changes nothing"},
		{Selection{From: []string{"two"}}, plain, masked, "which is left out by --from two: its outputs held a secret, which no journal keeps\n  let h take part, --from h: a step that is done already changes nothing"},
		{Selection{Only: []string{"d", "clean"}}, masked, plain, "which is left out by --only d,clean: its outputs held a secret, which no journal keeps\n  let a take part, --only a,d,clean: a step that is done already changes nothing"},
		{Selection{From: []string{"one"}}, masked, masked, ""},
	} {
		c.s.Recall = func(step string) (Recalled, bool) {
			if step == "a" {
				return Recalled{Outputs: c.a}, true
			}
			return Recalled{Instances: []RecalledInstance{{Key: "w0", Outputs: plain}, {Key: "w1", Outputs: c.h}}}, true
		}
		told := ""
		if err := loadDo(t, recalling+"  - {id: clean, uses: do, finally: true}\n").Select(c.s); err != nil {
			_, told, _ = strings.Cut(err.Error(), "), ")
		}
		if told != c.want {
			t.Errorf("%v: %s, want %s", c.s, told, c.want)
		}
	}
}

// Who reads a step that just some instances of take part in finds all of them, each at
// its place: what the others left in earlier runs, of which a secret may be no part.
func TestSelectRecallsUnpicked(t *testing.T) {
	text := func(s string) map[string]any { return map[string]any{"text": s} }
	for _, c := range []struct {
		keys     string // what h is repeated over
		only     string
		recalled []RecalledInstance
		want     string
	}{
		{"['w0', 'w1']", "h.w1,d", []RecalledInstance{{Key: "w0", Outputs: text("zero")}, {Key: "w1", Outputs: text("one")}}, "zero w1 2"},
		{"['w0', 'w1']", "h.w1,d", []RecalledInstance{{Key: "w0", Skipped: true}}, " w1 2"},
		{"['w0', 'w1']", "h.w1,d", nil, " w1 2"},
		{"['w0', 'w1']", "h.w1,d", []RecalledInstance{{Key: "w0", Outputs: text("zero")}, {Key: "w1", Outputs: text("***")}}, "zero w1 2"},
		{"['w0', 'w1']", "h.w1,d", []RecalledInstance{{Key: "w0", Outputs: text("***")}},
			"is in part left out by --only h.w1,d: its outputs held a secret, which no journal keeps\n  let h take part, --only h,d: a step that is done already changes nothing"},
		{"split(steps.a.outputs.text, '-')", "a,h.w1,d", []RecalledInstance{{Key: "gone", Outputs: text("gone")}, {Key: "w0", Outputs: text("zero")}}, "zero w1 2"},
		{"split(steps.a.outputs.text, '-')", "a,h.w2,d", []RecalledInstance{{Key: "w1", Outputs: text("one")}}, " one 2"},
	} {
		p := loadDo(t, `phases: [one]
steps:
  - {id: a, phase: one, uses: do, with: {text: w0-w1}}
  - {id: h, phase: one, forEach: "`+c.keys+`", key: item, uses: do, with: {text: "${{ item }}"}}
  - {id: d, phase: one, uses: do, with: {text: "${{ steps.h.items[0].text }} ${{ steps.h.by['w1'].text }} ${{ len(steps.h.items) }}"}}
`)
		err := p.Select(Selection{Only: strings.Split(c.only, ","), RecallInstances: func(string) []RecalledInstance { return c.recalled }})
		if err != nil {
			if _, told, _ := strings.Cut(err.Error(), "), which "); told != c.want {
				t.Errorf("%s of %s: %s, want %s", c.only, c.keys, told, c.want)
			}
			continue
		}
		if told := endings(t, p); !slices.Contains(told, "d ok: "+c.want) {
			t.Errorf("%s of %s: %q, want %q", c.only, c.keys, told, c.want)
		}
	}
}

// A plan decides by what is recalled, also what a step is repeated over.
func TestPlanRecalls(t *testing.T) {
	recalled := map[string]map[string]any{"a": {"text": "w0-w2"}, "h": {"text": "w0"}}
	for only, want := range map[string]string{
		"g":             "a skip, h skip, g[w0] run, g[w1] skip, late skip, gate skip",
		"late,gate":     "a skip, h skip, g skip, late[w0] run, late[w2] run, gate run",
		"late.w2":       "a skip, h skip, g skip, late[w0] skip, late[w2] run, gate skip",
		"h.w1,gate":     "a skip, h[w0] skip, h[w1] run, g skip, late skip, gate later",
		"h.w1,g,late,a": "a run, h[w0] skip, h[w1] run, g[w0] later, g[w1] later, late[…] later, gate skip",
	} {
		p := loadDo(t, `phases: [one]
steps:
  - {id: a, phase: one, uses: do, with: {text: w0-w2}}
  - {id: h, phase: one, forEach: "['w0', 'w1']", key: item, uses: do, with: {text: "${{ item }}"}}
  - {id: g, phase: one, forEach: "['w0', 'w1']", key: item, when: steps.a.outputs.text contains item, uses: do}
  - {id: late, phase: one, forEach: "split(steps.a.outputs.text, '-')", key: item, uses: do}
  - {id: gate, phase: one, when: "steps.h.items[0].text == 'w0'", uses: do}
`)
		s := Selection{Only: strings.Split(only, ","),
			Recall: func(step string) (Recalled, bool) {
				return Recalled{Outputs: recalled[step], Instances: []RecalledInstance{{Key: "w0", Outputs: recalled[step]}}}, true
			},
			RecallInstances: func(step string) []RecalledInstance {
				return []RecalledInstance{{Key: "w0", Outputs: recalled[step]}}
			}}
		if err := p.Select(s); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, s := range p.PlanNow(t.Context(), PlanOptions[*doer]{Env: func(s *Scope) *doer { return &doer{scope: s} }}).Steps {
			told = append(told, s.Name()+" "+string(s.Verdict))
		}
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("--only %s: %s, want %s", only, got, want)
		}
	}
}

// testSettled is a step that finds nothing to change, and cannot tell its outputs.
type testSettled struct {
	Text string `yaml:"text"`
}

func (t testSettled) Run(context.Context, *doer) (testDone, error) { return testDone(t), nil }

func (t testSettled) Plan(context.Context, *doer) (Change, error) { return Change{}, nil }

// What an earlier run found out of a step that would change nothing decides the gates
// behind it, but not where a secret was masked in it.
func TestPlanNowReadsNoMask(t *testing.T) {
	for text, want := range map[string]Verdict{"x": WillRun, "y": WillSkip, "***": Later} {
		req := testRequest(write(t, head+"phases: [one]\nsteps:\n  - {id: a, phase: one, uses: settled, with: {text: q}}\n"+
			"  - {id: gate, phase: one, uses: do, when: \"steps.a.outputs.text == 'x'\"}\n"))
		p, found := Load(Request[*doer]{File: req.File, Kinds: []Kind[*doer]{Use[testDo]("do", "", ""), Use[testSettled]("settled", "", "")}, Schema: req.Schema})
		if len(found) > 0 {
			t.Fatal(found)
		}
		before := Remembered{Run: 1, Digest: digest(nil, "settled", testSettled{Text: "q"}), Outputs: map[string]any{"text": text}}
		plan := p.PlanNow(t.Context(), PlanOptions[*doer]{Server: true, Env: func(s *Scope) *doer { return &doer{scope: s} },
			Memory: func(string, string) Remembered { return before }})
		if got := plan.Steps[1].Verdict; got != want {
			t.Errorf("%s: gate %s, want %s", text, got, want)
		}
	}
}

// endings runs a pipeline, and tells how each instance ended, sorted.
func endings(t *testing.T, p *Pipeline[*doer]) []string {
	t.Helper()
	r := &recorder{}
	if _, err := p.Run(t.Context(), doOptions(r)); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range r.events {
		if e.Type != event.StepFinished {
			continue
		}
		line := name(e.Step, e.Key) + " " + string(e.Result.Status) + ": " + e.Result.Reason
		if outputs, ok := e.Result.Outputs.(map[string]any); ok {
			line += outputs["text"].(string)
		}
		told = append(told, line)
	}
	slices.Sort(told)
	return told
}

// Who follows a run sees a step of picked instances end with the last of them: all
// are told before the end of any.
func TestSelectedInstancesEndLast(t *testing.T) {
	p := loadDo(t, recalling)
	if err := p.Select(Selection{Only: []string{"h.w0"}}); err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if _, err := p.Run(t.Context(), doOptions(r)); err != nil {
		t.Fatal(err)
	}
	state := &event.State{}
	var ended []string
	for _, e := range r.events {
		state.Add(e)
		if e.Step != "h" {
			continue
		}
		for _, step := range state.Steps {
			if step.ID == "h" && step.Status() != "" {
				ended = append(ended, string(e.Type)+" of "+e.Key)
			}
		}
	}
	if want := []string{"step.finished of w0"}; !slices.Equal(ended, want) {
		t.Errorf("h has ended after %q, want %q", ended, want)
	}
	if plan := state.Instance("h", "w1").Plan; plan.Decision != "skip" || plan.Reason != "left out by --only" {
		t.Errorf("the plan of w1: %+v", plan)
	}
}

// Single instances can be picked, also several.
func TestSelectInstances(t *testing.T) {
	for _, c := range []struct {
		only []string
		want string
	}{
		{[]string{"h.w1"}, "h[w0] skipped: left out by --only, h[w1] ok: w1"},
		{[]string{"h[w0]", "h.w1"}, "h[w0] ok: w0, h[w1] ok: w1"},
		{[]string{"h.w9"}, `--only names "h.w9": h has no instance "w9"`},
		{[]string{"a.w0"}, `--only names "a.w0": a is not repeated`},
	} {
		p := loadDo(t, recalling)
		err := p.Select(Selection{Only: c.only})
		if err != nil {
			if message := err.(*SelectionError).Message; message != c.want {
				t.Errorf("%v: %s", c.only, message)
			}
			continue
		}
		told := strings.Join(slices.DeleteFunc(endings(t, p), func(line string) bool { return line[0] != 'h' }), ", ")
		if told != c.want {
			t.Errorf("%v: %s, want %s", c.only, told, c.want)
		}
	}
}
