package kube

import (
	"encoding/base64"
	"io"
	"maps"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labrun/labrun/pipeline/event"
)

func aKey(namespace, name string) stub {
	return stub{intents: []Intent{{How: CreateOnce, Secret: true,
		Object: &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
			"metadata": map[string]any{"namespace": namespace, "name": name}}},
		Generate: func(random io.Reader, u *unstructured.Unstructured) error {
			key := make([]byte, 32)
			if _, err := io.ReadFull(random, key); err != nil {
				return err
			}
			return unstructured.SetNestedField(u.Object, base64.StdEncoding.EncodeToString(key), "data", "key")
		}}}}
}

func TestCreateOnce(t *testing.T) {
	l := newLab(t, "once")
	ns := hub.Namespace(t, "once")
	s := aKey(ns, "etcd")
	ref := Ref{APIVersion: "v1", Kind: "Secret", Namespace: ns, Name: "etcd"}
	wantEffects(t, l.must("key", s), "create Secret "+ns+"/etcd changed")
	first := l.get(ref)
	if n := len(dataOf(first)["key"]); n != 44 {
		t.Fatalf("the key has %d characters, want 44", n)
	}
	second := l.must("key", s)
	wantEffects(t, second)
	wantRequests(t, second, map[string]int{"GET": 1})
	if now := l.get(ref); now.GetResourceVersion() != first.GetResourceVersion() {
		t.Error("the second run wrote the object")
	}

	theirs := aKey(ns, "theirs")
	made := theirs.intents[0].Object.(*unstructured.Unstructured).DeepCopy()
	made.Object["stringData"] = map[string]any{"key": "brought by hand"}
	l.make(made)
	r := l.must("key", theirs)
	wantEffects(t, r)
	if warned := r.told.titles(event.StepWarned); len(warned) != 1 || !strings.Contains(warned[0], "not this lab's") {
		t.Errorf("warned %q", warned)
	}
}

func aNodePool(namespace, image string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hypershift.openshift.io/v1beta1", "kind": "NodePool",
		"metadata": map[string]any{"namespace": namespace, "name": "pool"},
		"spec": map[string]any{"clusterName": "pool", "arch": "amd64", "platform": map[string]any{"type": "Agent"},
			"management": map[string]any{"upgradeType": "InPlace", "autoRepair": false}, "release": map[string]any{"image": image}},
	}}
}

func TestInitialFieldsSurvive(t *testing.T) {
	l := newLab(t, "initial")
	ns := hub.Namespace(t, "initial")
	ref := RefTo(aNodePool(ns, ""))
	pool := func(image string, annotations map[string]string) stub {
		u := aNodePool(ns, image)
		u.SetAnnotations(annotations)
		return stub{intents: []Intent{{Object: u, Initial: func(u *unstructured.Unstructured) error {
			return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
		}}}}
	}
	scale := func(replicas int64) stub {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"replicas": replicas}}}
		u.SetAPIVersion(ref.APIVersion)
		u.SetKind(ref.Kind)
		u.SetNamespace(ns)
		u.SetName("pool")
		return stub{intents: []Intent{{Object: u, Partial: true, Force: true}}}
	}
	wantReplicas := func(want int64) {
		t.Helper()
		if got, found, _ := unstructured.NestedInt64(l.get(ref).Object, "spec", "replicas"); !found || got != want {
			t.Errorf("replicas %d (there: %t), want %d", got, found, want)
		}
	}
	wantError(t, l.run("scale", scale(2)).err, "NodePool "+ns+"/pool does not exist")

	first := l.must("pool", pool("quay.io/a:1", map[string]string{"x": "1"}))
	wantReplicas(0)
	t.Log("first run:", first.told.effects(), first.requests.ByVerb)
	second := l.must("pool", pool("quay.io/a:1", map[string]string{"x": "1"}))
	if second.changed {
		t.Error("the second run changed something")
	}
	wantRequests(t, second, map[string]int{"GET": 1, "PATCH": 1})
	wantReplicas(0)
	if r := l.must("scale", scale(2)); !r.changed {
		t.Error("scaling changed nothing")
	}
	wantReplicas(2)
	if r := l.must("scale", scale(2)); r.changed {
		t.Error("scaling again changed something")
	}
	if r := l.must("pool", pool("quay.io/a:1", map[string]string{"x": "1"})); r.changed {
		t.Error("the run after the scaling changed something")
	}
	wantReplicas(2)

	// What the create held is the apply's now: it changes without a conflict, and goes when it is left out.
	if r := l.must("pool", pool("quay.io/a:2", nil)); !r.changed {
		t.Error("another image changed nothing")
	}
	u := l.get(ref)
	if image, _, _ := unstructured.NestedString(u.Object, "spec", "release", "image"); image != "quay.io/a:2" {
		t.Errorf("image %s", image)
	}
	if len(u.GetAnnotations()) != 0 {
		t.Errorf("annotations %v: what an apply leaves out must go", u.GetAnnotations())
	}
	if u.GetLabels()[LabelStep] != "pool" {
		t.Errorf("labels %v", u.GetLabels())
	}
	wantReplicas(2)
}

func addKeys(keys map[string]string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		for k, v := range keys {
			if err := unstructured.SetNestedField(u.Object, v, "data", k); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestMergeIntoAnothersConfigMap(t *testing.T) {
	ns := hub.Namespace(t, "merge")
	one, two := newLab(t, "merge-one"), newLab(t, "merge-two")
	theirs := aConfigMap(ns, "theirs", map[string]string{"a..5000": "their CA", "both": "former"})
	one.make(theirs)
	s := func(keys map[string]string) stub {
		return stub{intents: []Intent{{How: Merge, Shared: true, Object: aConfigMap(ns, "theirs", nil), Change: addKeys(keys)}}}
	}
	wantEffects(t, one.must("ca", s(map[string]string{"one..5000": "1", "both": "one's"})), "update ConfigMap "+ns+"/theirs changed")
	two.must("ca", s(map[string]string{"two..5000": "2"}))
	wantData(t, one.get(RefTo(theirs)), map[string]string{"a..5000": "their CA", "one..5000": "1", "two..5000": "2", "both": "one's"})

	for _, l := range []*aLab{one, two} {
		keys := map[*aLab]map[string]string{one: {"one..5000": "1", "both": "one's"}, two: {"two..5000": "2"}}[l]
		again := l.must("ca", s(keys))
		wantEffects(t, again)
		wantRequests(t, again, map[string]int{"GET": 1})
	}
	if labels := one.get(RefTo(theirs)).GetLabels(); len(labels) != 0 {
		t.Errorf("somebody's object has labels %v", labels)
	}

	// The former values bring the object back as it was before the first lab.
	e, ok, err := labAs(t, "any", hub.Get(t).Config()).cluster.inventoryOf(SharedInventory).get(t.Context(), entryKey(false, RefTo(theirs)))
	if err != nil || !ok || !e.Found {
		t.Fatalf("entry %+v, there: %t, %v", e, ok, err)
	}
	client, err := one.cluster.resource(t.Context(), RefTo(theirs))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Patch(t.Context(), "theirs", types.MergePatchType, e.Former, meta.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	wantData(t, one.get(RefTo(theirs)), map[string]string{"a..5000": "their CA", "both": "former"})
}

func TestMergeMakesWhatIsAbsent(t *testing.T) {
	l := newLab(t, "merge-absent")
	ns := hub.Namespace(t, "merge-absent")
	s := stub{intents: []Intent{{How: Merge, Object: aConfigMap(ns, "new", nil), Change: addKeys(map[string]string{"a": "1"})}}}
	wantEffects(t, l.must("new", s), "create ConfigMap "+ns+"/new changed")
	wantRequests(t, l.must("new", s), map[string]int{"GET": 1})
	if got := l.get(RefTo(aConfigMap(ns, "new", nil))).GetLabels()[LabelLab]; got != "merge-absent" {
		t.Errorf("label %q", got)
	}
}

// Many who merge at the same time lose nothing.
func TestMergeSideBySide(t *testing.T) {
	ns := hub.Namespace(t, "race")
	l := newLab(t, "race")
	l.make(aConfigMap(ns, "busy", map[string]string{"theirs": "0"}))
	want := map[string]string{"theirs": "0"}
	results := make(chan error)
	for _, id := range []string{"a", "b", "c", "d"} {
		want[id] = id
		go func() {
			results <- l.run(id, stub{intents: []Intent{{How: Merge, Shared: true, Object: aConfigMap(ns, "busy", nil),
				Change: addKeys(map[string]string{id: id})}}}).err
		}()
	}
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := dataOf(l.get(RefTo(aConfigMap(ns, "busy", nil)))); !maps.Equal(got, want) {
		t.Errorf("holds %v, want %v", got, want)
	}
}

func TestDeleteWaitsForFinalizers(t *testing.T) {
	l := newLab(t, "delete")
	ns := hub.Namespace(t, "delete")
	u := aConfigMap(ns, "going", nil)
	l.must("going", stub{intents: []Intent{{Object: u}}})
	held := l.get(RefTo(u))
	held.SetFinalizers([]string{"example.com/holds"})
	client, err := l.cluster.resource(t.Context(), RefTo(u))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Update(t.Context(), held, meta.UpdateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	told := &tellings{hear: make(chan event.Event, 100)}
	ended := make(chan ran)
	go func() {
		ended <- l.runIn(t.Context(), "delete", stub{intents: []Intent{{How: Delete, Object: aConfigMap(ns, "going", nil)}}}, told)
	}()
	for e := range told.hear {
		if e.Type == event.StepProgress && len(e.Report.Lines) > 0 {
			if text := e.Report.Lines[0].Text; text != "finalizer example.com/holds, which somebody put there" {
				t.Errorf("held by %q", text)
			}
			break
		}
	}
	if _, err := client.Patch(t.Context(), "going", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), meta.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	r := <-ended
	if r.err != nil || !r.changed {
		t.Errorf("changed %t, %v", r.changed, r.err)
	}
	if l.get(RefTo(u)) != nil {
		t.Error("the object is still there")
	}
	if _, there, _ := l.cluster.inventoryOf(InventoryName("delete")).get(t.Context(), entryKey(false, RefTo(u))); there {
		t.Error("the inventory still holds it")
	}
	wantEffects(t, l.must("delete", stub{intents: []Intent{{How: Delete, Object: u}}}))
}

// An object that an interrupted run deleted is taken out of the inventory by the
// next one.
func TestDeleteForgetsWhatIsGone(t *testing.T) {
	l := newLab(t, "gone")
	ns := hub.Namespace(t, "gone")
	u := aConfigMap(ns, "gone", nil)
	l.must("gone", stub{intents: []Intent{{Object: u}}})
	client, err := l.cluster.resource(t.Context(), RefTo(u))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Delete(t.Context(), "gone", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantEffects(t, l.must("delete", stub{intents: []Intent{{How: Delete, Object: u}}}))
	if _, there, err := l.cluster.inventoryOf(InventoryName("gone")).get(t.Context(), entryKey(false, RefTo(u))); there || err != nil {
		t.Errorf("the inventory still holds it (%v)", err)
	}
}

// A shared object whose UID an interrupted run did not enter is found by its annotation.
func TestSharedEnteredWithoutUID(t *testing.T) {
	l := newLab(t, "shared-killed")
	ns := hub.Namespace(t, "shared")
	u := aConfigMap(ns, "one", map[string]string{"a": "1"})
	s := stub{intents: []Intent{{Object: u, Shared: true}}}
	l.must("one", s)
	key, inventory := entryKey(false, RefTo(u)), l.cluster.inventoryOf(SharedInventory)
	e, _, err := inventory.get(t.Context(), key)
	if err != nil || e.UID == "" || e.Found {
		t.Fatalf("entry %+v, %v", e, err)
	}
	uid := e.UID
	e.UID = ""
	if err := inventory.enter(t.Context(), map[string]*Entry{key: &e}, false); err != nil {
		t.Fatal(err)
	}
	again := l.must("one", s)
	wantEffects(t, again)
	if e, _, _ = inventory.get(t.Context(), key); e.UID != uid {
		t.Errorf("entered UID %q, want %q", e.UID, uid)
	}
}

// What belongs to the hub keeps its former values in the inventory, whoever changes it.
func TestSharedApplyKeepsFormerValues(t *testing.T) {
	l := newLab(t, "shared-former")
	ns := hub.Namespace(t, "former")
	l.make(aConfigMap(ns, "hub", map[string]string{"a": "theirs", "b": "b"}))
	s := stub{intents: []Intent{{Object: aConfigMap(ns, "hub", map[string]string{"a": "ours"}), Shared: true, Force: true}}}
	l.must("hub", s)
	again := l.must("hub", s)
	wantEffects(t, again)
	wantRequests(t, again, map[string]int{"GET": 1, "DRY RUN": 1})
	e, _, err := l.cluster.inventoryOf(SharedInventory).get(t.Context(), entryKey(false, RefTo(aConfigMap(ns, "hub", nil))))
	if err != nil || !e.Found || string(e.Former) != `{"data":{"a":"theirs"}}` {
		t.Errorf("former %s, found %t, %v", e.Former, e.Found, err)
	}
}

func TestNamespaceThatIsMissing(t *testing.T) {
	l := newLab(t, "nowhere")
	wantError(t, l.run("one", stub{intents: []Intent{{Object: aConfigMap("no-such-namespace", "x", nil)}}}).err,
		"ConfigMap no-such-namespace/x: create failed", "make the namespace first")
}
