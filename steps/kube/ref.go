package kube

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// String names what the reference finds, as people and messages name it:
// Kind namespace/name.
func (r Ref) String() string {
	switch {
	case r.Name != "" && r.Namespace != "":
		return r.Kind + " " + r.Namespace + "/" + r.Name
	case r.Name != "":
		return r.Kind + " " + r.Name
	}
	s := "every " + r.Kind
	if r.Labels != "" {
		s += " with " + r.Labels
	}
	if r.Namespace != "" {
		s += " in " + r.Namespace
	}
	return s
}

// RefTo gives the reference that names an object.
func RefTo(u *unstructured.Unstructured) Ref {
	return Ref{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// selects says whether the reference finds an object.
func (r Ref) selects(u *unstructured.Unstructured) bool {
	switch {
	case r.APIVersion != u.GetAPIVersion() || r.Kind != u.GetKind():
		return false
	case r.Name != "":
		return r.Name == u.GetName() && r.Namespace == u.GetNamespace()
	case r.Namespace != "" && r.Namespace != u.GetNamespace():
		return false
	}
	selector, err := labels.Parse(r.Labels)
	return err == nil && selector.Matches(labels.Set(u.GetLabels()))
}

func (r Ref) kind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(r.APIVersion, r.Kind)
}

// key is the reference as what was seen is kept under: how a missing kind is
// taken does not tell two references apart.
func (r Ref) key() Ref {
	r.Optional = false
	return r
}
