package kube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Two labs that enter the first object of a hub at the same moment both keep the
// values that it had: the second one reads again what the first one entered.
func TestInventoryThatIsMadeMeanwhile(t *testing.T) {
	one, two := newLab(t, "one").cluster.inventoryOf("meanwhile"), newLab(t, "two").cluster.inventoryOf("meanwhile")
	for _, i := range []*inventory{one, two} {
		if entries, err := i.all(t.Context()); err != nil || len(entries) > 0 {
			t.Fatalf("%v, %v", entries, err)
		}
	}
	if err := one.enter(t.Context(), map[string]*Entry{"a": {Lab: "one", Kind: "ConfigMap", Name: "a"}}, true); err != nil {
		t.Fatal(err)
	}
	entry := map[string]*Entry{"b": {Lab: "two", Kind: "ConfigMap", Name: "b"}}
	if err := two.enter(t.Context(), entry, true); !apierrors.IsConflict(err) {
		t.Fatalf("written over what the first one entered: %v", err)
	}
	if err := two.enter(t.Context(), entry, true); err != nil {
		t.Fatal(err)
	}
	entries, err := two.all(t.Context())
	if err != nil || len(entries) != 2 || entries[0].Name != "a" || entries[1].Name != "b" {
		t.Errorf("%+v, %v", entries, err)
	}
}

// An inventory that another lab deletes, since it held nothing any more, is made anew
// by who had read it before.
func TestInventoryThatIsDeletedMeanwhile(t *testing.T) {
	for name, guarded := range map[string]bool{"deleted-open": false, "deleted-guarded": true} {
		t.Run(name, func(t *testing.T) {
			one, two := newLab(t, "one").cluster.inventoryOf(name), newLab(t, "two").cluster.inventoryOf(name)
			a := map[string]*Entry{"a": {Lab: "one", Kind: "ConfigMap", Name: "a"}}
			if err := one.enter(t.Context(), a, false); err != nil {
				t.Fatal(err)
			}
			if entries, err := two.all(t.Context()); err != nil || len(entries) != 1 {
				t.Fatalf("%v, %v", entries, err)
			}
			if err := one.configMaps().Delete(t.Context(), name, meta.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			b := map[string]*Entry{"b": {Lab: "two", Kind: "ConfigMap", Name: "b"}}
			err := two.enter(t.Context(), b, guarded)
			if guarded { // what it was judged by is gone
				if !apierrors.IsConflict(err) {
					t.Fatalf("entered by what was read before: %v", err)
				}
				err = two.enter(t.Context(), b, guarded)
			}
			if err != nil {
				t.Fatal(err)
			}
			one.refresh()
			if entries, err := one.all(t.Context()); err != nil || len(entries) != 1 || entries[0].Name != "b" {
				t.Errorf("%+v, %v", entries, err)
			}
		})
	}
}

// The wait for a namespace names what holds it, who put that there, and since when.
func TestNamespaceTellsWhatHoldsIt(t *testing.T) {
	l := newLab(t, "ns-held")
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "held-namespace"}}}
	u := aConfigMap("held-namespace", "stays", nil)
	l.must("make", stub{intents: []Intent{{Object: ns}, {Object: u}}})
	client, err := l.cluster.resource(t.Context(), RefTo(u))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Patch(t.Context(), "stays", types.MergePatchType, []byte(`{"metadata": {"finalizers": ["example.com/hold"]}}`), meta.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	seen := l.until("undo", stub{intents: []Intent{{How: Delete, Object: ns}}}, func(r pipeline.Report) bool {
		for _, line := range r.Lines {
			if line.Label == "waits for" && strings.HasPrefix(line.Text, "ConfigMap held-namespace/stays, deleted at 20") &&
				strings.HasSuffix(line.Text, "held by example.com/hold (kubectl-edit put there)") {
				return true
			}
		}
		return false
	})
	if want := "oc get -n held-namespace configmap stays"; !strings.Contains(seen.Next, want) {
		t.Errorf("next is %q, want %s", seen.Next, want)
	}
	if _, err := client.Patch(t.Context(), "stays", types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`), meta.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// until runs a step until a wait of it tells what is looked for.
func (l *aLab) until(id string, s stub, found func(pipeline.Report) bool) pipeline.Report {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	ended := make(chan ran, 1)
	told := &tellings{hear: make(chan event.Event, 1000)}
	go func() { ended <- l.runIn(ctx, id, s, told) }()
	for {
		select {
		case r := <-ended:
			l.t.Fatalf("it ended with %v", r.err)
		case e := <-told.hear:
			if e.Report != nil && found(pipeline.Report{Report: *e.Report}) {
				cancel()
				<-ended
				return pipeline.Report{Report: *e.Report}
			}
		}
	}
}

// What an undo has yet to know of an object stands in the inventory before it goes.
func TestNote(t *testing.T) {
	l := newLab(t, "note")
	u := aConfigMap(hub.Namespace(t, "note"), "goes", nil)
	l.must("make", stub{intents: []Intent{{Object: u}}})
	for range 2 { // done again, it stays
		l.must("undo", stub{intents: []Intent{{How: Delete, Object: u, Enter: true, Note: json.RawMessage(`{"at": "there"}`)}}})
		entries, err := l.cluster.Entries(t.Context(), "note")
		if err != nil || len(entries) != 1 || !sameJSON(entries[0].Note, map[string]any{"at": "there"}) || entries[0].Step != "make" || entries[0].UID == "" {
			t.Errorf("%+v, %v", entries, err)
		}
	}
	if l.get(RefTo(u)) != nil {
		t.Error("it is there still")
	}
}

// So it does of what labs share, and a deletion that goes on takes the entry out with
// its note.
func TestNoteOfWhatIsShared(t *testing.T) {
	l := newLab(t, "note-shared")
	u := aConfigMap(hub.Namespace(t, "note-shared"), "goes", nil)
	l.must("make", stub{intents: []Intent{{Object: u, Shared: true}}})
	inventory, key := l.cluster.inventoryOf(SharedInventory), entryKey(false, RefTo(u))
	undo := Intent{How: Delete, Object: u, Shared: true, Enter: true, Note: json.RawMessage(`{"at": "there"}`)}
	for range 2 {
		inventory.refresh()
		e, there, err := inventory.get(t.Context(), key)
		if err != nil || !there {
			t.Fatal(there, err)
		}
		undo.Judged = &e
		l.must("undo", stub{intents: []Intent{undo}})
		undo.Enter = false
		if now, _, err := inventory.get(t.Context(), key); err != nil || len(e.Note) == 0 && !sameJSON(now.Note, undo.Note) {
			t.Errorf("%+v, %v", now, err)
		}
	}
	if e, there, err := inventory.get(t.Context(), key); there || err != nil || l.get(RefTo(u)) != nil {
		t.Errorf("the inventory still holds %+v, %v", e, err)
	}
}

// An undo changes an object back without entering anything, leaves another one of the
// same name alone, and takes out of the inventory what it is told to.
func TestRestoreAndForget(t *testing.T) {
	l := newLab(t, "restore")
	ns := hub.Namespace(t, "restore")
	u := aConfigMap(ns, "changed", map[string]string{"a": "1"})
	l.must("make", stub{intents: []Intent{{Object: u}}})
	uid := string(l.get(RefTo(u)).GetUID())
	back := func(o *unstructured.Unstructured) error {
		return unstructured.SetNestedField(o.Object, "0", "data", "a")
	}

	for name, intent := range map[string]Intent{
		"restore": {How: Restore, Object: u, UID: "another", Change: back}, "delete": {How: Delete, Object: u, UID: "another", Enter: true},
	} {
		wantEffects(t, l.must(name, stub{intents: []Intent{intent}}))
	}
	wantEffects(t, l.must("restore", stub{intents: []Intent{{How: Restore, Object: u, UID: uid, Change: back}}}), "restore ConfigMap "+ns+"/changed changed")
	wantEffects(t, l.must("restore", stub{intents: []Intent{{How: Restore, Object: u, UID: uid, Change: back}}}))
	wantEffects(t, l.must("restore", stub{intents: []Intent{{How: Restore, Verb: "mark", Object: u, UID: uid, Change: addKeys(map[string]string{"b": "1"})}}}), "mark ConfigMap "+ns+"/changed changed")
	now := l.get(RefTo(u))
	if value, _, _ := unstructured.NestedString(now.Object, "data", "a"); value != "0" {
		t.Errorf("a is %q", value)
	}
	inventory := l.cluster.inventoryOf(InventoryName("restore"))
	if e, there, err := inventory.get(t.Context(), entryKey(false, RefTo(u))); !there || e.Found || err != nil {
		t.Errorf("%+v, %t, %v", e, there, err)
	}
	wantEffects(t, l.must("forget", stub{intents: []Intent{{How: Forget, Object: u}}}))
	if _, there, _ := inventory.get(t.Context(), entryKey(false, RefTo(u))); there || l.get(RefTo(u)) == nil {
		t.Errorf("the inventory still holds it: %t", there)
	}
	bad := errors.New("no way back")
	if r := l.run("restore", stub{intents: []Intent{{How: Restore, Object: u, Change: func(*unstructured.Unstructured) error { return bad }}}}); !errors.Is(r.err, bad) {
		t.Errorf("%v", r.err)
	}
}

// An object that is made anew just before it is changed back is somebody else's.
func TestRestoreLeavesWhatIsMadeAnewMeanwhile(t *testing.T) {
	somebody := newLab(t, "somebody")
	u := aConfigMap(hub.Namespace(t, "anew"), "changed", map[string]string{"a": "1"})
	first := somebody.make(u)
	again := &interloper{times: 1, matches: func(r *http.Request) bool { return r.Method == http.MethodPut }, act: func() {
		client, err := somebody.cluster.resource(t.Context(), RefTo(u))
		if err == nil {
			err = client.Delete(t.Context(), "changed", meta.DeleteOptions{})
		}
		if err != nil {
			t.Error(err)
		}
		somebody.make(u)
	}}
	back := func(o *unstructured.Unstructured) error {
		return unstructured.SetNestedField(o.Object, "0", "data", "a")
	}
	r := labAs(t, "restore-anew", again.between(t)).must("restore", stub{intents: []Intent{{How: Restore, Object: u, UID: string(first.GetUID()), Change: back}}})
	wantEffects(t, r, "restore ConfigMap "+u.GetNamespace()+"/changed")
	if again.times != 0 {
		t.Error("nothing was sent")
	}
	wantData(t, somebody.get(RefTo(u)), map[string]string{"a": "1"})
}

// What --adopt takes over was there before labrun: an undo must not delete it.
func TestAdoptedIsEnteredAsFound(t *testing.T) {
	l := newLab(t, "adopts")
	ns := hub.Namespace(t, "adopts")
	u := aConfigMap(ns, "theirs", map[string]string{"a": "1"})
	client, err := l.cluster.resource(t.Context(), RefTo(u))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Create(t.Context(), u, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.adopt = true
	for range 2 {
		l.must("adopt", stub{intents: []Intent{{Object: aConfigMap(ns, "theirs", map[string]string{"b": "2"})}}})
	}
	e, there, err := l.cluster.inventoryOf(InventoryName("adopts")).get(t.Context(), entryKey(false, RefTo(u)))
	if err != nil || !there || !e.Found || e.UID == "" {
		t.Errorf("entry %+v, %v", e, err)
	}
}

// keeping is the environment of an undo that keeps what one step made.
type keeping struct {
	*anEnv
	step string
}

func (k keeping) Keeps(e Entry) string {
	if e.Step == k.step {
		return "its phase is kept"
	}
	return ""
}

// An undo can tell whether the step that applied a field of another one's object is
// kept: no inventory holds it.
func TestKeepsWhatNoInventoryHolds(t *testing.T) {
	l := newLab(t, "keeper")
	ns := hub.Namespace(t, "keeper")
	pool := aNodePool(ns, "quay.io/a:1")
	l.must("pool", stub{intents: []Intent{{Object: pool, Initial: func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
	}}}})
	scaled := &unstructured.Unstructured{Object: map[string]any{"apiVersion": pool.GetAPIVersion(), "kind": pool.GetKind(),
		"metadata": map[string]any{"namespace": ns, "name": pool.GetName()}, "spec": map[string]any{"replicas": int64(2)}}}
	l.must("scale", stub{intents: []Intent{{Object: scaled, Partial: true, Force: true}}})
	for step, want := range map[string]string{"scale": "its phase is kept", "pool": ""} {
		env := keeping{&anEnv{l, pipeline.NewScope(l.name, "workers", "scale_down", "", (&tellings{}).take)}, step}
		asked := false
		_, err := Use[stub, keeping]("test/scale-down", "", "").Run(t.Context(), env, stub{reads: []Ref{RefTo(pool)}, judge: func(seen Seen) Verdict {
			asked = true
			if by := Applier(seen.Get(RefTo(pool)), "spec", "replicas"); by != FieldManager("keeper", "scale", "") || seen.Keeps(Entry{Step: "scale"}) != want {
				t.Errorf("the replicas are by %q, and keeping %s: %q", by, step, seen.Keeps(Entry{Step: "scale"}))
			}
			return Verdict{State: Done}
		}})
		if err != nil || !asked {
			t.Errorf("asked: %t, %v", asked, err)
		}
	}
}
