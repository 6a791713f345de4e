package kube

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

var hub = cptest.Shared{Options: controlplane.Options{
	Audit: true, CRDs: []string{"hypershift", "openshift", "olm"}, WithControllerManager: true}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

// aLab is one lab on the shared hub, with a connection of its own.
type aLab struct {
	t       *testing.T
	name    string
	cluster *Cluster
	adopt   bool
	reveal  bool
	secrets map[string]string
	tenure  *Tenure // nil: nobody holds the lab
}

func newLab(t *testing.T, name string) *aLab {
	t.Helper()
	return labAs(t, name, hub.Get(t).Config())
}

func labAs(t *testing.T, name string, config *rest.Config) *aLab {
	t.Helper()
	c, err := NewCluster(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &aLab{t: t, name: name, cluster: c}
}

// anEnv is the environment of one step's instance.
type anEnv struct {
	*aLab
	scope *pipeline.Scope
}

func (e *anEnv) Scope() *pipeline.Scope                          { return e.scope }
func (e *anEnv) Facts() *labs.Facts                              { return &labs.Facts{Name: e.name} }
func (e *anEnv) Hub(context.Context) (*Cluster, error)           { return e.cluster, nil }
func (e *anEnv) HostedCluster(context.Context) (*Cluster, error) { return e.cluster, nil }
func (e *anEnv) Now() time.Time                                  { return time.Now() }
func (e *anEnv) Adopt() bool                                     { return e.adopt }
func (e *anEnv) RevealSecrets() bool                             { return e.reveal }
func (e *anEnv) Hold(ctx context.Context) error {
	if e.tenure == nil {
		return nil
	}
	return e.tenure.Take(ctx)
}
func (e *anEnv) Secret(_ context.Context, ref labs.SecretRef) (labs.Secret, error) {
	return labs.NewSecret(e.secrets[ref.String()]), nil
}

// ran is what a run of a step left.
type ran struct {
	outcome  pipeline.Outcome
	err      error
	changed  bool
	requests Requests // of this run alone
	told     *tellings
}

// tellings are the events of a run.
type tellings struct {
	mu     sync.Mutex
	events []event.Event
	hear   chan event.Event // gets each event too, where somebody listens
}

func (l *tellings) take(e event.Event) error {
	l.mu.Lock()
	l.events = append(l.events, e)
	l.mu.Unlock()
	if l.hear != nil {
		l.hear <- e
	}
	return nil
}

func (l *tellings) titles(of event.Type) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var titles []string
	for _, e := range l.events {
		if e.Type == of && e.Report != nil {
			titles = append(titles, e.Report.Title)
		}
	}
	return titles
}

func (l *tellings) effects() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var done []string
	for _, e := range l.events {
		if e.Type == event.Done {
			line := e.Effect.Verb + " " + e.Effect.Object
			if e.Effect.Changed {
				line += " changed"
			}
			done = append(done, line)
		}
	}
	return done
}

// stub is a step made of values.
type stub struct {
	Patched
	intents []Intent
	reads   []Ref
	secrets []labs.SecretRef
	objects func(Seen) ([]Intent, error)
	judge   func(Seen) Verdict
	follows func(Seen) []Ref
}

func (s stub) Objects(_ *labs.Facts, seen Seen) ([]Intent, error) {
	if s.objects != nil {
		return s.objects(seen)
	}
	return s.intents, nil
}

func (s stub) Judge(_ *labs.Facts, seen Seen) Verdict {
	if s.judge != nil {
		return s.judge(seen)
	}
	return Verdict{State: Done, Summary: "done"}
}

func (s stub) Reads(*labs.Facts) []Ref              { return s.reads }
func (s stub) Secrets(*labs.Facts) []labs.SecretRef { return s.secrets }
func (s stub) Follows(_ *labs.Facts, seen Seen) []Ref {
	if s.follows != nil {
		return s.follows(seen)
	}
	return nil
}

// run runs a step of the lab to its end.
func (l *aLab) run(id string, s stub) ran {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 30*time.Second)
	defer cancel()
	return l.runIn(ctx, id, s, &tellings{})
}

func (l *aLab) runIn(ctx context.Context, id string, s stub, told *tellings) ran {
	l.t.Helper()
	kind := Use[stub, *anEnv]("test/"+id, "", "")
	env := &anEnv{l, pipeline.NewScope(l.name, "hub", id, "", told.take)}
	before := l.cluster.Requests()
	out, err := kind.Run(ctx, env, s)
	return ran{out, err, env.scope.Changed(), l.cluster.Requests().since(before), told}
}

func (l *aLab) must(id string, s stub) ran {
	l.t.Helper()
	r := l.run(id, s)
	if r.err != nil {
		l.t.Fatalf("%s: %v", id, r.err)
	}
	return r
}

// since are the requests after earlier ones.
func (r Requests) since(earlier Requests) Requests {
	verbs := map[string]int{}
	for verb, n := range r.ByVerb {
		if n -= earlier.ByVerb[verb]; n > 0 {
			verbs[verb] = n
		}
	}
	return Requests{r.Reads - earlier.Reads, r.Watches - earlier.Watches, r.DryRuns - earlier.DryRuns, r.Writes - earlier.Writes, verbs}
}

// get reads an object with the lab's connection.
func (l *aLab) get(ref Ref) *unstructured.Unstructured {
	l.t.Helper()
	client, err := l.cluster.resource(l.t.Context(), ref)
	if err != nil {
		l.t.Fatal(err)
	}
	u, err := client.Get(l.t.Context(), ref.Name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return u
}

// make creates an object as somebody who is not labrun.
func (l *aLab) make(u *unstructured.Unstructured) *unstructured.Unstructured {
	l.t.Helper()
	client, err := l.cluster.resource(l.t.Context(), RefTo(u))
	if err != nil {
		l.t.Fatal(err)
	}
	made, err := client.Create(l.t.Context(), u, meta.CreateOptions{FieldManager: "somebody"})
	if err != nil {
		l.t.Fatal(err)
	}
	return made
}

// set updates one field as somebody who is not labrun.
func (l *aLab) set(ref Ref, value any, path ...string) {
	l.t.Helper()
	u := l.get(ref)
	if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
		l.t.Fatal(err)
	}
	client, err := l.cluster.resource(l.t.Context(), ref)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := client.Update(l.t.Context(), u, meta.UpdateOptions{FieldManager: "somebody"}); err != nil {
		l.t.Fatal(err)
	}
}

func aConfigMap(namespace, name string, data map[string]string) *unstructured.Unstructured {
	values := map[string]any{}
	for k, v := range data {
		values[k] = v
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": namespace, "name": name}, "data": values}}
}

func dataOf(u *unstructured.Unstructured) map[string]string {
	data, _, _ := unstructured.NestedStringMap(u.Object, "data")
	return data
}

func wantData(t *testing.T, u *unstructured.Unstructured, want map[string]string) {
	t.Helper()
	if got := dataOf(u); !maps.Equal(got, want) {
		t.Errorf("%s holds %v, want %v", RefTo(u), got, want)
	}
}

func wantEffects(t *testing.T, r ran, want ...string) {
	t.Helper()
	if got := r.told.effects(); !slices.Equal(got, want) {
		t.Errorf("effects %q, want %q", got, want)
	}
}

func wantRequests(t *testing.T, r ran, want map[string]int) {
	t.Helper()
	if !maps.Equal(r.requests.ByVerb, want) {
		t.Errorf("requests %v, want %v", r.requests.ByVerb, want)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	text := err.Error()
	var r event.Reporter
	if errors.As(err, &r) {
		text += " | " + r.Tell().Next
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("error %q lacks %q", text, part)
		}
	}
}
