package destroy

import (
	"encoding/json"
	"slices"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// HubObjects undoes what the hub's labs share.
type HubObjects struct {
	inventoried
	Kinds []string `yaml:"kinds,omitempty" doc:"the kinds; all where absent"`
	But   []string `yaml:"but,omitempty" doc:"kinds that are left out"`
}

const olm = "operators.coreos.com/v1alpha1"

func (s HubObjects) items(f *labs.Facts, seen kube.Seen) []Item {
	return slices.DeleteFunc(Items(f.Name, seen), func(i Item) bool {
		return !i.Shared || slices.Contains(s.But, i.Entry.Kind) || len(s.Kinds) > 0 && !slices.Contains(s.Kinds, i.Entry.Kind)
	})
}

// Follows are the objects that the inventories hold, and what a Subscription of
// labrun's installed.
func (s HubObjects) Follows(f *labs.Facts, seen kube.Seen) []kube.Ref {
	refs := s.inventoried.Follows(f, seen)
	for _, e := range seen.SharedEntries() {
		if ref, ok := installed(seen, e); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// installed is the ClusterServiceVersion of a Subscription, also of one that an undo
// deleted, and no more.
func installed(seen kube.Seen, e kube.Entry) (kube.Ref, bool) {
	if e.Kind != "Subscription" {
		return kube.Ref{}, false
	}
	name := text(seen.Get(e.Ref()), "status", "installedCSV")
	if seen.Get(e.Ref()) == nil {
		name = operatorOf(e).Name
	}
	return named(olm, "ClusterServiceVersion", e.Namespace, name), name != ""
}

// operator is what the entry of a Subscription that goes notes of its
// ClusterServiceVersion.
type operator struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

func operatorOf(e kube.Entry) operator {
	var o operator
	if len(e.Note) == 0 || json.Unmarshal(e.Note, &o) != nil {
		return operator{}
	}
	return o
}

// Surveys the namespaces that labrun made: one with somebody else's objects is left.
func (s HubObjects) Surveys(f *labs.Facts, seen kube.Seen) []string {
	var names []string
	for _, i := range s.items(f, seen) {
		if i.Entry.Kind == "Namespace" && i.Fate == Doomed {
			names = append(names, i.Entry.Name)
		}
	}
	return names
}

// judged are the items, a namespace with somebody else's objects left. One that could
// not be read, or holds what another lab uses, stays in the inventory, and goes the next
// time.
func (s HubObjects) judged(f *labs.Facts, seen kube.Seen) []Item {
	items, all := s.items(f, seen), Items(f.Name, seen)
	for n, i := range items {
		if i.Entry.Kind != "Namespace" || i.Fate != Doomed {
			continue
		}
		if others := Others(seen.Contents(i.Entry.Name), all); len(others) > 0 {
			items[n] = i.as(Left, others[0].Ref.String()+" is in it, "+others[0].Why)
			continue
		}
		if why, next := keeps(i, seen, all); why != "" {
			items[n] = i.as(Kept, why)
			items[n].Next = next
		}
	}
	return items
}

// keeps says why a namespace that is to go is kept for the next time, and what is to be
// done until then; "" where it goes.
func keeps(i Item, seen kube.Seen, all []Item) (why, next string) {
	if why = occupied(i, seen, all); why != "" {
		return why, "once that is gone, run the same command again"
	}
	return unknown(seen.Contents(i.Entry.Name)), "mend that, and run the same command again"
}

// Objects are what becomes of the items. A ClusterServiceVersion goes after the
// Subscription that names it: while that may yet turn out to be used by another lab, so
// may its operator. Who is interrupted between the two finds it noted.
func (s HubObjects) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	var intents []kube.Intent
	for _, i := range s.judged(f, seen) {
		of := i.intents(f.Name)
		ref, ok := installed(seen, i.Entry)
		if u := seen.Get(ref); ok && u != nil {
			csv := kube.Intent{How: kube.Delete, Object: Item{Entry: entryOf(u)}.blank(), Shared: true, UID: string(u.GetUID())}
			switch i.Fate {
			case Doomed:
				note, err := json.Marshal(operator{Name: u.GetName(), UID: csv.UID})
				if err != nil {
					return nil, err
				}
				of[0].Note = note
				of = append(of, csv)
			case Gone:
				csv.UID = operatorOf(i.Entry).UID
				of = append([]kube.Intent{csv}, of...)
			}
		}
		intents = append(intents, of...)
	}
	return intents, nil
}

// Judge counts, and says what is left.
func (s HubObjects) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	items := s.judged(f, seen)
	v := tally(items)
	for _, i := range items {
		switch {
		case i.Fate == Kept && i.Next != "":
			v.Warnings = append(v.Warnings, event.Report{Title: i.Ref().String() + " is kept: " + i.Why, Next: i.Next})
		case i.Fate == Doomed:
			v.Warnings = append(v.Warnings, event.Report{Title: i.Ref().String() + " is there again: somebody made it anew"})
		}
	}
	return v
}
