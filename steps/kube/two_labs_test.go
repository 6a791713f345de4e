package kube_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
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
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

// neighbour is one of the labs of a hub. Before requests of its own that match, it is
// overtaken by what somebody else does.
type neighbour struct {
	t       *testing.T
	name    string
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
}

func (s uses) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	if s.applied {
		u := s.object.DeepCopy()
		u.Object["data"] = map[string]any{s.key: s.value}
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

// A lab goes while another one comes, goes, or an operator writes. What a lab uses
// stays, and once nobody uses it, all is as it was before the first.
func TestGoesWhileAnother(t *testing.T) {
	inventory := "/api/v1/namespaces/labrun/configmaps/shared"
	const comes, goes, writes = "comes", "goes", "writes"
	for _, c := range []struct {
		name  string
		found map[string]any // what the object held before labrun, nil: labrun makes it
		other string         // what overtakes the request
		verb  string         // the request, after another one was sent
		path  string
		after string
		both  bool // both labs use it at first
		times int
		left  map[string]string // what it holds once the one is gone
	}{
		{name: "comes before the DELETE", other: comes, verb: "DELETE", times: 1, left: map[string]string{"one": "1", "two": "2"}},
		{name: "comes before the PUT of the former values", found: map[string]any{"theirs": "0", "one": "0"}, other: comes, verb: "PUT", times: 1,
			left: map[string]string{"theirs": "0", "one": "1", "two": "2"}},
		{name: "comes before the entry of what was restored is read", found: map[string]any{"one": "0"}, other: comes, verb: "GET", path: inventory, after: "PUT", times: 1,
			left: map[string]string{"one": "0", "two": "2"}},
		{name: "goes before the PUT that takes off the mark", other: goes, verb: "PUT", both: true, times: 1},
		{name: "goes before the PUT that takes off the mark of what was found", found: map[string]any{"one": "0"}, other: goes, verb: "PUT", both: true, times: 1,
			left: map[string]string{"one": "0"}},
		{name: "makes it anew before the entry is read", other: comes, verb: "GET", path: inventory, after: "DELETE", times: 1, left: map[string]string{"two": "2"}},
		{name: "makes it anew before the entry is taken out", other: comes, verb: "PATCH", path: inventory, after: "DELETE", times: 1, left: map[string]string{"two": "2"}},
		{name: "writes before the DELETE", other: writes, verb: "DELETE", times: 3},
		{name: "writes before the PUT", found: map[string]any{"one": "0"}, other: writes, verb: "PUT", times: 3, left: map[string]string{"one": "0", "status": "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "goes")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			if c.found != nil {
				s.there(c.found)
			}
			must(t, step(one, uses{object: s.object, key: "one", value: "1"}))
			if c.both {
				must(t, step(two, uses{object: s.object, key: "two", value: "2"}))
			}
			path, written := c.path, 0
			if path == "" {
				path = s.path
			}
			one.sent, one.times = nil, c.times
			one.overtaken = func(verb, at string) bool {
				return verb == c.verb && at == path && (c.after == "" || one.has(c.after+" "+s.path))
			}
			one.by = func() {
				switch c.other {
				case comes:
					must(t, step(two, uses{object: s.object, key: "two", value: "2"}))
				case goes:
					must(t, step(two, destroy.HubObjects{}))
				case writes:
					written++
					s.write(`{"data": {"status": "` + string(rune('0'+written)) + `"}}`)
				}
			}
			must(t, step(one, destroy.HubObjects{}))
			if one.times != 0 {
				t.Fatalf("%d of the requests were not overtaken", one.times)
			}
			if c.other == writes && !slices.Equal(one.anew, []string{"1", "2", "3"}) {
				t.Errorf("it told that it judges anew for the times %q", one.anew)
			}
			if c.other != comes {
				s.want("both are gone", c.left)
			} else {
				s.want("the one is gone", c.left, two.name)
				if e := s.entry(); e == nil || e.UID == "" {
					t.Fatalf("the inventory holds %+v", e)
				}
				must(t, step(two, destroy.HubObjects{}))
				var before map[string]string
				for key, value := range c.found {
					before = maps.Collect(maps.All(before))
					before[key] = value.(string)
				}
				s.want("both are gone", before)
			}
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// A lab comes while another one goes: what it enters are the values that the object has
// by then, and an object that is gone by then is made anew, and entered.
func TestComesWhileAnotherGoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		found   bool
		applied bool
		verb    string
	}{
		{"merges into what is restored", true, false, "PUT"},
		{"applies what is restored", true, true, "PATCH"},
		{"merges into what is deleted", false, false, "PUT"},
		{"applies what is deleted", false, true, "PATCH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "comes")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			var before map[string]string
			if c.found {
				before = map[string]string{"ca": "0"}
				s.there(map[string]any{"ca": "0"})
			}
			must(t, step(one, uses{object: s.object, key: "ca", value: "1"}))
			patches := 0
			two.times = 1
			two.overtaken = func(verb, path string) bool {
				if verb == c.verb && path == s.path {
					patches++
				}
				return verb == c.verb && path == s.path && (!c.applied || patches == 2) // the first one is a dry run
			}
			two.by = func() { must(t, step(one, destroy.HubObjects{})) }
			comes := uses{object: s.object, key: "ca", value: "2", applied: c.applied}
			must(t, step(two, comes))
			if two.times != 0 || len(two.anew) != 1 {
				t.Fatalf("it was overtaken %d times, and told %q", 1-two.times, two.anew)
			}
			s.want("the other one is gone", map[string]string{"ca": "2"}, two.name)
			if e := s.entry(); e == nil || e.UID == "" || e.Found != c.found {
				t.Errorf("the inventory holds %+v", e)
			}
			must(t, step(two, destroy.HubObjects{}))
			s.want("both are gone", before)
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// A lab that ends between what it restored and what it takes out of the inventory has
// its next run do that: a later lab does not bring back what stood there before the
// first one.
func TestEndsBeforeFormerValuesAreForgotten(t *testing.T) {
	s := share(t, "former")
	s.there(map[string]any{"ca": "old"})
	name := func(n string) string { return n + "-" + s.object.GetNamespace() }
	first, last, later := lab(t, name("first")), lab(t, name("last")), lab(t, name("later"))
	must(t, step(first, uses{object: s.object, key: "ca", value: "first's"}))
	must(t, step(last, uses{object: s.object, key: "more", value: "last's"}))
	must(t, step(first, destroy.HubObjects{}))

	last.times, last.killed, last.sent = 1, true, nil
	last.overtaken = func(verb, path string) bool {
		return verb == "PATCH" && strings.HasSuffix(path, "/labrun/configmaps/shared") && last.has("PUT "+s.path)
	}
	if err := step(last, destroy.HubObjects{}); err == nil || last.times != 0 {
		t.Fatalf("it was not ended: %v", err)
	}
	s.want("restored", map[string]string{"ca": "old"})
	if e := s.entry(); e == nil || e.Lab != last.name {
		t.Fatalf("the inventory holds %+v", e)
	}
	must(t, step(last, destroy.HubObjects{}))
	if e := s.entry(); e != nil {
		t.Errorf("the inventory still holds %+v", e)
	}
	s.write(`{"data": {"ca": "new"}}`)
	must(t, step(later, uses{object: s.object, key: "ca", value: "later's"}))
	must(t, step(later, destroy.HubObjects{}))
	s.want("all are gone", map[string]string{"ca": "new"})
}
