package destroy

import (
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Preview is Survey for who only asks what would become of a lab: it also looks at
// objects that no inventory holds.
type Preview struct{ Survey }

// Reads what the hypershift add-on imported, besides.
func (Preview) Reads(f *labs.Facts) []kube.Ref { return append(Survey{}.Reads(f), managedCluster(f)) }

// Follows are the objects that the inventories hold, and what Subscriptions installed.
func (Preview) Follows(f *labs.Facts, seen kube.Seen) []kube.Ref {
	return HubObjects{}.Follows(f, seen)
}

// Along are the objects that would be deleted and that no inventory holds: what
// operators made of the items.
func (Preview) Along(f *labs.Facts, seen kube.Seen) []Item {
	var along []Item
	if u := imported(f, seen); u != nil {
		along = append(along, Item{Entry: entryOf(u), Fate: Doomed, Why: "the hypershift add-on imported the hosted cluster as this"})
	}
	for _, i := range Items(f.Name, seen) {
		ref, ok := installed(seen, i.Entry)
		if u := seen.Get(ref); ok && u != nil && i.Fate == Doomed {
			along = append(along, Item{Entry: entryOf(u), Fate: Doomed, Why: "installed by " + i.Ref().String()})
		}
	}
	return along
}
