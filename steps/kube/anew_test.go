package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/pipeline/event"
)

// refusing answers the requests that match with 403, as if labrun had ended
// before it could send them.
type refusing struct {
	next    http.RoundTripper
	matches func(*http.Request) bool
}

// RoundTrip refuses, or hands on.
func (f *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.matches(r) {
		return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: io.NopCloser(strings.NewReader("no")), Request: r}, nil
	}
	return f.next.RoundTrip(r)
}

func (f *refusing) between(t *testing.T) *rest.Config {
	config := hub.Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		f.next = next
		return f
	})
	return config
}

// A run that ends right after it made an object anew, in the place of one that
// was being deleted, and before it could enter its UID, does not lock the lab out.
func TestEndedAfterAnObjectWasMadeAnew(t *testing.T) {
	ns := hub.Namespace(t, "anew")
	u := aConfigMap(ns, "anew", nil)
	s := stub{intents: []Intent{{Object: u}}}
	before := newLab(t, "anew")
	before.must("anew", s)
	client, held := before.dying(RefTo(u))

	killed := labAs(t, "anew", (&refusing{matches: func(r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/"+InventoryName("anew")) {
			return false
		}
		now := before.get(RefTo(u))
		return now != nil && now.GetUID() != held.GetUID()
	}}).between(t))
	if r := killed.releasing(client, "anew", s); r.err == nil {
		t.Fatal("the UID was entered")
	}
	newLab(t, "anew").must("anew", s)
}

// dying deletes an object that a finalizer holds.
func (l *aLab) dying(ref Ref) (dynamic.ResourceInterface, *unstructured.Unstructured) {
	l.t.Helper()
	client, err := l.cluster.resource(l.t.Context(), ref)
	if err != nil {
		l.t.Fatal(err)
	}
	held := l.get(ref)
	held.SetFinalizers([]string{"example.com/holds"})
	if _, err := client.Update(l.t.Context(), held, meta.UpdateOptions{}); err != nil {
		l.t.Fatal(err)
	}
	if err := client.Delete(l.t.Context(), ref.Name, meta.DeleteOptions{}); err != nil {
		l.t.Fatal(err)
	}
	return client, held
}

// releasing runs a step, and lets an object go once the step waits for its end.
func (l *aLab) releasing(client dynamic.ResourceInterface, name string, s stub) ran {
	l.t.Helper()
	told := &tellings{hear: make(chan event.Event, 100)}
	ended := make(chan ran, 1)
	go func() { ended <- l.runIn(l.t.Context(), name, s, told) }()
	for waits := false; !waits; {
		select {
		case e := <-told.hear:
			waits = e.Type == event.StepProgress && strings.Contains(e.Report.Title, "is being deleted since")
		case r := <-ended:
			l.t.Fatalf("it did not wait: %v, effects %q", r.err, told.effects())
		}
	}
	if _, err := client.Patch(l.t.Context(), name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), meta.PatchOptions{}); err != nil {
		l.t.Fatal(err)
	}
	return <-ended
}

// A merge changes nothing of an object that is being deleted: it waits for its end, and
// makes it anew. Where the object was somebody else's, what is wanted without it may be
// another one.
func TestMergeWaitsForWhatIsBeingDeleted(t *testing.T) {
	ns := hub.Namespace(t, "merge-dying")
	adds := func(name string) []Intent {
		return []Intent{{How: Merge, Shared: true, Object: aConfigMap(ns, name, nil), Change: addKeys(map[string]string{"a": "1"})}}
	}
	for _, c := range []struct {
		name    string
		theirs  bool
		instead string // is wanted where there is none
		want    []string
	}{
		{"labs", false, "labs", []string{"create ConfigMap " + ns + "/labs changed"}},
		{"theirs", true, "theirs", []string{"create ConfigMap " + ns + "/theirs changed"}},
		{"extended", true, "own", []string{"create ConfigMap " + ns + "/own changed"}},
	} {
		l, ref := newLab(t, "merge-dying"), RefTo(aConfigMap(ns, c.name, nil))
		if c.theirs {
			l.make(aConfigMap(ns, c.name, map[string]string{"theirs": "1"}))
		}
		s := stub{reads: []Ref{ref}, objects: func(seen Seen) ([]Intent, error) {
			if seen.Get(ref) == nil {
				return adds(c.instead), nil
			}
			return adds(c.name), nil
		}}
		if !c.theirs {
			l.must(c.name, s)
		}
		client, held := l.dying(ref)
		r := l.releasing(client, c.name, s)
		if r.err != nil {
			t.Fatalf("%s: %v", c.name, r.err)
		}
		wantEffects(t, r, c.want...)
		made := l.get(RefTo(aConfigMap(ns, c.instead, nil)))
		wantData(t, made, map[string]string{"a": "1"})
		e, _, err := l.cluster.inventoryOf(SharedInventory).get(t.Context(), entryKey(false, RefTo(made)))
		if err != nil || e.Found || e.UID != string(made.GetUID()) || made.GetUID() == held.GetUID() {
			t.Errorf("%s: entry %+v (%v), the object's UID is %s, and was %s", c.name, e, err, made.GetUID(), held.GetUID())
		}
		wantEffects(t, l.must(c.name, s))
	}
}
