package assisted

import (
	"context"
	"fmt"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// watchConfigs sets up the infrastructure operator. Like the real one it watches what it made and the mirror's
// ConfigMap, but not the user's ConfigMap of settings.
func (s *service) watchConfigs(mgr ctrl.Manager) error {
	ours := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		if o.GetNamespace() != home {
			return nil
		}
		if _, isConfig := o.(*core.ConfigMap); isConfig && !s.isMirror(ctx, o.GetName()) {
			return nil
		}
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: "agent"}}}
	})
	return ctrl.NewControllerManagedBy(mgr).Named("agentserviceconfig").
		For(obj.New(obj.AgentInstall, "AgentServiceConfig", "", "")).
		Watches(&apps.Deployment{}, ours).
		Watches(&apps.StatefulSet{}, ours).
		Watches(&core.ConfigMap{}, ours).
		Complete(by(s.config))
}

func (s *service) isMirror(ctx context.Context, name string) bool {
	config, err := obj.Get(ctx, s, obj.AgentInstall, "AgentServiceConfig", "", "agent")
	return err == nil && config != nil && obj.String(config, "spec", "mirrorRegistryRef", "name") == name
}

func (s *service) config(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, s, obj.AgentInstall, "AgentServiceConfig", "", key.Name)
	if err != nil || was == nil {
		return ctrl.Result{}, err
	}
	operator := &apps.Deployment{}
	err = s.Get(ctx, client.ObjectKey{Namespace: home, Name: "infrastructure-operator"}, operator)
	if apierrors.IsNotFound(err) || err == nil && !available(operator) {
		return ctrl.Result{}, nil // its Deployment's watch calls again
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if key.Name != "agent" {
		s.events.Eventf(was, nil, core.EventTypeWarning, fmt.Sprintf("Invalid name (%s)", key.Name), "Reconcile", "Only one AgentServiceConfig supported per cluster and must be named 'agent'")
		return ctrl.Result{}, nil
	}
	if done, err := s.holdConfig(ctx, was); done || err != nil {
		return ctrl.Result{}, err
	}
	now := was.DeepCopy()
	if err := s.bring(ctx, now); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, obj.WriteStatus(ctx, s, was, now)
}

// bring judges the configuration, makes what it asks for, and puts the outcome into the conditions.
func (s *service) bring(ctx context.Context, config *unstructured.Unstructured) error {
	spec, err := obj.Decode[configSpec](config, "spec")
	if err != nil {
		return err
	}
	made, err := s.made(ctx)
	if err != nil {
		return err
	}
	if fault := judgeStorage(spec); fault != nil && !made {
		obj.SetCondition(config, *fault)
		return nil
	}
	var mirror *core.ConfigMap
	if spec.Mirror != nil {
		if mirror, err = s.configMap(ctx, spec.Mirror.Name); err != nil {
			return err
		}
		if fault := judgeMirror(spec.Mirror.Name, mirror); fault != nil {
			obj.SetCondition(config, *fault)
			return nil
		}
	}
	if err := s.operands(ctx, config, spec, mirror); err != nil {
		return err
	}
	obj.SetCondition(config, obj.Condition{Type: "ReconcileCompleted", Status: obj.True, Reason: "ReconcileSucceeded", Message: "AgentServiceConfig reconcile completed without error."})
	healthy, err := s.health(ctx)
	if err != nil {
		return err
	}
	obj.SetCondition(config, healthy)
	return nil
}

// made says whether the service's volumes exist: sizes are judged before that only.
func (s *service) made(ctx context.Context) (bool, error) {
	err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: serviceName}, &core.PersistentVolumeClaim{})
	return err == nil, client.IgnoreNotFound(err)
}

// configMap reads one beside the operator; nil where there is none.
func (s *service) configMap(ctx context.Context, name string) (*core.ConfigMap, error) {
	cm := &core.ConfigMap{}
	err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: name}, cm)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return cm, err
}

// health is the condition DeploymentsHealthy.
func (s *service) health(ctx context.Context) (obj.Condition, error) {
	sick := func(message string) obj.Condition {
		return obj.Condition{Type: "DeploymentsHealthy", Status: obj.False, Reason: "DeploymentFailure", Message: message}
	}
	for _, name := range []string{serviceName, "agentinstalladmission"} {
		d := &apps.Deployment{}
		if err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: name}, d); err != nil {
			return obj.Condition{}, err
		}
		if !available(d) {
			return sick(fmt.Sprintf("Deployment %s is not available", name)), nil
		}
	}
	set := &apps.StatefulSet{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: home, Name: imageService}, set); err != nil {
		return obj.Condition{}, err
	}
	if set.Status.ObservedGeneration != set.Generation || set.Status.ReadyReplicas != *set.Spec.Replicas {
		return sick(fmt.Sprintf("StatefulSet %s ready replicas does not match desired replicas", imageService)), nil
	}
	return obj.Condition{Type: "DeploymentsHealthy", Status: obj.True, Reason: "DeploymentSucceeded", Message: "All the deployments managed by Infrastructure-operator are healthy."}, nil
}

// route is the host name under which the hub's ingress publishes one of the service's Routes.
func (s *service) route(ctx context.Context, name string) (string, error) {
	ingress, err := obj.Get(ctx, s, obj.Config, "Ingress", "", "cluster")
	if err != nil {
		return "", err
	}
	domain := "apps.cluster.local"
	if ingress != nil {
		domain = obj.String(ingress, "spec", "domain")
	}
	return strings.Join([]string{name + "-" + home, domain}, "."), nil
}
