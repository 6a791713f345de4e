package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/steps/kube"
)

// What two simulated labs of one lab file have otherwise: where their servers
// answer, and what is generated.
var differing = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`(127(\.\d+){3}|\[::1\]|localhost|registry[.a-z0-9-]*):\d+`), "ADDRESS"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`(?s)-----BEGIN .*-----END [A-Z ]+-----`), "PEM"},
	{regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`), "TOKEN"},
	{regexp.MustCompile(`"infraID": "[^"]*"`), `"infraID": "GENERATED"`},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
}

func alike(text string) string {
	for _, d := range differing {
		text = d.pattern.ReplaceAllString(text, d.word)
	}
	return text
}

// comparable is an object without what is another one in every cluster: times, UIDs,
// versions, generated values. Of a Secret's values the length is left. The fields
// that labrun owns are kept, by manager.
func comparable(u *unstructured.Unstructured) string {
	c := u.DeepCopy()
	kept := map[string]any{"labrun owns": managers(u), "labels": c.GetLabels(), "annotations": c.GetAnnotations(), "finalizers": c.GetFinalizers()}
	for key, value := range c.Object {
		if key != "metadata" && key != "status" {
			kept[key] = value
		}
	}
	if data, ok := kept["data"].(map[string]any); ok && u.GetKind() == "Secret" {
		for key, value := range data {
			plain, _ := base64.StdEncoding.DecodeString(fmt.Sprint(value))
			data[key] = fmt.Sprintf("%d bytes", len(alike(string(plain))))
		}
	}
	if data, ok := kept["data"].(map[string]any); ok && u.GetNamespace() == kube.InventoryNamespace {
		for key, value := range data {
			data[key] = strings.Join(strings.Fields(fmt.Sprint(value)), " ")
		}
	}
	text, err := json.MarshalIndent(kept, "", " ")
	if err != nil {
		panic(err)
	}
	return alike(string(text))
}

// snapshot is what a lab's cluster holds of labrun's, its inventories among it.
func (l *lab) snapshot(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, u := range l.objects(t) {
		all[name] = comparable(u)
	}
	for _, inventory := range []string{kube.InventoryName(l.facts.Name), kube.SharedInventory} {
		u := l.inventory(t, inventory)
		all["inventory "+inventory] = comparable(u)
	}
	return all
}

// changes counts the writes of labrun's that changed an object, by object. The
// inventories are left out: how much is entered at once depends on where a run ends.
func (l *lab) changes(t *testing.T) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, w := range writes(t, l.Hub())[l.began:] {
		asks := strings.HasSuffix(w.Resource, "reviews") // of which the server keeps nothing
		if ours(w) && !asks && w.Changed && !w.DryRun && w.Code < 300 && w.Namespace != kube.InventoryNamespace && w.Name != kube.InventoryNamespace {
			n[alike(fmt.Sprintf("%s %s/%s", w.Resource, w.Namespace, w.Name))]++
		}
	}
	return n
}

// wantAlike holds a lab against an undisturbed one: the same objects, and no object
// changed once more often.
func (l *lab) wantAlike(t *testing.T, undisturbed map[string]string, changes map[string]int) {
	t.Helper()
	l.wantObjects(t, undisturbed)
	if d := cmp.Diff(changes, l.changes(t)); d != "" {
		t.Errorf("writes of labrun's that changed an object (-undisturbed +here):\n%s", d)
	}
	if len(changes) < 20 {
		t.Errorf("%d changed objects were compared, want at least 20", len(changes))
	}
}

// wantObjects holds the lab's objects against those of an undisturbed one.
func (l *lab) wantObjects(t *testing.T, undisturbed map[string]string) {
	t.Helper()
	have := l.snapshot(t)
	for _, name := range slices.Sorted(maps.Keys(undisturbed)) {
		if d := cmp.Diff(undisturbed[name], have[name]); d != "" {
			t.Errorf("%s (-undisturbed +here):\n%s", name, d)
		}
	}
	for name := range have {
		if undisturbed[name] == "" {
			t.Errorf("%s is not there after an undisturbed run", name)
		}
	}
	if len(have) < 20 {
		t.Errorf("%d objects were compared, want at least 20", len(have))
	}
}

// secretsMade are the UIDs and values of the Secrets that labrun made: what
// is generated once is never changed after.
func (l *lab) secretsMade(t *testing.T) map[string]string {
	t.Helper()
	client := dynamic.NewForConfigOrDie(l.Hub().Config())
	list, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).
		List(t.Context(), meta.ListOptions{LabelSelector: kube.LabelLab + "=" + l.facts.Name})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for n := range list.Items {
		u := &list.Items[n]
		text, err := json.Marshal(u.Object["data"])
		if err != nil {
			t.Fatal(err)
		}
		found[name(u)] = string(u.GetUID()) + " " + string(text)
	}
	return found
}
