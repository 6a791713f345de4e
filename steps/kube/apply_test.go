package kube

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestApplyTwice(t *testing.T) {
	l := newLab(t, "twice")
	ns := hub.Namespace(t, "apply")
	u := aConfigMap(ns, "settings", map[string]string{"a": "1", "b": "2"})
	s := stub{intents: []Intent{{Object: u}}}

	first := l.must("settings", s)
	wantEffects(t, first, "create ConfigMap "+ns+"/settings changed")
	if !first.changed {
		t.Error("the first run changed nothing")
	}
	made := l.get(RefTo(u))
	for label, want := range map[string]string{LabelLab: "twice", LabelStep: "settings", LabelManagedBy: "labrun"} {
		if got := made.GetLabels()[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	// discovery, the object; the inventory: read, created, its namespace maybe, entered twice; the object applied.
	t.Log("first run:", first.requests.ByVerb)

	second := l.must("settings", s)
	wantEffects(t, second, "apply ConfigMap "+ns+"/settings")
	wantRequests(t, second, map[string]int{"GET": 1, "PATCH": 1})
	if second.changed {
		t.Error("the second run changed something")
	}
	if now := l.get(RefTo(u)); now.GetResourceVersion() != made.GetResourceVersion() {
		t.Error("the second run changed the resourceVersion")
	}

	another := labAs(t, "twice", hub.Get(t).Config())
	third := another.must("settings", s)
	wantRequests(t, third, map[string]int{"GET": 3, "PATCH": 1}) // discovery, object, inventory
	if third.changed {
		t.Error("the run of another process changed something")
	}

	s.intents[0].Object = aConfigMap(ns, "settings", map[string]string{"c": "3"})
	if r := l.must("settings", s); !r.changed {
		t.Error("another apply changed nothing")
	}
	wantData(t, l.get(RefTo(u)), map[string]string{"c": "3"})
}

func TestInventory(t *testing.T) {
	l := newLab(t, "entries")
	ns := hub.Namespace(t, "inventory")
	u := aConfigMap(ns, "one", nil)
	l.must("one", stub{intents: []Intent{{Object: u}}})
	book := l.get(Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: InventoryNamespace, Name: InventoryName("entries")})
	var e Entry
	if err := json.Unmarshal([]byte(dataOf(book)["configmap__"+ns+"_one"]), &e); err != nil {
		t.Fatal(err)
	}
	want := Entry{Step: "one", Lab: "entries", APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "one", UID: string(l.get(RefTo(u)).GetUID())}
	if !sameJSON(e, want) {
		t.Errorf("entry %+v, want %+v", e, want)
	}
}

// A run that ended between the create and the entry of the UID left an object
// that is the lab's by its labels.
func TestEnteredWithoutUID(t *testing.T) {
	l := newLab(t, "killed")
	ns := hub.Namespace(t, "killed")
	u := aConfigMap(ns, "one", nil)
	s := stub{intents: []Intent{{Object: u}}}
	l.must("one", s)
	key := entryKey(false, RefTo(u))
	inventory := l.cluster.inventoryOf(InventoryName("killed"))
	e, _, err := inventory.get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	uid := e.UID
	e.UID = ""
	if err := inventory.enter(t.Context(), map[string]*Entry{key: &e}, false); err != nil {
		t.Fatal(err)
	}
	if r := l.must("one", s); r.changed {
		t.Error("the object was changed")
	}
	if e, _, _ = inventory.get(t.Context(), key); e.UID != uid {
		t.Errorf("entered UID %q, want %q", e.UID, uid)
	}
}

func TestForeignObjects(t *testing.T) {
	l := newLab(t, "owner")
	ns := hub.Namespace(t, "foreign")
	theirs := aConfigMap(ns, "theirs", map[string]string{"a": "1"})
	l.make(theirs)
	s := stub{intents: []Intent{{Object: aConfigMap(ns, "theirs", map[string]string{"b": "2"})}}}
	r := l.run("one", s)
	wantError(t, r.err, "ConfigMap "+ns+"/theirs exists and is not this lab's", "somebody", "--adopt", "oc delete -n "+ns+" configmap theirs")
	wantData(t, l.get(RefTo(theirs)), map[string]string{"a": "1"})

	l.adopt = true
	if r := l.must("one", s); !r.changed {
		t.Error("adopting changed nothing")
	}
	l.adopt = false
	if r := l.must("one", s); r.changed {
		t.Error("the adopted object was changed again")
	}
	wantData(t, l.get(RefTo(theirs)), map[string]string{"a": "1", "b": "2"})

	other := newLab(t, "other")
	wantError(t, other.run("one", s).err, "is lab owner's by its labels")
}

func TestConflictNamesOwnerAndField(t *testing.T) {
	ns := hub.Namespace(t, "conflict")
	one, two := newLab(t, "one"), newLab(t, "two")
	shared := func(data map[string]string) stub {
		return stub{intents: []Intent{{Object: aConfigMap(ns, "hub", data), Shared: true}}}
	}
	one.must("ca", shared(map[string]string{"one": "1", "both": "x"}))
	two.must("ca", shared(map[string]string{"two": "2"}))
	u := one.get(RefTo(aConfigMap(ns, "hub", nil)))
	wantData(t, u, map[string]string{"one": "1", "two": "2", "both": "x"})
	for _, lab := range []string{"one", "two"} {
		if u.GetAnnotations()[UsedBy+lab] == "" {
			t.Errorf("no annotation of lab %s: %v", lab, u.GetAnnotations())
		}
	}
	if len(u.GetLabels()) != 0 {
		t.Errorf("a shared object has labels %v", u.GetLabels())
	}
	for _, l := range []struct {
		lab  *aLab
		data map[string]string
	}{{one, map[string]string{"one": "1", "both": "x"}}, {two, map[string]string{"two": "2"}}} {
		if r := l.lab.must("ca", shared(l.data)); r.changed {
			t.Errorf("lab %s changed the shared object again", l.lab.name)
		}
	}
	r := two.run("ca", shared(map[string]string{"two": "2", "both": "y"}))
	wantError(t, r.err, "ConfigMap "+ns+"/hub", "data.both is labrun/one/ca's", "give both the same")
	forced := shared(map[string]string{"two": "2", "both": "y"})
	forced.intents[0].Force = true
	two.must("ca", forced)
	wantData(t, one.get(RefTo(u)), map[string]string{"one": "1", "two": "2", "both": "y"})
}

func TestStrictFields(t *testing.T) {
	l := newLab(t, "strict")
	ns := hub.Namespace(t, "strict")
	for name, u := range map[string]*unstructured.Unstructured{
		"core": {Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"namespace": ns, "name": "x"}, "dta": map[string]any{"a": "b"}}},
		"custom": {Object: map[string]any{"apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription",
			"metadata": map[string]any{"namespace": ns, "name": "x"},
			"spec":     map[string]any{"name": "a", "source": "b", "sourceNamespace": "c", "chanel": "d"}}},
	} {
		t.Run(name, func(t *testing.T) {
			field := map[string]string{"core": "dta", "custom": "chanel"}[name]
			wantError(t, l.run("strict", stub{intents: []Intent{{Object: u}}}).err, RefTo(u).String(), field, "mend the named fields")
		})
	}
}

func TestPatchOption(t *testing.T) {
	l := newLab(t, "patched")
	ns := hub.Namespace(t, "patch")
	s := stub{intents: []Intent{{Object: aConfigMap(ns, "other", nil)},
		{Object: aConfigMap(ns, "main", map[string]string{"a": "1", "b": "2"}), Primary: true}}}
	s.Patch = map[string]any{"data": map[string]any{"a": nil, "c": "3"}, "metadata": map[string]any{"annotations": map[string]any{"x": "y"}}}
	l.must("main", s)
	u := l.get(RefTo(aConfigMap(ns, "main", nil)))
	wantData(t, u, map[string]string{"b": "2", "c": "3"})
	if u.GetAnnotations()["x"] != "y" {
		t.Errorf("annotations %v", u.GetAnnotations())
	}
	s.Patch = map[string]any{"metadata": map[string]any{"name": "elsewhere"}}
	wantError(t, l.run("main", s).err, "a patch changes neither kind nor name")
}
