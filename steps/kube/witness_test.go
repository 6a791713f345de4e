package kube

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// knowing is an environment that knows what stands around a ConfigMap.
type knowing struct{ *anEnv }

func (k knowing) Around(u *unstructured.Unstructured) []Ref {
	if u.GetKind() != "ConfigMap" {
		return nil
	}
	return []Ref{{APIVersion: "v1", Kind: "Secret", Namespace: u.GetNamespace()}, {APIVersion: "no.such/v1", Kind: "Thing", Namespace: u.GetNamespace()}}
}

func (k knowing) Operators(u *unstructured.Unstructured) []Ref {
	return []Ref{{APIVersion: "v1", Kind: "Pod", Namespace: u.GetNamespace(), Labels: "app=operator"}}
}

func (knowing) InHosted() []Ref { return nil }

func (knowing) AskBMC(_ context.Context, w labs.Worker) ([]byte, error) {
	return []byte("power Off\n"), errors.New("no virtual media")
}

// machineStub is a step about a worker.
type machineStub struct{ stub }

func (machineStub) Machines(*labs.Facts) []labs.Worker { return []labs.Worker{{Name: "worker0"}} }

func TestWitness(t *testing.T) {
	l := newLab(t, "witness")
	ns := hub.Namespace(t, "witness")
	config := l.make(aConfigMap(ns, "a-config", map[string]string{"state": "bad"}))
	l.make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"namespace": ns, "name": "a-secret"}, "stringData": map[string]any{"password": "hunter2hunter2"}}})
	l.make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"namespace": ns, "name": "an-event"}, "type": "Warning", "reason": "FailedToThink", "message": "it could not", "count": int64(3),
		"lastTimestamp": "2026-11-23T12:00:00Z", "involvedObject": map[string]any{"kind": "ConfigMap", "namespace": ns, "name": "a-config", "uid": string(config.GetUID())}}})
	l.make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"namespace": ns, "name": "another-event"}, "reason": "Other",
		"involvedObject": map[string]any{"kind": "ConfigMap", "namespace": ns, "name": "another"}}})

	var mu sync.Mutex // several keep at a time
	kept := map[string]string{}
	env := knowing{&anEnv{l, pipeline.NewScope(l.name, "hub", "s", "", func(event.Event) error { return nil })}}
	step := machineStub{stub{reads: []Ref{RefTo(config)}, intents: []Intent{{Object: aConfigMap(ns, "not-made", nil)}}}}
	err := Use[machineStub, knowing]("test/witness", "", "").Witness(t.Context(), env, step, func(name string, content []byte) error {
		mu.Lock()
		defer mu.Unlock()
		kept[name] = string(content)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "asking the BMC of worker0: no virtual media") || strings.Contains(err.Error(), "no.such") {
		t.Errorf("could not see: %v", err)
	}
	for name, parts := range map[string][]string{
		"objects.yaml":    {"name: a-config", "state: bad", "name: a-secret", "password: '***'"},
		"conditions.txt":  {"ConfigMap " + ns + "/a-config  (made "},
		"events.txt":      {"2026-11-23T12:00:00Z  Warning  FailedToThink  ConfigMap a-config: it could not (3 times)\n"},
		"bmc-worker0.txt": {"power Off"},
	} {
		for _, part := range parts {
			if !strings.Contains(kept[name], part) {
				t.Errorf("%s lacks %q:\n%s", name, part, kept[name])
			}
		}
		if strings.Contains(kept[name], "managedFields") || strings.Contains(kept[name], "hunter2") || strings.Contains(kept[name], "aHVudGVy") {
			t.Errorf("%s holds what it should not:\n%s", name, kept[name])
		}
		delete(kept, name)
	}
	if len(kept) > 0 {
		t.Errorf("kept besides: %v", kept)
	}
}

func TestTabulate(t *testing.T) {
	var out strings.Builder
	tabulate(&out, &unstructured.Unstructured{Object: map[string]any{
		"kind": "BareMetalHost", "metadata": map[string]any{"namespace": "n", "name": "w0", "creationTimestamp": "2026-11-23T11:00:00Z",
			"deletionTimestamp": "2026-11-23T12:30:00Z", "finalizers": []any{"baremetalhost.metal3.io"}},
		"status": map[string]any{"errorType": "registration error", "errorMessage": "HTTP 401", "provisioning": map[string]any{"state": "registering"},
			"conditions": []any{map[string]any{"type": "Ready", "status": "False", "reason": "Bad", "message": "no"}, map[string]any{"type": "Bare", "status": "True"}}}}})
	want := `BareMetalHost n/w0  (made 2026-11-23 11:00:00)
  being deleted since 12:30:00, held by baremetalhost.metal3.io
  provisioning.state: registering
  errorType: registration error
  errorMessage: HTTP 401
  Ready                        False    Bad                          -  no
  Bare                         True     -                            -  -

`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAbout(t *testing.T) {
	log := strings.Join([]string{
		"I1123 12:00:00 a line about nothing", "I1123 12:00:01 reconciling worker0", "E1123 12:00:02 cannot think",
		`{"level":"error","msg":"x"}`, "time=1 level=info msg=fine", "2026-11-23T12:00:00Z\tERROR\tcontroller", "the end"}, "\n")
	want := "I1123 12:00:01 reconciling worker0\nE1123 12:00:02 cannot think\n{\"level\":\"error\",\"msg\":\"x\"}\n2026-11-23T12:00:00Z\tERROR\tcontroller\n"
	if d := cmp.Diff(want, string(about([]byte(log), []string{"worker0"}))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := about(nil, []string{"worker0"}); len(got) > 0 {
		t.Errorf("of an empty log %q is left", got)
	}
}

func TestPodLog(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces/n/pods/p/log" || r.URL.Query().Get("container") != "c" || r.URL.Query().Get("tailLines") == "" {
			http.Error(w, "no", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte("previous: " + r.URL.Query().Get("previous")))
	}))
	t.Cleanup(server.Close)
	c, err := NewCluster(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if text, err := c.podLog(t.Context(), "n", "p", "c", true); err != nil || string(text) != "previous: true" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := c.podLog(t.Context(), "n", "other", "c", false); err == nil || err.Error() != "404 Not Found" {
		t.Errorf("of another pod: %v", err)
	}
}
