package steps

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

const (
	ipv6 = "ipv6-disconnected"
	ipv4 = "ipv4-connected"
)

// loadLab loads one of the lab files that labrun brings, with --set on top of it.
func loadLab(t testing.TB, name string, set ...string) *pipeline.Pipeline[*Env] {
	t.Helper()
	p, found := pipeline.Load(pipeline.Request[*Env]{File: filepath.Join("..", "labs", name+".yaml"), Set: set,
		Kinds: Builtin(), Schema: Schema(), Builtin: labs.Steps(), Environ: []string{}})
	if len(found) > 0 {
		var b strings.Builder
		_ = found.Render(&b, p.Files)
		t.Fatal(b.String())
	}
	return p
}

func factsOf(t testing.TB, name string, set ...string) *labs.Facts {
	t.Helper()
	return loadLab(t, name, set...).Facts.(*labs.Facts)
}

// instance is one instance of a step of a lab file, with its options.
type instance struct {
	phase, id, key string
	kind           pipeline.Kind[*Env]
	options        any
}

func (i instance) String() string {
	if i.key == "" {
		return i.id
	}
	return i.id + "[" + i.key + "]"
}

// instancesOf gives what a run of a lab file goes through, where every step that
// others read has found what it looks for.
func instancesOf(t testing.TB, p *pipeline.Pipeline[*Env]) []instance {
	t.Helper()
	var usable []any
	for _, w := range p.Facts.(*labs.Facts).Workers {
		usable = append(usable, w.Name)
	}
	out := func(m map[string]any) map[string]any { return map[string]any{"outputs": m, "status": "ok"} }
	values := maps.Clone(p.Values)
	values["steps"] = map[string]any{
		"hub_info":     out(map[string]any{"hosts": []any{}, "ids": map[string]any{}}),
		"preflight":    out(map[string]any{"warnings": []any{"worker0: seen before"}}),
		"infraenv":     out(map[string]any{"iso_url": "https://assisted.example/iso", "ca": ""}),
		"image_server": out(map[string]any{"served_by": "ironic", "urls": []any{"https://[2620:52:0:1305::20]:6183"}, "from": "told"}),
		"probe_bmcs":   out(map[string]any{"usable": usable}),
		"router":       out(map[string]any{"addresses": []any{"2620:52:0:1305::10"}}),
	}
	var all []instance
	for _, d := range p.Steps {
		each := []*pipeline.Instance{nil}
		if d.ForEach != nil {
			list, err := d.Expand(values)
			if err != nil {
				t.Fatal(err)
			}
			each = nil
			for i := range list {
				each = append(each, &list[i])
			}
		}
		for _, in := range each {
			seen, key := values, ""
			if in != nil {
				seen, key = maps.Clone(values), in.Key
				seen["item"], seen["index"] = in.Item, in.Index
			}
			why, err := p.WhyNot(d, in, seen)
			if err != nil {
				t.Fatalf("%s: %v", d.ID, err)
			}
			if why != "" {
				continue
			}
			options, err := d.Options(seen)
			if err != nil {
				t.Fatalf("%s: %v", d.ID, err)
			}
			all = append(all, instance{d.Phase, d.ID, key, d.Kind, options})
		}
	}
	return all
}

// step gives the options of a lab file's step.
func step[S any](t testing.TB, name, id string, set ...string) (S, *labs.Facts) {
	t.Helper()
	p := loadLab(t, name, set...)
	for _, i := range instancesOf(t, p) {
		if s, ok := i.options.(S); ok && i.id == id {
			return s, p.Facts.(*labs.Facts)
		}
	}
	t.Fatalf("lab %s has no step %s that runs", name, id)
	panic("unreachable")
}

// objects reads YAML documents.
func objects(t testing.TB, documents string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for document := range strings.SplitSeq(documents, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		text, err := yaml.YAMLToJSON([]byte(document))
		u := &unstructured.Unstructured{}
		if err == nil {
			err = u.UnmarshalJSON(text)
		}
		if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		all = append(all, u)
	}
	return all
}

// sees makes what a step sees where these objects exist.
func sees(t testing.TB, f *labs.Facts, s kube.Step, secrets map[string]string, documents string) kube.Seen {
	t.Helper()
	found := map[kube.Ref][]*unstructured.Unstructured{}
	var lists []kube.Ref
	if r, ok := s.(kube.Reader); ok {
		for _, ref := range r.Reads(f) {
			if ref.Name == "" {
				lists = append(lists, ref)
			}
		}
	}
	all := objects(t, documents)
	if r, ok := s.(kube.Follower); ok {
		named := map[kube.Ref][]*unstructured.Unstructured{}
		for _, u := range all {
			named[kube.RefTo(u)] = append(named[kube.RefTo(u)], u)
			of := kube.Ref{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace()}
			named[of] = append(named[of], u)
		}
		for _, ref := range r.Follows(f, kube.NewSeen(noon, named, nil)) {
			if ref.Name == "" {
				lists = append(lists, ref)
			}
		}
	}
	for _, u := range all {
		found[kube.RefTo(u)] = append(found[kube.RefTo(u)], u)
		for _, ref := range lists {
			if ref.APIVersion == u.GetAPIVersion() && ref.Kind == u.GetKind() && (ref.Namespace == "" || ref.Namespace == u.GetNamespace()) {
				found[ref] = append(found[ref], u)
			}
		}
	}
	values := map[string]labs.Secret{}
	for name, value := range secrets {
		values[name] = labs.NewSecret(value)
	}
	return kube.NewSeen(noon, found, values)
}

// verdict is what a judgement has to be.
type verdict struct {
	state kube.State
	parts []string  // of the summary, or of the report with its next
	again time.Time // Recheck
}

func doneWith(parts ...string) verdict { return verdict{kube.Done, parts, time.Time{}} }
func waits(parts ...string) verdict    { return verdict{kube.Waiting, parts, time.Time{}} }
func fails(parts ...string) verdict    { return verdict{kube.Failed, parts, time.Time{}} }

// within is a wait that is judged again after a grace time.
func within(again time.Time, parts ...string) verdict { return verdict{kube.Waiting, parts, again} }

func (want verdict) check(t *testing.T, got kube.Verdict) {
	t.Helper()
	text := got.Summary + "\n" + tell(got.Report)
	if got.State != want.state {
		t.Errorf("state %d, want %d: %s", got.State, want.state, text)
	}
	for _, part := range want.parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said in: %s", part, text)
		}
	}
	if !got.Recheck.Equal(want.again) {
		t.Errorf("judged again at %s, want %s", got.Recheck, want.again)
	}
	if got.State != kube.Done && (got.Report.Title == "" || got.Report.Next == "") {
		t.Errorf("no title, or nothing to do next: %+v", got.Report)
	}
	if got.State == kube.Done && got.Summary == "" {
		t.Error("done, and says nothing")
	}
}

// tell writes a report as text.
func tell(r event.Report) string {
	s := r.Title + "\n"
	for _, l := range r.Lines {
		s += l.Label + ": " + l.Text + "\n"
	}
	return s + "next: " + r.Next + "\n" + "more: " + r.Code + "\n"
}

// judged is one case of a judgement.
type judged struct {
	name      string
	step      kube.Step
	documents string
	want      verdict
}

func judge(t *testing.T, f *labs.Facts, cases []judged) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.want.check(t, c.step.Judge(f, sees(t, f, c.step, nil, c.documents))) })
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d is %q, got %q; go test ./steps -update writes it anew", path, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s has %d lines, got %d; go test ./steps -update writes it anew", path, len(a), len(b))
}

// told are the events of one step's environment.
type told struct {
	mu     sync.Mutex
	events []event.Event
}

func (l *told) take(e event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	return nil
}

// effects are the effects that changed something.
func (l *told) effects() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Type == event.Done && e.Effect.Changed {
			all = append(all, e.Effect.Verb+" "+e.Effect.Object)
		}
	}
	return all
}

// progress are the titles of what was told of how far it is.
func (l *told) progress() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Type == event.StepProgress {
			all = append(all, e.Report.Title)
		}
	}
	return all
}

// warnings are the reports with this title that were told as warnings.
func (l *told) warnings(title string) []event.Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []event.Report
	for _, e := range l.events {
		if e.Type == event.StepWarned && e.Report.Title == title {
			all = append(all, *e.Report)
		}
	}
	return all
}

// anEnv is an environment of one step without a cluster.
func anEnv(t testing.TB, f *labs.Facts, o LabOptions) (*Env, *told) {
	t.Helper()
	l := NewLab(f, o)
	t.Cleanup(l.Close)
	heard := &told{}
	return l.Env(pipeline.NewScope("lab", "phase", "step", "", heard.take)), heard
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// wantError looks for texts in an error and in what it says to do.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", parts)
	}
	text := err.Error()
	var r event.Reporter
	if errors.As(err, &r) {
		text += "\n" + tell(r.Tell())
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said in %s", part, text)
		}
	}
}

func replace(s, old, with string) string { return strings.ReplaceAll(s, old, with) }

// loadText loads the facts of the connected lab with one step: an assert.
func loadText(t testing.TB, that string) *pipeline.Pipeline[*Env] {
	t.Helper()
	lab, err := os.ReadFile(filepath.Join("..", "labs", ipv4+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	facts, _, _ := strings.Cut(string(lab), "\ninclude:")
	file := filepath.Join(t.TempDir(), "lab.yaml")
	text := facts + "\nphases: [one]\nsteps:\n  - {id: asserted, phase: one, uses: assert, with: {that: \"" + that + "\"}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, found := pipeline.Load(pipeline.Request[*Env]{File: file, Kinds: Builtin(), Schema: Schema(), Environ: []string{}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	return p
}
