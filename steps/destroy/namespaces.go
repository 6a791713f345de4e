package destroy

import (
	"slices"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Namespaces deletes the lab's other namespaces, which steps of its own file made, once
// its objects are gone. One with somebody else's objects, or with some of the lab's that
// stay, is left: the inventory keeps it, and the same command deletes it later.
type Namespaces struct{ inventoried }

func (Namespaces) items(f *labs.Facts, seen kube.Seen) []Item {
	return slices.DeleteFunc(Items(f.Name, seen), func(i Item) bool {
		return i.Shared || i.Entry.Kind != "Namespace" || i.Entry.Cluster != "" || i.Ref() == planeNamespace(f)
	})
}

// Surveys those that are to go.
func (s Namespaces) Surveys(f *labs.Facts, seen kube.Seen) []string {
	var names []string
	for _, i := range s.items(f, seen) {
		if i.Fate == Doomed {
			names = append(names, i.Entry.Name)
		}
	}
	return names
}

// stays says why a namespace that is to go is left, "" where it goes.
func stays(i Item, seen kube.Seen, all []Item) string {
	inside := seen.Contents(i.Entry.Name)
	if others := Others(inside, all); len(others) > 0 {
		return others[0].Ref.String() + " is in it, " + others[0].Why
	}
	if why := occupied(i, seen, all); why != "" {
		return why
	}
	return unknown(inside)
}

// occupied names an entered object of a namespace that stays, "" where there is none.
func occupied(i Item, seen kube.Seen, all []Item) string {
	for _, o := range all {
		if o.Entry.Cluster == "" && o.Entry.Namespace == i.Entry.Name && o.Fate != Doomed && seen.Get(o.Ref()) != nil {
			return o.Ref().String() + " is in it, and stays: " + o.Why
		}
	}
	return ""
}

// Objects are those that go.
func (s Namespaces) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	all := Items(f.Name, seen)
	return intentsOf(f, slices.DeleteFunc(s.items(f, seen), func(i Item) bool {
		return i.Fate == Doomed && stays(i, seen, all) != ""
	}), ""), nil
}

// Judge counts, and says which are left.
func (s Namespaces) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	items, all := s.items(f, seen), Items(f.Name, seen)
	for n, i := range items {
		if i.Fate != Doomed {
			continue
		}
		why := stays(i, seen, all)
		if why == "" {
			why = "somebody made it anew"
		}
		items[n] = i.as(Left, why)
	}
	v := tally(items)
	for n := range v.Warnings {
		v.Warnings[n].Next = "move or delete what is in it, and run the same command again"
	}
	return v
}
