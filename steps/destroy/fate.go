package destroy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// Fate is what becomes of an object that an inventory holds.
type Fate string

// The fates.
const (
	Gone     Fate = "gone"      // it is no longer there
	AsBefore Fate = "as before" // it was there before labrun, and has nothing of it
	Doomed   Fate = "delete"    // labrun made it
	Restored Fate = "restore"   // it was there before labrun, and gets its former values back
	Released Fate = "release"   // other labs use it: only this one's mark is taken off
	Left     Fate = "leave"     // it is not this lab's
	Kept     Fate = "keep"      // this undo is not about it
	Follows  Fate = "follows"   // it stands in the hosted cluster, and goes with it
)

// Fates are the fates, in the order in which people ask for them.
func Fates() []Fate { return []Fate{Doomed, Restored, Released, Left, Follows, Kept, AsBefore, Gone} }

// Item is an entry of an inventory and what becomes of it.
type Item struct {
	Entry  kube.Entry
	Shared bool // the hub's inventory holds it
	Fate   Fate
	Why    string
	Next   string // what is to be done about it; "" for nothing
	UID    string // of the object as it was seen, "" where it is gone

	Version string // resourceVersion of what labs share, as it was seen
}

// Ref is the object's reference.
func (i Item) Ref() kube.Ref { return i.Entry.Ref() }

// Judge says what becomes of an entry of the lab's own inventory. u is the object
// of its name, nil where there is none.
func Judge(lab string, e kube.Entry, u *unstructured.Unstructured) Item {
	i := Item{Entry: e}
	switch {
	case e.Kept != "":
		return i.as(Kept, e.Kept)
	case e.Cluster != "":
		return i.as(Follows, "it stands in the hosted cluster, and goes with it")
	case u == nil:
		return i.as(Gone, "it is no longer there")
	}
	i.UID = string(u.GetUID())
	label := u.GetLabels()[kube.LabelLab]
	switch {
	case e.UID != "" && e.UID != i.UID:
		return i.as(Left, "it is another object of the same name: labrun's had the UID "+e.UID)
	case e.UID == "" && e.Found && label != lab:
		return i.as(AsBefore, "it was there before labrun, and has nothing of it")
	case e.Found && e.Kind == "Secret":
		return i.as(Restored, "it was there before labrun, which keeps no former secrets: only its labels go")
	case e.Found:
		return i.as(Restored, "it was there before labrun")
	case label == "":
		return i.as(Left, "its label "+kube.LabelLab+" was taken off")
	case label != lab:
		return i.as(Left, "its label "+kube.LabelLab+" says lab "+label)
	}
	return i.as(Doomed, "made by "+maker(e))
}

// JudgeShared says what becomes of an entry of the hub's inventory. Two labs never
// wait for each other: the last one out does for both.
func JudgeShared(lab string, e kube.Entry, u *unstructured.Unstructured) Item {
	i := Item{Entry: e, Shared: true}
	switch {
	case e.Kept != "":
		return i.as(Kept, e.Kept)
	case u == nil && e.UID == "" && e.Lab != lab:
		return i.as(Kept, "lab "+e.Lab+" is about to make it")
	case u == nil:
		return i.as(Gone, "it is no longer there")
	}
	i.UID, i.Version = string(u.GetUID()), u.GetResourceVersion()
	_, used := u.GetAnnotations()[kube.UsedBy+lab]
	others := usersOf(u, lab)
	switch {
	case !used && (len(others) > 0 || e.Lab != lab):
		return i.as(Kept, "this lab does not use it")
	case e.UID != "" && e.UID != i.UID:
		return i.as(Left, "it is another object of the same name: labrun's had the UID "+e.UID)
	case len(others) > 0:
		return i.as(Released, "lab "+strings.Join(others, ", ")+" uses it, too")
	case e.Found && used:
		return i.as(Restored, "it was there before labrun")
	case e.Found:
		return i.as(AsBefore, "it was there before labrun, and has nothing of it")
	case !used:
		return i.as(Left, "its annotation "+kube.UsedBy+lab+" was taken off")
	}
	return i.as(Doomed, "made by "+maker(e))
}

func (i Item) as(f Fate, why string) Item {
	i.Fate, i.Why = f, why
	return i
}

func maker(e kube.Entry) string {
	step := "step " + e.Step
	if e.Key != "" {
		step += "[" + e.Key + "]"
	}
	return step + " of lab " + e.Lab
}

// usersOf are the labs that use an object of the hub, but for one.
func usersOf(u *unstructured.Unstructured, but string) []string {
	var labs []string
	for annotation := range u.GetAnnotations() {
		if lab, ok := strings.CutPrefix(annotation, kube.UsedBy); ok && lab != but {
			labs = append(labs, lab)
		}
	}
	slices.Sort(labs)
	return labs
}

// Items judges all entries of both inventories.
func Items(lab string, seen kube.Seen) []Item {
	var items []Item
	for _, e := range seen.Entries() {
		items = append(items, Judge(lab, e, seen.Get(e.Ref())))
	}
	for _, e := range seen.SharedEntries() {
		items = append(items, JudgeShared(lab, e, seen.Get(e.Ref())))
	}
	return items
}

// intents bring about what becomes of an item.
func (i Item) intents(lab string) []kube.Intent {
	object := i.blank()
	forget := kube.Intent{How: kube.Forget, Object: object, Shared: i.Shared, Hosted: i.Entry.Cluster != "", Judged: i.judged()}
	change := kube.Intent{How: kube.Restore, Verb: "release", Object: object, Shared: i.Shared, UID: i.UID, Version: i.Version, Change: i.unmark(lab)}
	switch i.Fate {
	case Doomed:
		return []kube.Intent{{How: kube.Delete, Object: object, Shared: i.Shared, UID: i.UID, Version: i.Version, Judged: i.judged()}}
	case Restored:
		change.Verb, change.Change = "restore", i.restore(lab)
		return i.last(lab, change, forget)
	case Released:
		return []kube.Intent{change}
	case Left:
		if i.Shared {
			return i.last(lab, change, forget)
		}
		return []kube.Intent{forget}
	case Gone, AsBefore, Follows:
		return []kube.Intent{forget}
	}
	return nil
}

// judged is the entry that others may write meanwhile, nil where it is the lab's own.
func (i Item) judged() *kube.Entry {
	if !i.Shared {
		return nil
	}
	e := i.Entry
	return &e
}

// last changes an object back and takes its entry out. In between the object tells
// nothing of this lab any more: the entry does, which the change takes over.
func (i Item) last(lab string, change, forget kube.Intent) []kube.Intent {
	change.Judged = i.judged()
	if i.Shared {
		forget.Judged.Lab = lab
	}
	return []kube.Intent{change, forget}
}

func (i Item) blank() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(i.Entry.APIVersion)
	u.SetKind(i.Entry.Kind)
	u.SetNamespace(i.Entry.Namespace)
	u.SetName(i.Entry.Name)
	return u
}

// unmark takes the lab's mark off an object.
func (i Item) unmark(lab string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		drop(u, "annotations", kube.UsedBy+lab)
		if i.Shared || u.GetLabels()[kube.LabelLab] != lab {
			return nil
		}
		drop(u, "labels", kube.LabelLab, kube.LabelStep, kube.LabelKey, kube.LabelManagedBy)
		return nil
	}
}

func drop(u *unstructured.Unstructured, field string, keys ...string) {
	for _, key := range keys {
		unstructured.RemoveNestedField(u.Object, "metadata", field, key)
	}
	if left, found, _ := unstructured.NestedMap(u.Object, "metadata", field); found && len(left) == 0 {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
}

// restore gives an object its former values back.
func (i Item) restore(lab string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		if err := i.unmark(lab)(u); err != nil || len(i.Entry.Former) == 0 {
			return err
		}
		now, err := json.Marshal(u.Object)
		if err != nil {
			return err
		}
		former, err := jsonpatch.MergePatch(now, i.Entry.Former)
		if err != nil {
			return fmt.Errorf("giving %s its former values back: %w", i.Ref(), err)
		}
		u.Object = map[string]any{}
		return json.Unmarshal(former, &u.Object)
	}
}
