package openshift

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Workloads plays Kubernetes' workload controllers and the kubelets: it gives every Deployment and StatefulSet its
// status. Pods themselves are not made. A workload whose pods could not start, because a ConfigMap, Secret or volume
// that the template names is not there, stays unavailable, as it does on a real cluster.
func Workloads() world.Player {
	return world.Player{
		Name:  "workloads",
		Plays: "Kubernetes' workload controllers, volume binder and kubelets",
		Setup: func(mgr ctrl.Manager, w *world.World) error {
			c, err := obj.Client(mgr)
			if err != nil {
				return err
			}
			k := &kubelet{Client: c, world: w, clock: &stage.Clock{}}
			if err := ctrl.NewControllerManagedBy(mgr).Named("deployments").For(&apps.Deployment{}).Complete(forKind(k.deployment)); err != nil {
				return err
			}
			if err := ctrl.NewControllerManagedBy(mgr).Named("statefulsets").For(&apps.StatefulSet{}).Complete(forKind(k.statefulSet)); err != nil {
				return err
			}
			b := &binder{Client: c, retry: podRetryTime(w.Pace), full: w.Faults.On("etcd-volume-pending"), events: mgr.GetEventRecorder("persistentvolume-controller")}
			return ctrl.NewControllerManagedBy(mgr).Named("volumes").For(&core.PersistentVolumeClaim{}).Complete(forKind(b.claim))
		},
	}
}

// forKind makes a reconciler of a function over the object's key.
type forKind func(ctx context.Context, key client.ObjectKey) (ctrl.Result, error)

func (f forKind) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	return obj.Settle(f(ctx, r.NamespacedName))
}

type kubelet struct {
	client.Client
	world *world.World
	clock *stage.Clock
}

func (k *kubelet) deployment(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	d := &apps.Deployment{}
	if err := k.Get(ctx, key, d); err != nil {
		return ctrl.Result{}, err
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	left, err := k.startsIn(ctx, d, d.Spec.Template.Spec, rolledOut(d.Status, d.Generation, want))
	if err != nil {
		return ctrl.Result{}, err
	}
	status := deploymentStatus(d, want, left == 0)
	if !reflect.DeepEqual(status, d.Status) {
		d.Status = status
		if err := k.Status().Update(ctx, d); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: left}, nil
}

// startsIn is how long it takes until the pods of this generation run: the rest of their starting time, or, where
// something they need is missing, until they are tried again.
func (k *kubelet) startsIn(ctx context.Context, o client.Object, pod core.PodSpec, running bool) (time.Duration, error) {
	if running {
		return 0, nil
	}
	missing, err := k.missing(ctx, o.GetNamespace(), pod)
	if err != nil {
		return 0, err
	}
	if len(missing) > 0 {
		k.world.Log.Debug("pods cannot start", "of", client.ObjectKeyFromObject(o).String(), "missing", missing)
		return podRetryTime(k.world.Pace), nil
	}
	return k.clock.Left(fmt.Sprintf("%s/%d", o.GetUID(), o.GetGeneration()), deploymentTime(k.world.Pace)), nil
}

func rolledOut(s apps.DeploymentStatus, generation int64, want int32) bool {
	return s.ObservedGeneration == generation && s.AvailableReplicas == want && s.UpdatedReplicas == want
}

// deploymentStatus is what the deployment controller writes, while the pods of this generation start and after.
func deploymentStatus(d *apps.Deployment, want int32, ready bool) apps.DeploymentStatus {
	s := *d.Status.DeepCopy()
	s.ObservedGeneration = d.Generation
	s.Replicas, s.UpdatedReplicas = want, want
	switch {
	case ready:
		s.ReadyReplicas = want
	case d.Spec.Strategy.Type == apps.RecreateDeploymentStrategyType:
		s.ReadyReplicas = 0 // the old pods are ended first
	default:
		s.ReadyReplicas = min(s.ReadyReplicas, want) // the old pods stay until the new ones are ready
		s.UpdatedReplicas = min(want, 1)
		if s.ReadyReplicas == 0 {
			s.UpdatedReplicas = want
		}
	}
	s.AvailableReplicas = s.ReadyReplicas
	s.UnavailableReplicas = want - s.AvailableReplicas
	if !ready && s.UnavailableReplicas == 0 && want > 0 {
		s.UnavailableReplicas = 1 // the new pod, beside all of the old ones
		s.Replicas = want + 1
	}
	available := deploymentCondition{apps.DeploymentAvailable, core.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability."}
	if s.AvailableReplicas < want {
		available = deploymentCondition{apps.DeploymentAvailable, core.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability."}
	}
	progressing := deploymentCondition{apps.DeploymentProgressing, core.ConditionTrue, "ReplicaSetUpdated", fmt.Sprintf("ReplicaSet %q is progressing.", d.Name)}
	if ready {
		progressing.reason, progressing.message = "NewReplicaSetAvailable", fmt.Sprintf("ReplicaSet %q has successfully progressed.", d.Name)
	}
	for _, c := range []deploymentCondition{available, progressing} {
		s.Conditions = c.in(s.Conditions)
	}
	return s
}

type deploymentCondition struct {
	kind            apps.DeploymentConditionType
	status          core.ConditionStatus
	reason, message string
}

func (c deploymentCondition) in(list []apps.DeploymentCondition) []apps.DeploymentCondition {
	now := meta.NewTime(time.Now().Truncate(time.Second))
	entry := apps.DeploymentCondition{Type: c.kind, Status: c.status, Reason: c.reason, Message: c.message, LastUpdateTime: now, LastTransitionTime: now}
	for i, old := range list {
		if old.Type != c.kind {
			continue
		}
		if old.Status == c.status {
			if old.Reason == c.reason && old.Message == c.message {
				return list
			}
			entry.LastTransitionTime = old.LastTransitionTime
		}
		list[i] = entry
		return list
	}
	return append(list, entry)
}

func (k *kubelet) statefulSet(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	s := &apps.StatefulSet{}
	if err := k.Get(ctx, key, s); err != nil {
		return ctrl.Result{}, err
	}
	want := int32(1)
	if s.Spec.Replicas != nil {
		want = *s.Spec.Replicas
	}
	running := s.Status.ObservedGeneration == s.Generation && s.Status.AvailableReplicas == want
	pod, err := k.withClaims(ctx, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	left, err := k.startsIn(ctx, s, pod, running)
	if err != nil {
		return ctrl.Result{}, err
	}
	status := apps.StatefulSetStatus{ObservedGeneration: s.Generation, Replicas: want, CurrentReplicas: want, UpdatedReplicas: want}
	if left == 0 {
		status.ReadyReplicas, status.AvailableReplicas = want, want
	}
	status.CollisionCount = s.Status.CollisionCount
	status.CurrentRevision, status.UpdateRevision = s.Name, s.Name
	if !reflect.DeepEqual(status, s.Status) {
		s.Status = status
		if err := k.Status().Update(ctx, s); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: left}, nil
}
