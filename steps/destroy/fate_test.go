package destroy

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

const lab = "night"

func object(apiVersion, kind, namespace, name, uid string, metadata map[string]any) *unstructured.Unstructured {
	u := Item{Entry: kube.Entry{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name}}.blank()
	for field, value := range metadata {
		_ = unstructured.SetNestedField(u.Object, value, "metadata", field)
	}
	u.SetUID(types.UID(uid))
	return u
}

func labelled(of string) map[string]any {
	return map[string]any{"labels": map[string]any{kube.LabelLab: of, "app": "x"}}
}

func used(by ...string) map[string]any {
	annotations := map[string]any{"other": "x"}
	for _, lab := range by {
		annotations[kube.UsedBy+lab] = "true"
	}
	return map[string]any{"annotations": annotations}
}

func TestJudge(t *testing.T) {
	entry := func(uid string, change func(*kube.Entry)) kube.Entry {
		e := kube.Entry{Step: "s", Lab: lab, APIVersion: "v1", Kind: "Secret", Namespace: "a", Name: "b", UID: uid}
		if change != nil {
			change(&e)
		}
		return e
	}
	found := func(e *kube.Entry) { e.Found = true }
	for _, c := range []struct {
		name  string
		entry kube.Entry
		there map[string]any // nil: gone
		want  Fate
	}{
		{"gone", entry("1", nil), nil, Gone},
		{"ours by UID and label", entry("1", nil), labelled(lab), Doomed},
		{"entered without UID, ours by label", entry("", nil), labelled(lab), Doomed},
		{"entered without UID, another's label", entry("", nil), labelled("day"), Left},
		{"entered without UID, no label", entry("", nil), map[string]any{}, Left},
		{"another UID under our label", entry("2", nil), labelled(lab), Left},
		{"the label was taken off", entry("1", nil), map[string]any{}, Left},
		{"another lab took it over", entry("1", nil), labelled("day"), Left},
		{"it was there before", entry("1", found), labelled(lab), Restored},
		{"it was there before, and was replaced", entry("2", found), labelled(lab), Left},
		{"it was there before, and was never changed", entry("", found), map[string]any{}, AsBefore},
		{"kept", entry("1", func(e *kube.Entry) { e.Kept = "a phase" }), labelled(lab), Kept},
		{"in the hosted cluster", entry("1", func(e *kube.Entry) { e.Cluster = "hosted" }), nil, Follows},
	} {
		var u *unstructured.Unstructured
		if c.there != nil {
			u = object("v1", "Secret", "a", "b", "1", c.there)
		}
		got := Judge(lab, c.entry, u)
		if got.Fate != c.want || got.Why == "" || (u != nil && c.want == Doomed) != (got.Fate == Doomed && got.UID == "1") {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestJudgeShared(t *testing.T) {
	entry := func(by, uid string, found bool) kube.Entry {
		return kube.Entry{Step: "s", Lab: by, APIVersion: "v1", Kind: "ConfigMap", Namespace: "a", Name: "b", UID: uid, Found: found}
	}
	for _, c := range []struct {
		name  string
		entry kube.Entry
		there map[string]any
		want  Fate
	}{
		{"made by this lab, which is the last one", entry(lab, "1", false), used(lab), Doomed},
		{"made by another lab, and this is the last one", entry("day", "1", false), used(lab), Doomed},
		{"made by this lab, and another one uses it", entry(lab, "1", false), used(lab, "day"), Released},
		{"entered without UID", entry(lab, "", false), used(lab), Doomed},
		{"found, and this is the last one", entry("day", "1", true), used(lab), Restored},
		{"found, and another one uses it", entry(lab, "1", true), used(lab, "day"), Released},
		{"found, and never changed", entry(lab, "1", true), used(), AsBefore},
		{"another lab's alone", entry("day", "1", false), used("day"), Kept},
		{"this lab is out already", entry(lab, "1", false), used("day"), Kept},
		{"replaced", entry(lab, "2", false), used(lab), Left},
		{"the annotation was taken off", entry(lab, "1", false), used(), Left},
		{"gone", entry(lab, "1", false), nil, Gone},
		{"another lab makes it just now", entry("day", "", false), nil, Kept},
		{"this lab never came to it", entry(lab, "", false), nil, Gone},
	} {
		var u *unstructured.Unstructured
		if c.there != nil {
			u = object("v1", "ConfigMap", "a", "b", "1", c.there)
			u.SetResourceVersion("7")
		}
		got := JudgeShared(lab, c.entry, u)
		if got.Fate != c.want || got.Why == "" || (got.Version == "7") != (u != nil) {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

// What becomes of an item is what is brought about, and only that.
func TestIntents(t *testing.T) {
	e := kube.Entry{APIVersion: "v1", Kind: "ConfigMap", Namespace: "a", Name: "b"}
	for fate, want := range map[Fate][]kube.How{
		Doomed: {kube.Delete}, Restored: {kube.Restore, kube.Forget}, Released: {kube.Restore}, Left: {kube.Restore, kube.Forget},
		Gone: {kube.Forget}, AsBefore: {kube.Forget}, Follows: {kube.Forget}, Kept: nil,
	} {
		var got []kube.How
		for _, intent := range (Item{Entry: e, Shared: true, Fate: fate, UID: "1"}).intents(lab) {
			got = append(got, intent.How)
			if intent.How != kube.Forget && intent.UID != "1" || !intent.Shared {
				t.Errorf("%s: %+v", fate, intent)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", fate, got, want)
			continue
		}
		for n := range want {
			if got[n] != want[n] {
				t.Errorf("%s: %v, want %v", fate, got, want)
			}
		}
	}
	// What labs share is changed as it was judged only, and its entry taken out as it was
	// judged; a lab that restores it takes the entry over in between.
	day := Item{Entry: kube.Entry{Lab: "day", Found: true}, Shared: true, UID: "1", Version: "7"}
	for fate, labs := range map[Fate][]string{Doomed: {"day"}, Restored: {"day", lab}, Left: {"day", lab}, Gone: {"day"}, AsBefore: {"day"}} {
		day.Fate = fate
		for n, intent := range day.intents(lab) {
			if intent.How != kube.Forget && intent.Version != "7" || intent.Judged == nil || intent.Judged.Lab != labs[n] {
				t.Errorf("%s: %+v of entry %+v", fate, intent, intent.Judged)
			}
		}
	}
	// People are told what it is: a value comes back, or just the lab's mark goes.
	for fate, verb := range map[Fate]string{Restored: "restore", Left: "release", Released: "release"} {
		day.Fate = fate
		if got := day.intents(lab)[0].Verb; got != verb {
			t.Errorf("%s is told as %q, want %q", fate, got, verb)
		}
	}
	day.Fate = Released
	if got := day.intents(lab)[0]; got.Version != "7" || got.Judged != nil {
		t.Errorf("%s: %+v", Released, got)
	}
	if got := (Item{Entry: e, Fate: Left, UID: "1"}).intents(lab); len(got) != 1 || got[0].How != kube.Forget {
		t.Errorf("an object of somebody else's is touched: %+v", got)
	}
}

// The former values come back, the lab's mark goes, and what others wrote meanwhile
// stays.
func TestRestoring(t *testing.T) {
	u := object("v1", "ConfigMap", "a", "b", "1", used(lab))
	_ = unstructured.SetNestedStringMap(u.Object, map[string]string{"theirs": "changed", "ours": "x", "later": "y"}, "data")
	i := Item{Shared: true, Entry: kube.Entry{APIVersion: "v1", Kind: "ConfigMap", Namespace: "a", Name: "b",
		Former: json.RawMessage(`{"data": {"theirs": "former", "ours": null}}`)}}
	if err := i.restore(lab)(u); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"v1","data":{"later":"y","theirs":"former"},"kind":"ConfigMap","metadata":{"annotations":{"other":"x"},"name":"b","namespace":"a","uid":"1"}}`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	own := object("v1", "ConfigMap", "a", "b", "1", map[string]any{"labels": map[string]any{kube.LabelLab: lab, kube.LabelStep: "s"}})
	if err := (Item{}).unmark(lab)(own); err != nil || len(own.GetLabels()) > 0 {
		t.Errorf("labels are %v, %v", own.GetLabels(), err)
	}
	i.Entry.Former = json.RawMessage(`{`)
	if err := i.restore(lab)(u); err == nil || !strings.Contains(err.Error(), "ConfigMap a/b") {
		t.Errorf("broken former values: %v", err)
	}
}

func facts() *labs.Facts {
	return &labs.Facts{Name: lab, Hosted: labs.HostedCluster{Name: "h", Namespace: "clusters"}}
}
