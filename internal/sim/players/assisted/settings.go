package assisted

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// settings are the environment of the running assisted-service.
type settings map[string]string

// settingsOf remembers them for one rollout of the Deployment.
type settingsOf struct {
	mutex   sync.Mutex
	rollout string
	env     settings
}

// running gives the service's settings, as they were when its pod started; nil while it does not run.
func (s *service) running(ctx context.Context) (settings, error) {
	d := &apps.Deployment{}
	err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: serviceName}, d)
	if apierrors.IsNotFound(err) || err == nil && !available(d) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.settings.mutex.Lock()
	defer s.settings.mutex.Unlock()
	rollout := fmt.Sprintf("%s/%d", d.UID, d.Generation)
	if s.settings.rollout == rollout {
		return s.settings.env, nil
	}
	env := settings{}
	for _, from := range d.Spec.Template.Spec.Containers[0].EnvFrom {
		cm := &core.ConfigMap{}
		if err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: from.ConfigMapRef.Name}, cm); err != nil {
			return nil, err
		}
		maps.Copy(env, cm.Data)
	}
	s.settings.rollout, s.settings.env = rollout, env
	return env, nil
}

// available says whether the pods of the Deployment's present generation run.
func available(d *apps.Deployment) bool {
	if d.Status.ObservedGeneration != d.Generation || d.Status.UnavailableReplicas > 0 {
		return false
	}
	for _, c := range d.Status.Conditions {
		if c.Type == apps.DeploymentAvailable {
			return c.Status == core.ConditionTrue
		}
	}
	return false
}

// converged says whether the flow through PreprovisioningImages is used: where it is not forbidden and the hub's
// baremetal-operator is of 4.12 or later.
func (s *service) converged(ctx context.Context, env settings) (bool, error) {
	if strings.EqualFold(env["ALLOW_CONVERGED_FLOW"], "false") {
		return false, nil
	}
	operator, err := obj.Get(ctx, s, obj.Config, "ClusterOperator", "", "baremetal")
	if err != nil || operator == nil {
		return false, err
	}
	return convergedVersion(operator), nil
}

func convergedVersion(operator *unstructured.Unstructured) bool {
	versions, _, _ := unstructured.NestedSlice(operator.Object, "status", "versions")
	for _, x := range versions {
		entry, _ := x.(map[string]any)
		text, _ := entry["version"].(string)
		v, err := semver.NewVersion(text)
		if err == nil && entry["name"] == "operator" {
			return v.Major() > 4 || v.Major() == 4 && v.Minor() >= 12
		}
	}
	return false
}

// everyone asks for all objects of a kind when the service's own Deployment changes: a service that comes up looks at
// everything.
func (s *service) everyone(apiVersion, kind string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		if o.GetNamespace() != home || o.GetName() != serviceName {
			return nil
		}
		return s.all(ctx, apiVersion, kind)
	})
}

// neighbours asks for all objects of a kind in the namespace of what has changed.
func (s *service) neighbours(apiVersion, kind string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return s.all(ctx, apiVersion, kind, client.InNamespace(o.GetNamespace()))
	})
}

func (s *service) all(ctx context.Context, apiVersion, kind string, in ...client.ListOption) []reconcile.Request {
	items, err := obj.List(ctx, s, apiVersion, kind, in...)
	if err != nil {
		s.world.Log.Error("listing what is to be looked at again", "kind", kind, "error", err)
	}
	var all []reconcile.Request
	for _, u := range items {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&u)})
	}
	return all
}
