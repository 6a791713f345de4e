package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	"github.com/labrun/labrun/steps/kube"
)

// TestTwoLabsOneHub builds the disconnected lab, and side by side with it another
// one on the same management cluster.
// Neither takes a field of the other: the objects say so, and so do further runs
// of both, which have nothing to do. The hub has an engine, a Provisioning and CAs of
// its own: the first lab to go leaves the other as it is, the last one restores them,
// also where both go at the same time.
func TestTwoLabsOneHub(t *testing.T) {
	t.Parallel()
	first := start(t, disconnected, sim.Options{})
	second := start(t, neighbour(t, ""), sim.Options{Hub: first.Lab})
	// Labs of one release take its live image from one place.
	second.more = []string{"--set", "lab.release.rhcos.live_iso=" + first.overlaid(t).Release.RHCOS.ISO, "--set", "lab.release.rhcos.rootfs=" + first.overlaid(t).Release.RHCOS.RootFS}
	both := []*lab{first, second}
	first.settle(t)
	before := first.hub(t)

	atOnce(t, both, "first", func(l *lab) outcome { return l.run(t) })
	for _, l := range both {
		l.wantFiles(t)
	}

	built := first.objects(t)
	wantOwners(t, built, both)
	for _, l := range both {
		l.wantInventory(t, built)
	}
	wantKeys(t, built, both)

	for _, l := range both {
		l.wantNothingToDo(t)
	}
	wantSame(t, built, first.objects(t))

	gone := first.destroy(t).must(t, 0)
	t.Log("the first one gone:", gone.told())
	second.wantNothingToDo(t)

	if !*further {
		gone = second.destroy(t).must(t, 0)
		t.Log("the last one gone:", gone.told())
		wantBefore(t, before, first.hub(t))
		return
	}
	// The first one comes back as far as the hub goes, and both go at the same time:
	// whichever is the last one out restores it.
	first.run(t, "--until", "hub").must(t, 0)
	atOnce(t, both, "gone", func(l *lab) outcome { return l.destroy(t) })
	wantBefore(t, before, first.hub(t))
}

// atOnce does the same to labs at the same time, and wants it to succeed.
func atOnce(t *testing.T, labs []*lab, told string, do func(*lab) outcome) {
	t.Helper()
	var running sync.WaitGroup
	outcomes := make([]outcome, len(labs))
	for n, l := range labs {
		running.Go(func() { outcomes[n] = do(l) })
	}
	running.Wait()
	for n, l := range labs {
		outcomes[n].must(t, 0)
		t.Logf("%s %s: %s", l.facts.Name, told, outcomes[n].told())
	}
}

// settle gives the hub what somebody else has set up on it: multicluster engine
// without HyperShift, a Provisioning that watches one namespace, and CAs that
// images.config trusts.
func (l *lab) settle(t *testing.T) {
	t.Helper()
	c := playtest.Client(t, l.Hub().Config())
	const mce = "multicluster-engine"
	group := obj.New(obj.OLMGroup, "OperatorGroup", mce, "ours")
	obj.Set(group, []any{mce}, "spec", "targetNamespaces")
	subscription := obj.New(obj.OLM, "Subscription", mce, "ours")
	obj.Set(subscription, map[string]any{"name": mce, "channel": l.facts.MCE.Channel, "source": l.facts.MCE.Catalog, "sourceNamespace": l.facts.MCE.CatalogNamespace}, "spec")
	provisioning := obj.New(obj.Metal3, "Provisioning", "", "provisioning-configuration")
	obj.Set(provisioning, map[string]any{"provisioningNetwork": "Disabled"}, "spec")
	cas := obj.New("v1", "ConfigMap", "openshift-config", "corporate-cas")
	obj.Set(cas, map[string]any{"proxy.corp.example": "a certificate\n"}, "data")
	playtest.Create(t, c, group, subscription, provisioning, cas)
	playtest.Patch(t, c, obj.New(obj.Config, "Image", "", "cluster"), `{"spec": {"additionalTrustedCA": {"name": "corporate-cas"}}}`)
	playtest.Until(t, c, subscription, func(u *unstructured.Unstructured) string {
		if obj.String(u, "status", "installedCSV") == "" {
			return "nothing is installed"
		}
		return ""
	})
	playtest.Until(t, c, obj.New(obj.OLM, "ClusterServiceVersion", mce, "multicluster-engine.v2.10.1"), playtest.Field("Succeeded", "status", "phase"))
	engine := obj.New(obj.MCE, "MultiClusterEngine", "", "engine")
	obj.Set(engine, []any{map[string]any{"name": "hypershift", "enabled": false}, map[string]any{"name": "cluster-permission", "enabled": true}}, "spec", "overrides", "components")
	playtest.Create(t, c, engine)
	playtest.Until(t, c, engine, playtest.Field("Available", "status", "phase"))
	playtest.Until(t, c, obj.New("apps/v1", "Deployment", "openshift-machine-api", "metal3"), playtest.Has(obj.Condition{Type: "Available", Status: obj.True}))
}

// neighbour is the disconnected lab once more: another name, hosted cluster, and
// other workers; the same registry's name and the same sources. Some steps' options
// may be set otherwise.
func neighbour(t *testing.T, override string) string {
	t.Helper()
	text, err := os.ReadFile(overridden(t, override))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"name: ipv6-disconnected", "name: ipv6-neighbour"}, {"hosted-ipv6", "hosted-neighbour"},
		{"name: worker", "name: neighbour"}, {"52:54:00:6e:", "52:54:00:6f:"}, {"6b5a2c1e-", "6c5a2c1e-"},
		{"1305::10/64", "1305::40/64"}, {"1305::11/64", "1305::41/64"},
	} {
		if !strings.Contains(string(text), change[0]) {
			t.Fatalf("%s has no %q", disconnected, change[0])
		}
		text = []byte(strings.ReplaceAll(string(text), change[0], change[1]))
	}
	file := filepath.Join(t.TempDir(), "neighbour.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// objects are all objects of the management cluster in which labrun owns fields,
// by kind, namespace and name. Labels alone say less: Metal3 copies those of a host
// to the host's own objects.
func (l *lab) objects(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	config := l.Hub().Config()
	config.WarningHandler = rest.NoWarnings{}
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	client := dynamic.NewForConfigOrDie(config)
	found := map[string]*unstructured.Unstructured{}
	for _, group := range kinds {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") {
				continue
			}
			list, err := client.Resource(gv.WithResource(kind.Name)).List(t.Context(), meta.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for n := range list.Items {
				u := &list.Items[n]
				if len(managers(u)) > 0 {
					found[name(u)] = u
				}
				if len(managers(u)) == 0 && u.GetLabels()[kube.LabelLab] != "" && len(u.GetOwnerReferences()) == 0 {
					t.Errorf("%s has the labels of lab %s, and no field of labrun's", name(u), u.GetLabels()[kube.LabelLab])
				}
			}
		}
	}
	return found
}

func name(u *unstructured.Unstructured) string {
	return strings.TrimPrefix(u.GetKind()+" "+u.GetNamespace()+"/"+u.GetName(), "/")
}

// managers are labrun's field managers on an object, with the fields of each:
// what it applied and what it created.
func managers(u *unstructured.Unstructured) map[string]string {
	all := map[string]string{}
	for _, f := range u.GetManagedFields() {
		if strings.HasPrefix(f.Manager, "labrun/") {
			text, err := json.Marshal(f.FieldsV1)
			if err != nil {
				panic(err)
			}
			all[f.Manager] += string(f.Operation) + " " + string(text) + "\n"
		}
	}
	return all
}

// wantOwners holds labels, annotations and field managers against each other.
func wantOwners(t *testing.T, objects map[string]*unstructured.Unstructured, all []*lab) {
	t.Helper()
	own, shared := map[string]int{}, 0
	for name, u := range objects {
		labels := u.GetLabels()
		lab := labels[kube.LabelLab]
		if lab == "" {
			shared++
			wantUsers(t, name, u, all)
			continue
		}
		own[lab]++
		if labels[kube.LabelManagedBy] != "labrun" {
			t.Errorf("%s is managed by %q", name, labels[kube.LabelManagedBy])
		}
		maker := kube.FieldManager(lab, labels[kube.LabelStep], labels[kube.LabelKey])
		if _, there := managers(u)[maker]; !there {
			t.Errorf("%s is labelled as made by %s, which owns no field of it: %v", name, maker, slices.Collect(maps.Keys(managers(u))))
		}
		for m := range managers(u) {
			if !strings.HasPrefix(m, "labrun/"+lab+"/") {
				t.Errorf("%s is lab %s's, and %s owns fields of it", name, lab, m)
			}
		}
	}
	for _, l := range all {
		if n := own[l.facts.Name]; n < 15 {
			t.Errorf("%d objects are labelled as those of %s, want at least 15", n, l.facts.Name)
		}
	}
	if len(own) != len(all) || shared < 5 {
		t.Errorf("objects by their labels: %v, and %d shared ones", own, shared)
	}
	t.Logf("objects of labrun's: %v by label, %d shared", own, shared)
}

// wantUsers looks at an object that belongs to the hub: who wrote it is among
// those that use it.
func wantUsers(t *testing.T, name string, u *unstructured.Unstructured, all []*lab) {
	t.Helper()
	var users []string
	for annotation := range u.GetAnnotations() {
		if user, ok := strings.CutPrefix(annotation, kube.UsedBy); ok {
			users = append(users, user)
		}
	}
	for label := range u.GetLabels() {
		if strings.HasPrefix(label, "labrun/") {
			t.Errorf("%s is shared, and has the label %s", name, label)
		}
	}
	for m := range managers(u) {
		lab, _, _ := strings.Cut(strings.TrimPrefix(m, "labrun/"), "/")
		if !slices.Contains(users, lab) {
			t.Errorf("%s has fields of %s, and only the annotations of %v", name, m, users)
		}
	}
	t.Logf("shared: %s, used by %v, managers %v", name, slices.Sorted(slices.Values(users)), slices.Sorted(maps.Keys(managers(u))))
}

// inventory is the ConfigMap of an inventory.
func (l *lab) inventory(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	client := dynamic.NewForConfigOrDie(l.Hub().Config())
	u, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).
		Namespace(kube.InventoryNamespace).Get(t.Context(), name, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// wantInventory holds the lab's inventory, and what all share, against what is there.
func (l *lab) wantInventory(t *testing.T, objects map[string]*unstructured.Unstructured) {
	t.Helper()
	entered := map[string]kube.Entry{}
	for _, inventory := range []string{kube.InventoryName(l.facts.Name), kube.SharedInventory} {
		u := l.inventory(t, inventory)
		data, _, _ := unstructured.NestedStringMap(u.Object, "data")
		for key, text := range data {
			var e kube.Entry
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			name := strings.TrimPrefix(e.Kind+" "+e.Namespace+"/"+e.Name, "/")
			u := objects[name]
			switch {
			case u == nil:
				t.Errorf("inventory %s holds %s, which is not there", inventory, name)
			case e.UID != string(u.GetUID()):
				t.Errorf("inventory %s holds %s with the UID %q, and it has %s", inventory, name, e.UID, u.GetUID())
			}
			entered[name] = e
		}
	}
	for name, u := range objects {
		if u.GetLabels()[kube.LabelLab] != l.facts.Name {
			continue
		}
		if e, ok := entered[name]; !ok || e.Step != u.GetLabels()[kube.LabelStep] || e.Key != u.GetLabels()[kube.LabelKey] || e.Lab != l.facts.Name {
			t.Errorf("%s is entered as %+v (there: %t), its labels are %v", name, e, ok, u.GetLabels())
		}
	}
}

// wantKeys looks for the etcd keys: one a lab, 32 bytes, not the same.
func wantKeys(t *testing.T, objects map[string]*unstructured.Unstructured, all []*lab) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range all {
		u := objects["Secret "+l.facts.Hosted.Namespace+"/"+l.facts.Hosted.Name+"-etcd-encryption-key"]
		if u == nil {
			t.Fatalf("%s has no etcd key", l.facts.Name)
		}
		key, _, _ := unstructured.NestedString(u.Object, "data", "key")
		if len(key) != 44 || seen[key] { // 32 bytes, as base64
			t.Errorf("the etcd key of %s has %d characters, seen before: %t", l.facts.Name, len(key), seen[key])
		}
		seen[key] = true
	}
}

// wantSame holds the objects after further runs against those before: the same
// ones, with the same fields in the same hands. Status is the operators'.
func wantSame(t *testing.T, before, after map[string]*unstructured.Unstructured) {
	t.Helper()
	for name, b := range before {
		a := after[name]
		if a == nil || a.GetUID() != b.GetUID() {
			t.Errorf("%s is gone or another one", name)
			continue
		}
		if !maps.Equal(managers(a), managers(b)) {
			t.Errorf("%s: the fields of labrun were\n%v\nand are\n%v", name, managers(b), managers(a))
		}
		for _, part := range []string{"spec", "data", "rules"} {
			x, errX := json.Marshal(b.Object[part])
			y, errY := json.Marshal(a.Object[part])
			if errX != nil || errY != nil || string(x) != string(y) {
				t.Errorf("%s has another %s", name, part)
			}
		}
	}
	for name := range after {
		if before[name] == nil {
			t.Errorf("%s is new", name)
		}
	}
}
