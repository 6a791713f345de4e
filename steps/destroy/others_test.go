package destroy

import (
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// A namespace of which something could not be read is not deleted: somebody else's
// objects may be there. Nothing is begun, or it is left, and the command can be run again.
func TestUnreadNamespace(t *testing.T) {
	f := facts()
	plane := object("v1", "Namespace", "", f.ControlPlaneNamespace(), "plane", labelled(lab))
	notes := content("ConfigMap", "notes", "kubectl-create", nil)
	for _, c := range []struct {
		name   string
		inside kube.Contents
		state  kube.State
		says   string // "" where the namespace goes
	}{
		{"all was read", kube.Contents{}, kube.Done, ""},
		{"a kind could not be listed", kube.Contents{Unread: []string{"configmaps: no right"}}, kube.Failed, "configmaps: no right"},
		{"no kind is known", kube.Contents{Unread: []string{"API groups: no right"}}, kube.Failed, "API groups: no right"},
		{"others' objects, and unread", kube.Contents{Objects: []meta.PartialObjectMetadata{notes}, Unread: []string{"x"}}, kube.Failed, "ConfigMap plane/notes"},
	} {
		seen := sees(nil, plane).WithContents(map[string]kube.Contents{f.ControlPlaneNamespace(): c.inside})
		v := Survey{}.Judge(f, seen)
		told := v.Report.Title + v.Report.Next
		for _, line := range v.Report.Lines {
			told += "\n" + line.Text
		}
		if v.State != c.state || !strings.Contains(told, c.says) || c.says != "" && !strings.Contains(told, "--from workers") {
			t.Errorf("%s: the survey says %+v", c.name, v)
		}
		intents, err := Namespace{}.Objects(f, seen)
		if v := (Namespace{}).Judge(f, seen); err != nil || len(intents) > 0 != (c.says == "") || c.says != "" && (len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Title, c.says)) {
			t.Errorf("%s: %+v, %v, the namespace says %+v", c.name, intents, err, v)
		}
	}
}

// So it is with a namespace that labs share: it stays in the inventory, and goes the
// next time.
func TestUnreadSharedNamespace(t *testing.T) {
	u := object("v1", "Namespace", "", "mce", "1", used(lab))
	e := entryOf(u)
	e.UID, e.Lab = "1", lab
	ref := kube.RefTo(u)
	for _, c := range []struct {
		name   string
		inside kube.Contents
		want   []kube.How
		warns  string
	}{
		{"all was read", kube.Contents{}, []kube.How{kube.Delete}, "is there again"},
		{"a kind could not be listed", kube.Contents{Unread: []string{"configmaps: no right"}}, nil, "configmaps: no right"},
		{"somebody else's Subscription", kube.Contents{Objects: []meta.PartialObjectMetadata{content("Subscription", "theirs", "kubectl-create", nil)}},
			[]kube.How{kube.Restore, kube.Forget}, "Subscription plane/theirs is in it"},
	} {
		seen := kube.NewSeen(time.Unix(0, 0), map[kube.Ref][]*unstructured.Unstructured{ref: {u}}, nil).
			WithEntries(nil, []kube.Entry{e}).WithContents(map[string]kube.Contents{"mce": c.inside})
		step := HubObjects{Kinds: []string{"Namespace"}}
		intents, err := step.Objects(facts(), seen)
		var got []kube.How
		for _, i := range intents {
			got = append(got, i.How)
		}
		v := step.Judge(facts(), seen)
		if err != nil || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
		if v.State != kube.Done || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Title, c.warns) {
			t.Errorf("%s: it says %+v", c.name, v)
		}
	}
}
