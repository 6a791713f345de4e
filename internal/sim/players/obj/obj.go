// Package obj reads and writes the objects of the operators that are played: kinds whose Go types do not fit together
// in one build, handled as the maps they are, and judged as small structs that hold just the fields a judge reads.
//
//	infraEnv, err := obj.Get(ctx, c, obj.AgentInstall, "InfraEnv", ns, name) // nil where there is none
//	spec, err := obj.Decode[infraEnvSpec](infraEnv, "spec")
//	now := infraEnv.DeepCopy()
//	obj.SetCondition(now, obj.Condition{Type: "ImageCreated", Status: "True", …})
//	err = obj.WriteStatus(ctx, c, infraEnv, now)                            // no request where nothing changed
package obj

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// API versions of the kinds that are played.
const (
	AgentInstall = "agent-install.openshift.io/v1beta1"
	Metal3       = "metal3.io/v1alpha1"
	MCE          = "multicluster.openshift.io/v1"
	Cluster      = "cluster.open-cluster-management.io/v1"
	Addon        = "addon.open-cluster-management.io/v1alpha1"
	OLM          = "operators.coreos.com/v1alpha1"
	OLMGroup     = "operators.coreos.com/v1"
	Config       = "config.openshift.io/v1"
	MachineConf  = "machineconfiguration.openshift.io/v1"
	Route        = "route.openshift.io/v1"
)

// Client is a client that asks the API server each time: a judge that read from a cache could judge what is no longer
// so, and write what it had itself already changed.
func Client(mgr ctrl.Manager) (client.Client, error) {
	return client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
}

// New is an empty object of a kind; namespace is empty for kinds that have none.
func New(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetName(name)
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	return u
}

// Get reads an object; it is nil where there is none.
func Get(ctx context.Context, c client.Reader, apiVersion, kind, namespace, name string) (*unstructured.Unstructured, error) {
	u := New(apiVersion, kind, namespace, name)
	err := c.Get(ctx, client.ObjectKeyFromObject(u), u)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", kind, client.ObjectKey{Namespace: namespace, Name: name}, err)
	}
	return u, nil
}

// List reads all objects of a kind that the options select.
func List(ctx context.Context, c client.Reader, apiVersion, kind string, opts ...client.ListOption) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(apiVersion)
	list.SetKind(kind + "List")
	if err := c.List(ctx, list, opts...); err != nil {
		return nil, fmt.Errorf("listing %s: %w", kind, err)
	}
	return list.Items, nil
}

// Decode makes a struct (json tags) of the object's part at path, which may be missing. Fields that T does not have are
// left out: the judge reads what it needs.
func Decode[T any](u *unstructured.Unstructured, path ...string) (T, error) {
	var t T
	part, found, err := unstructured.NestedMap(u.Object, path...)
	if err != nil || !found {
		return t, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(part, &t); err != nil {
		return t, fmt.Errorf("reading %s %s: %w", u.GetKind(), client.ObjectKeyFromObject(u), err)
	}
	return t, nil
}

// Set puts a value at path. The value is of JSON's kinds (map[string]any, []any, string, bool, int64, float64).
func Set(u *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
		panic(fmt.Sprintf("setting %v of %s %s: %v", path, u.GetKind(), u.GetName(), err)) // a map where the schema has one
	}
}

// String is the text at path, or "".
func String(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

// WriteStatus writes the status of now where it differs from was. now then holds what the server answered.
func WriteStatus(ctx context.Context, c client.Client, was, now *unstructured.Unstructured) error {
	if reflect.DeepEqual(was.Object["status"], now.Object["status"]) {
		return nil
	}
	if err := c.Status().Update(ctx, now); err != nil {
		return fmt.Errorf("writing the status of %s %s: %w", now.GetKind(), client.ObjectKeyFromObject(now), err)
	}
	return nil
}

// Write updates now where it differs from was in anything but its status.
func Write(ctx context.Context, c client.Client, was, now *unstructured.Unstructured) (changed bool, err error) {
	a, b := was.DeepCopy(), now.DeepCopy()
	delete(a.Object, "status")
	delete(b.Object, "status")
	if reflect.DeepEqual(a.Object, b.Object) {
		return false, nil
	}
	if err := c.Update(ctx, now); err != nil {
		return false, fmt.Errorf("updating %s %s: %w", now.GetKind(), client.ObjectKeyFromObject(now), err)
	}
	return true, nil
}

// Create makes the object; one of its name that is there already stays as it is.
func Create(ctx context.Context, c client.Client, o client.Object) error {
	if err := c.Create(ctx, o); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating %s: %w", client.ObjectKeyFromObject(o), err)
	}
	return nil
}

// Settle gives the answer of a reconciler: what somebody else changed in the meantime is no fault, but looked at again.
func Settle(result ctrl.Result, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return ctrl.Result{RequeueAfter: againSoon}, nil
	}
	return result, client.IgnoreNotFound(err)
}
