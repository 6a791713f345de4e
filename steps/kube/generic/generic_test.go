package generic

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

var hub = cptest.Shared{Options: controlplane.Options{}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

type env struct {
	cluster *kube.Cluster
	scope   *pipeline.Scope
}

func (e *env) Scope() *pipeline.Scope                               { return e.scope }
func (e *env) Facts() *labs.Facts                                   { return &labs.Facts{} }
func (e *env) Hub(context.Context) (*kube.Cluster, error)           { return e.cluster, nil }
func (e *env) HostedCluster(context.Context) (*kube.Cluster, error) { return e.cluster, nil }
func (e *env) Now() time.Time                                       { return time.Now() }
func (e *env) Secret(context.Context, labs.SecretRef) (labs.Secret, error) {
	return labs.Secret{}, nil
}

type facts struct {
	Namespace string `yaml:"namespace"`
}

// sink keeps the events, and hears of each wait.
type sink struct {
	events []event.Event
	waits  func(event.Report)
}

func (s *sink) Take(e event.Event) error {
	s.events = append(s.events, e)
	if e.Type == event.StepProgress && s.waits != nil {
		s.waits(*e.Report)
	}
	return nil
}

// runLab runs these steps in a namespace of their own, and gives how each ended.
func runLab(t *testing.T, ns, steps string, waits func(event.Report)) (results []string, summary event.Summary) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lab.yaml")
	text := "version: v1\nname: generic\nlab:\n  namespace: " + ns + "\nphases: [all]\nsteps:\n" + steps
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, found := pipeline.Load(pipeline.Request[*env]{File: file, Kinds: Kinds[*env](), Schema: pipeline.Schema{
		Facts: reflect.TypeFor[facts](), Complete: func(string, any) []pipeline.FactProblem { return nil }}})
	if len(found) > 0 {
		var b strings.Builder
		if err := found.Render(&b, p.Files); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
	cluster, err := kube.NewCluster(hub.Get(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := &sink{waits: waits}
	summary, err = p.Run(ctx, pipeline.RunOptions[*env]{Env: func(scope *pipeline.Scope) *env { return &env{cluster, scope} }, Sinks: []event.Sink{s}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.events {
		if e.Type == event.StepFinished {
			line := fmt.Sprintf("%s %s", e.Step, e.Result.Status)
			if e.Result.Report != nil {
				line += ": " + (&pipeline.Report{Report: *e.Result.Report}).Error()
			}
			results = append(results, line)
		}
	}
	return results, summary
}

const lifeOfAConfigMap = `
  - id: make
    phase: all
    uses: k8s/apply
    with:
      manifest:
        - apiVersion: v1
          kind: ConfigMap
          metadata: {name: settings, namespace: "${{ lab.namespace }}"}
          data: {state: "starting"}
  - id: until_ready
    phase: all
    uses: k8s/wait
    with: {api_version: v1, kind: ConfigMap, name: settings, namespace: "${{ lab.namespace }}", condition: object.metadata.annotations.ready == 'yes'}
    timeout: 20s
  - id: gone
    phase: all
    uses: k8s/delete
    with: {api_version: v1, kind: ConfigMap, name: settings, namespace: "${{ lab.namespace }}"}
`

func TestApplyWaitDelete(t *testing.T) {
	ns := hub.Namespace(t, "generic")
	client, err := kubernetes.NewForConfig(hub.Get(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	maps := client.CoreV1().ConfigMaps(ns)
	var seen []string
	results, _ := runLab(t, ns, lifeOfAConfigMap, func(r event.Report) {
		if !strings.Contains(r.Title, "settings") || len(r.Lines) < 2 {
			return
		}
		seen = append(seen, r.Lines[1].Text)
		m, err := maps.Get(t.Context(), "settings", meta.GetOptions{})
		if err != nil || m.Annotations["ready"] != "" {
			return
		}
		m.Annotations = map[string]string{"ready": "yes"}
		if _, err := maps.Update(t.Context(), m, meta.UpdateOptions{}); err != nil {
			t.Error(err)
		}
	})
	if want := []string{"make changed", "until_ready ok", "gone changed"}; !slices.Equal(results, want) {
		t.Errorf("%q, want %q", results, want)
	}
	if len(seen) == 0 || !strings.HasPrefix(seen[0], "a field of the condition is not there yet") {
		t.Errorf("seen %q", seen)
	}
}

func TestConditionThatIsWrong(t *testing.T) {
	ns := hub.Namespace(t, "generic")
	results, _ := runLab(t, ns, strings.Replace(lifeOfAConfigMap, "object.metadata.annotations.ready == 'yes'", "object.data.state + 1 == 2", 1), nil)
	if len(results) < 2 || !strings.Contains(results[1], "until_ready failed: ConfigMap "+ns+"/settings: the condition cannot be evaluated") {
		t.Errorf("%q", results)
	}
}

func TestDocuments(t *testing.T) {
	all, err := documents(strings.NewReader(`
apiVersion: v1
kind: A
---
# nothing
---
apiVersion: v1
kind: ConfigMapList
items: [{kind: B}, {kind: C}]
`))
	var kinds []string
	for _, o := range all {
		kinds = append(kinds, o["kind"].(string))
	}
	if want := []string{"A", "B", "C"}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("%q, %v, want %q", kinds, err, want)
	}
	for name, m := range map[string]any{"a text": "x", "a list of texts": []any{"x"}} {
		if _, err := manifest(m); err == nil {
			t.Errorf("%s was taken for an object", name)
		}
	}
	if _, err := (Apply{}).objects(); err == nil {
		t.Error("nothing to apply was no error")
	}
}
