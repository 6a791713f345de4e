package steps

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

func namespaceRef(name string) kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Namespace", Name: name}
}

// Follows are what an operator that is there stands in.
func (s MCEOperator) Follows(_ *labs.Facts, seen kube.Seen) []kube.Ref {
	found := subscription(seen)
	if found == nil {
		return nil
	}
	return []kube.Ref{namespaceRef(found.GetNamespace()), operatorGroups(found.GetNamespace())}
}

// useFound uses an operator that is there. Where another lab made what it stands in,
// that is used, too: the lab that made it may go first.
func useFound(found *unstructured.Unstructured, seen kube.Seen) []kube.Intent {
	var intents []kube.Intent
	around := append([]*unstructured.Unstructured{seen.Get(namespaceRef(found.GetNamespace()))}, seen.List(operatorGroups(found.GetNamespace()))...)
	for _, u := range around {
		if u != nil && kube.IsUsed(u) {
			intents = append(intents, kube.Intent{How: kube.Merge, Object: blank(kube.RefTo(u)), Shared: true})
		}
	}
	return append(intents, kube.Intent{How: kube.Merge, Object: blank(kube.RefTo(found)), Shared: true, Primary: true})
}
