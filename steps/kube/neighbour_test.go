package kube_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// neighbour is one of the labs of a hub. Before requests of its own that match, it is
// overtaken by what somebody else does.
type neighbour struct {
	t       *testing.T
	name    string
	adopt   bool
	cluster *kube.Cluster
	scope   *pipeline.Scope
	anew    []string // how often it had judged an object in vain, as it told that

	next      http.RoundTripper
	mu        sync.Mutex
	sent      []string // verb and path of each request
	overtaken func(verb, path string) bool
	by        func()
	times     int
	killed    bool // the request that is overtaken is refused, and with it the step
}

func (n *neighbour) Scope() *pipeline.Scope                               { return n.scope }
func (n *neighbour) Facts() *labs.Facts                                   { return &labs.Facts{Name: n.name} }
func (n *neighbour) Hub(context.Context) (*kube.Cluster, error)           { return n.cluster, nil }
func (n *neighbour) HostedCluster(context.Context) (*kube.Cluster, error) { return n.cluster, nil }
func (n *neighbour) Adopt() bool                                          { return n.adopt }
func (n *neighbour) Now() time.Time                                       { return time.Now() }
func (n *neighbour) Secret(context.Context, labs.SecretRef) (labs.Secret, error) {
	return labs.Secret{}, nil
}

// RoundTrip sends a request once what overtakes it is done.
func (n *neighbour) RoundTrip(r *http.Request) (*http.Response, error) {
	verb := r.Method
	if r.URL.Query().Get("watch") != "" {
		verb = "WATCH"
	}
	if n.isOvertaken(verb, r.URL.Path) {
		if n.by != nil {
			n.by()
		}
		if n.killed {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("no")), Request: r}, nil
		}
	}
	n.mu.Lock()
	n.sent = append(n.sent, verb+" "+r.URL.Path)
	n.mu.Unlock()
	return n.next.RoundTrip(r)
}

// isOvertaken says whether a request is, and counts it.
func (n *neighbour) isOvertaken(verb, path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.times == 0 || !n.overtaken(verb, path) {
		return false
	}
	n.times--
	return true
}

// has says whether such a request was sent; n.mu is held.
func (n *neighbour) has(sent string) bool {
	for _, s := range n.sent {
		if strings.HasPrefix(s, sent) {
			return true
		}
	}
	return false
}

func lab(t *testing.T, name string) *neighbour {
	t.Helper()
	n := &neighbour{t: t, name: name}
	config := kube.Hub().Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		n.next = next
		return n
	})
	var err error
	if n.cluster, err = kube.NewCluster(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.cluster.Close)
	return n
}

// step runs one step of a lab.
func step[S kube.Step](n *neighbour, s S) error {
	ctx, cancel := context.WithTimeout(n.t.Context(), 30*time.Second)
	defer cancel()
	n.scope = pipeline.NewScope(n.name, "hub", "shared", "", func(e event.Event) error {
		if e.Type == event.StepProgress && strings.Contains(e.Report.Title, "/shared was written since it was judged") {
			n.anew = append(n.anew, e.Report.Lines[0].Text)
		}
		return nil
	})
	_, err := kube.Use[S, *neighbour]("test/shared", "", "").Run(ctx, n, s)
	return err
}

// uses brings about a key of an object that labs share.
type uses struct {
	object  *unstructured.Unstructured
	key     string
	value   string
	applied bool // by an apply, not a merge
	once    bool // made where it is absent, and no more
}

func (s uses) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	if s.applied || s.once {
		u := s.object.DeepCopy()
		u.Object["data"] = map[string]any{s.key: s.value}
		if s.once {
			return []kube.Intent{{How: kube.CreateOnce, Shared: true, Object: u}}, nil
		}
		return []kube.Intent{{Shared: true, Object: u, Force: true}}, nil
	}
	return []kube.Intent{{How: kube.Merge, Shared: true, Object: s.object, Change: func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, s.value, "data", s.key)
	}}}, nil
}

func (uses) Judge(*labs.Facts, kube.Seen) kube.Verdict { return kube.Verdict{State: kube.Done} }

// shared is an object that the labs of a test share.
type shared struct {
	t      *testing.T
	client dynamic.ResourceInterface
	object *unstructured.Unstructured
	path   string
}

func share(t *testing.T, name string) *shared {
	t.Helper()
	ns := kube.Hub().Namespace(t, name)
	client := dynamic.NewForConfigOrDie(kube.Hub().Get(t).Config()).Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(ns)
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": ns, "name": "shared"}}}
	return &shared{t, client, u, "/api/v1/namespaces/" + ns + "/configmaps/shared"}
}

// there makes the object as somebody who is not labrun.
func (s *shared) there(data map[string]any) {
	s.t.Helper()
	u := s.object.DeepCopy()
	u.Object["data"] = data
	if _, err := s.client.Create(s.t.Context(), u, meta.CreateOptions{FieldManager: "somebody"}); err != nil {
		s.t.Fatal(err)
	}
}

// write patches it as somebody who is not labrun.
func (s *shared) write(patch string) {
	s.t.Helper()
	if _, err := s.client.Patch(s.t.Context(), "shared", types.MergePatchType, []byte(patch), meta.PatchOptions{FieldManager: "operator"}); err != nil {
		s.t.Fatal(err)
	}
}

// want says what it holds, nil for one that is gone, and which labs use it.
func (s *shared) want(when string, data map[string]string, users ...string) {
	s.t.Helper()
	u, err := s.client.Get(s.t.Context(), "shared", meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		if data != nil {
			s.t.Errorf("%s: it is gone, want %v", when, data)
		}
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	marks := map[string]string{}
	for _, user := range users {
		marks[kube.UsedBy+user] = "true"
	}
	got, _, _ := unstructured.NestedStringMap(u.Object, "data")
	if data == nil || !maps.Equal(got, data) || !maps.Equal(u.GetAnnotations(), marks) {
		s.t.Errorf("%s: it holds %v and is used by %v; want %v and %v", when, got, u.GetAnnotations(), data, marks)
	}
}

// entry is what the hub's inventory holds of it, nil for nothing.
func (s *shared) entry() *kube.Entry {
	s.t.Helper()
	client := dynamic.NewForConfigOrDie(kube.Hub().Get(s.t).Config()).Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"})
	u, err := client.Namespace(kube.InventoryNamespace).Get(s.t.Context(), kube.SharedInventory, meta.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	data, _, _ := unstructured.NestedStringMap(u.Object, "data")
	text, ok := data["configmap__"+s.object.GetNamespace()+"_shared"]
	if !ok {
		return nil
	}
	var e kube.Entry
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		s.t.Fatal(err)
	}
	return &e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
