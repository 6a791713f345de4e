package mce

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// deployments names what runs for a component, in the target namespace.
func deployments() map[string][]string {
	return map[string][]string{
		"assisted-service":      {"infrastructure-operator"},
		"cluster-lifecycle":     {"cluster-curator-controller", "clusterclaims-controller", "provider-credential-controller"},
		"cluster-manager":       {"cluster-manager"},
		"cluster-proxy-addon":   {"cluster-proxy-addon-manager"},
		"console-mce":           {"console-mce-console"},
		"discovery":             {"discovery-operator"},
		"hive":                  {"hive-operator"},
		"hypershift":            {"hypershift-addon-manager"},
		"managedserviceaccount": {"managed-serviceaccount-addon-manager"},
		"server-foundation":     {"ocm-controller", "ocm-proxyserver", "ocm-webhook"},
	}
}

// install makes what is enabled, removes what is not, and reports. It gives the time until there is more to do that no
// watch will tell.
func (e *engine) install(ctx context.Context, m *unstructured.Unstructured, version string) (time.Duration, error) {
	spec, err := obj.Decode[engineSpec](m, "spec")
	if err != nil {
		return 0, err
	}
	if err := e.namespaces(ctx, spec.TargetNamespace); err != nil {
		return 0, err
	}
	r := report{version: version, refused: e.judge(spec)}
	if r.refused != nil { // it came in before the webhook was asked
		return 0, e.write(ctx, m, r)
	}
	key := string(m.GetUID())
	if r.left = e.clock.Left(key, installTime(e.world.Pace)); r.left > 0 && obj.String(m, "status", "currentVersion") == "" {
		return r.left, e.write(ctx, m, r)
	}
	r.left = 0
	for _, name := range slices.Sorted(maps.Keys(deployments())) {
		for _, deployment := range deployments()[name] {
			state, err := e.deploy(ctx, m, spec, deployment, spec.enabled(name))
			if err != nil {
				return 0, err
			}
			if state != nil {
				r.components = append(r.components, *state)
			}
		}
	}
	if err := e.cluster(ctx, spec, &r); err != nil {
		return 0, err
	}
	if err := e.addon(ctx, m, spec, version, &r); err != nil {
		return 0, err
	}
	return r.left, e.write(ctx, m, r)
}

func (e *engine) namespaces(ctx context.Context, target string) error {
	for _, name := range []string{target, "open-cluster-management-hub", "open-cluster-management-agent", "open-cluster-management-agent-addon", "hive"} {
		if err := obj.Create(ctx, e, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	return nil
}

// deploy makes or removes one component's Deployment and gives its state; nil where it is not wanted.
func (e *engine) deploy(ctx context.Context, owner *unstructured.Unstructured, spec engineSpec, name string, wanted bool) (*componentState, error) {
	d := &apps.Deployment{}
	err := e.Get(ctx, client.ObjectKey{Namespace: spec.TargetNamespace, Name: name}, d)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return nil, err
	case !wanted && err == nil:
		return nil, e.Delete(ctx, d)
	case !wanted:
		return nil, nil
	case err != nil:
		d = deployment(owner, spec.TargetNamespace, name, replicas(spec))
		if err := e.Create(ctx, d); err != nil {
			return nil, err
		}
	}
	return ofDeployment(d), nil
}

func replicas(spec engineSpec) int32 {
	if spec.Availability == "Basic" {
		return 1
	}
	return 2
}

func deployment(owner *unstructured.Unstructured, namespace, name string, count int32) *apps.Deployment {
	labels := map[string]string{"app": name}
	return &apps.Deployment{
		ObjectMeta: meta.ObjectMeta{
			Namespace: namespace, Name: name,
			Labels:          map[string]string{"backplaneconfig.name": owner.GetName()},
			OwnerReferences: []meta.OwnerReference{*meta.NewControllerRef(owner, owner.GroupVersionKind())},
		},
		Spec: apps.DeploymentSpec{
			Replicas: &count,
			Selector: &meta.LabelSelector{MatchLabels: labels},
			Template: core.PodTemplateSpec{
				ObjectMeta: meta.ObjectMeta{Labels: labels},
				Spec:       core.PodSpec{Containers: []core.Container{{Name: name, Image: "registry.redhat.io/multicluster-engine/" + name + "-rhel9"}}},
			},
		},
	}
}
