package destroy

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// An operator goes with its Subscription, and after it: while another lab may yet turn
// out to use that, nothing happens to it. An undo that ended in between goes on.
func TestOperatorGoesAfterItsSubscription(t *testing.T) {
	note := json.RawMessage(`{"name":"mce.v2","uid":"9"}`)
	for _, c := range []struct {
		name  string
		there map[string]any // the Subscription, nil: gone
		note  json.RawMessage
		want  string
		reads string
	}{
		{"the last one", used(lab), nil, "delete Subscription 1 noting 9, delete ClusterServiceVersion 9", "mce.v2"},
		{"another lab uses it", used(lab, "day"), nil, "change Subscription 1", "mce.v2"},
		{"an undo ended in between", nil, note, "delete ClusterServiceVersion 9, forget Subscription", "mce.v2"},
		{"somebody else deleted it", nil, nil, "forget Subscription", "mce"},
	} {
		e := kube.Entry{Step: "mce_operator", Lab: lab, APIVersion: olm, Kind: "Subscription", Namespace: "mce", Name: "mce", UID: "1", Note: c.note}
		objects := map[kube.Ref][]*unstructured.Unstructured{
			named(olm, "ClusterServiceVersion", "mce", "mce.v2"): {object(olm, "ClusterServiceVersion", "mce", "mce.v2", "9", nil)}}
		if c.there != nil {
			u := object(olm, "Subscription", "mce", "mce", "1", c.there)
			_ = unstructured.SetNestedField(u.Object, "mce.v2", "status", "installedCSV")
			objects[e.Ref()] = []*unstructured.Unstructured{u}
		}
		seen := kube.NewSeen(time.Unix(0, 0), objects, nil).WithEntries(nil, []kube.Entry{e})
		intents, err := HubObjects{}.Objects(facts(), seen)
		if err != nil {
			t.Fatal(err)
		}
		verbs := map[kube.How]string{kube.Delete: "delete", kube.Restore: "change", kube.Forget: "forget"}
		var got []string
		for _, i := range intents {
			text := verbs[i.How] + " " + i.Object.GetObjectKind().GroupVersionKind().Kind
			if i.UID != "" {
				text += " " + i.UID
			}
			if len(i.Note) > 0 {
				text += " noting " + operatorOf(kube.Entry{Note: i.Note}).UID
			}
			got = append(got, text)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
		follows := (HubObjects{}).Follows(facts(), seen)
		if last := follows[len(follows)-1].Name; last != c.reads {
			t.Errorf("%s: it reads %s last, want %s", c.name, last, c.reads)
		}
	}
}

// A namespace that labs share goes when nothing is in it that one of them still uses.
func TestNamespaceOfWhatAnotherLabUses(t *testing.T) {
	for _, c := range []struct {
		name   string
		inside map[string]any // nil: gone
		want   string
		told   string
	}{
		{"gone", nil, "delete Namespace mce", ""},
		{"this lab's alone", used(lab), "delete Namespace mce", ""},
		{"both labs'", used(lab, "day"), "", "Namespace mce is kept: ConfigMap mce/settings is in it, and stays: lab day uses it, too"},
		{"another lab's", used("day"), "", "Namespace mce is kept: ConfigMap mce/settings is in it, and stays: this lab does not use it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := []kube.Entry{{Step: "s", Lab: lab, APIVersion: "v1", Kind: "ConfigMap", Namespace: "mce", Name: "settings", UID: "2"},
				{Step: "s", Lab: lab, APIVersion: "v1", Kind: "Namespace", Name: "mce", UID: "1"}}
			objects := map[kube.Ref][]*unstructured.Unstructured{entries[1].Ref(): {object("v1", "Namespace", "", "mce", "1", used(lab))}}
			if c.inside != nil {
				objects[entries[0].Ref()] = []*unstructured.Unstructured{object("v1", "ConfigMap", "mce", "settings", "2", c.inside)}
			}
			seen := kube.NewSeen(time.Unix(0, 0), objects, nil).WithEntries(nil, entries)
			s := HubObjects{Kinds: []string{"Namespace"}}
			intents, err := s.Objects(facts(), seen)
			if got := strings.Join(did(t, intents, seen), ", "); err != nil || got != c.want {
				t.Errorf("%q, want %q (%v)", got, c.want, err)
			}
			if v := s.Judge(facts(), seen); c.told != "" && (len(v.Warnings) != 1 || v.Warnings[0].Title != c.told || v.Summary != "1 object kept") {
				t.Errorf("told %+v, want %s", v, c.told)
			}
		})
	}
}
