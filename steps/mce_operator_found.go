package steps

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// appliedBy says whether the lab itself brought a Subscription about. A run that ended
// between create and apply has only created it: who merges into what was found writes
// no name of a package.
func appliedBy(f *labs.Facts, u *unstructured.Unstructured) bool {
	return slices.ContainsFunc(u.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		if !strings.HasPrefix(m.Manager, "labrun/"+f.Name+"/") {
			return false
		}
		return m.Operation == metav1.ManagedFieldsOperationApply || m.FieldsV1 != nil && namesPackage(m.FieldsV1.GetRawBytes())
	})
}

// namesPackage says whether managed fields hold a Subscription's package.
func namesPackage(fields []byte) bool {
	var owned struct {
		Spec map[string]any `json:"f:spec"`
	}
	if json.Unmarshal(fields, &owned) != nil {
		return false
	}
	_, there := owned.Spec["f:name"]
	return there
}
