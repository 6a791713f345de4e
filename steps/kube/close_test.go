package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// busy answers the first requests of each verb to a path with 503.
type busy struct {
	next http.RoundTripper
	path string
	left map[string]int // by verb
}

// RoundTrip answers, or hands on.
func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, b.path) || b.left[r.Method] == 0 {
		return b.next.RoundTrip(r)
	}
	b.left[r.Method]--
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"ServiceUnavailable","code":503,"message":"busy"}`))}, nil
}

// A server that is busy for a moment does not end an undo: what is done is taken out of
// the inventory, and the empty one is deleted.
func TestServerIsBusyWhileAnInventoryCloses(t *testing.T) {
	first := newLab(t, "busy-close")
	object := Entry{Step: "host", Lab: "busy-close", APIVersion: "v1", Kind: "ConfigMap", Namespace: "a", Name: "b", UID: "1"}
	key := entryKey(false, object.Ref())
	if err := first.cluster.inventoryOf(InventoryName("busy-close")).enter(t.Context(), map[string]*Entry{key: &object}, false); err != nil {
		t.Fatal(err)
	}
	server := &busy{path: "/configmaps/" + InventoryName("busy-close"), left: map[string]int{"GET": 1, "PATCH": 1, "DELETE": 1}}
	config := hub.Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		server.next = next
		return server
	})
	told := &tellings{}
	env := &anEnv{labAs(t, "busy-close", config), pipeline.NewScope("busy-close", "inventory", "", "", told.take)}
	if err := ForgetObject(t.Context(), env, object.Ref()); err != nil {
		t.Fatal(err)
	}
	server.left["GET"] = 1
	left, err := CloseInventories(t.Context(), env)
	if err != nil || len(left) > 0 {
		t.Errorf("left %+v, %v", left, err)
	}
	for verb, n := range server.left {
		if n > 0 {
			t.Errorf("%s was not sent", verb)
		}
	}
	if u := first.get(Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: InventoryNamespace, Name: InventoryName("busy-close")}); u != nil {
		t.Errorf("the inventory is there: %v", u)
	}
	if waits := told.titles(event.StepProgress); len(waits) != 3 {
		t.Errorf("told %q, want those of writing, reading and deleting", waits)
	}
}

// An inventory that others write again and again is written all the same.
func TestFormerValuesInABusyInventory(t *testing.T) {
	other := newLab(t, "busy-others")
	u := aConfigMap(hub.Namespace(t, "busy-former"), "theirs", map[string]string{"a": "0"})
	other.make(u)
	inventory := other.cluster.inventoryOf(SharedInventory)
	if err := inventory.enter(t.Context(), map[string]*Entry{"busy-others": {Lab: "busy-others", Kind: "ConfigMap", Name: "x"}}, false); err != nil {
		t.Fatal(err)
	}
	written := 0
	writers := &interloper{times: 5, matches: func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/configmaps/"+SharedInventory)
	}, act: func() {
		written++
		body := `{"metadata": {"annotations": {"written": "` + strings.Repeat("x", written) + `"}}}`
		if _, err := inventory.configMaps().Patch(t.Context(), SharedInventory, types.MergePatchType, []byte(body), meta.PatchOptions{}); err != nil {
			t.Error(err)
		}
	}}
	l := labAs(t, "busy-former", writers.between(t))
	l.must("merge", stub{intents: []Intent{{How: Merge, Shared: true, Object: aConfigMap(u.GetNamespace(), "theirs", nil), Change: addKeys(map[string]string{"a": "1"})}}})
	if written != 5 {
		t.Errorf("it was written %d times meanwhile, want 5", written)
	}
	wantData(t, other.get(RefTo(u)), map[string]string{"a": "1"})
	inventory.refresh()
	if e, _, err := inventory.get(t.Context(), entryKey(false, RefTo(u))); err != nil || string(e.Former) != `{"data":{"a":"0"}}` {
		t.Errorf("%+v, %v", e, err)
	}
	if err := inventory.enter(t.Context(), map[string]*Entry{"busy-others": nil}, false); err != nil {
		t.Fatal(err)
	}
}
