package generic

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Delete deletes one object.
type Delete struct{ Named }

// Objects is the object that must be gone.
func (s Delete) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion(s.APIVersion)
	u.SetKind(s.Kind)
	u.SetNamespace(s.Namespace)
	u.SetName(s.Name)
	return []kube.Intent{{How: kube.Delete, Object: u}}, nil
}

// Judge is satisfied: bringing it about waits until the object is gone.
func (s Delete) Judge(*labs.Facts, kube.Seen) kube.Verdict {
	return kube.Verdict{State: kube.Done, Summary: s.ref().String() + " is gone"}
}
