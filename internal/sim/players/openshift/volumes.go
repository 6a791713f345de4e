package openshift

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// binder plays the volume binder and the provisioner of a storage class: a claim is bound where its class is there. A
// claim without a class, on a cluster without a default one, waits for ever, as on a real cluster.
type binder struct {
	client.Client
	retry  time.Duration
	full   bool // no volume for a hosted etcd, by failure etcd-volume-pending
	events events.EventRecorder
}

const claimProtection = "kubernetes.io/pvc-protection"

func (b *binder) claim(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	claim := &core.PersistentVolumeClaim{}
	if err := b.Get(ctx, key, claim); err != nil {
		return ctrl.Result{}, err
	}
	if !claim.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, b.release(ctx, claim)
	}
	if claim.Status.Phase == core.ClaimBound {
		return ctrl.Result{}, nil
	}
	classes := &storage.StorageClassList{}
	if err := b.List(ctx, classes); err != nil {
		return ctrl.Result{}, err
	}
	var names []string
	for _, c := range classes.Items {
		names = append(names, c.Name)
	}
	why := unbindable(claim.Spec.StorageClassName, names)
	if why == nil && b.full && strings.HasPrefix(claim.Name, "data-etcd-") {
		why = noSpace(claim)
	}
	if why != nil {
		b.events.Eventf(claim, nil, core.EventTypeWarning, why.reason, "Provisioning", "%s", why.message)
		return ctrl.Result{RequeueAfter: b.retry}, nil
	}
	claim.Status.Phase = core.ClaimBound
	claim.Status.AccessModes = claim.Spec.AccessModes
	claim.Status.Capacity = claim.Spec.Resources.Requests
	return ctrl.Result{}, b.Status().Update(ctx, claim)
}

// release lets go of a claim that is being deleted: no pod uses it.
func (b *binder) release(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	at := slices.Index(claim.Finalizers, claimProtection)
	if at < 0 {
		return nil
	}
	claim.Finalizers = slices.Delete(claim.Finalizers, at, at+1)
	return b.Update(ctx, claim)
}

// noSpace is what the provisioner of LVM Storage says where its volume group has no room.
func noSpace(claim *core.PersistentVolumeClaim) *waiting {
	request := claim.Spec.Resources.Requests[core.ResourceStorage]
	return &waiting{"ProvisioningFailed", fmt.Sprintf("failed to provision volume with StorageClass %q: rpc error: code = ResourceExhausted desc = "+
		"no enough space left on VG: free=%d, requested=%d", *claim.Spec.StorageClassName, 1<<30, request.Value())}
}

type waiting struct{ reason, message string }

// unbindable says why a claim of that class cannot be bound, in the words of the event that Kubernetes makes; nil means
// that it can. The API server has put the default class in, where there is one.
func unbindable(class *string, known []string) *waiting {
	if class == nil || *class == "" {
		return &waiting{"FailedBinding", "no persistent volumes available for this claim and no storage class is set"}
	}
	if !slices.Contains(known, *class) {
		return &waiting{"ProvisioningFailed", fmt.Sprintf("storageclass.storage.k8s.io %q not found", *class)}
	}
	return nil
}
