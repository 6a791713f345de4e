package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/internal/holder"
)

// LeaseName is the Lease in InventoryNamespace that a lab's run holds. It is no
// object of the lab's: no inventory has it, and it goes when the run ends.
//
// client-go's resourcelock would keep the same record, but brings the clientset
// of all kinds with it, whose scheme each start of labrun would pay for.
func LeaseName(lab string) string { return "lab-" + lab }

// leaseAttempts is how often a Lease is tried that others write at the same time.
const leaseAttempts = 5

// leases is the Lease of one lab on one cluster.
type leases struct {
	cluster *Cluster
	lab     string
	judge   holder.Judge
	lasts   time.Duration
}

// where names the Lease for people.
func (l *leases) where() string {
	return fmt.Sprintf("Lease %s/%s on %s", InventoryNamespace, LeaseName(l.lab), l.cluster.Host())
}

func (l *leases) client() dynamic.ResourceInterface {
	return l.cluster.dynamic.Resource(schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}).Namespace(InventoryNamespace)
}

// take makes the Lease, or takes over one that binds no more. The error is a
// *holder.Held where it does.
func (l *leases) take(ctx context.Context, now time.Time) (*coordinationv1.Lease, error) {
	for range leaseAttempts {
		lease, err := l.create(ctx, now)
		if !apierrors.IsAlreadyExists(err) {
			return lease, err
		}
		there, err := l.get(ctx)
		if apierrors.IsNotFound(err) {
			continue // given back meanwhile
		}
		if err != nil {
			return nil, err
		}
		if held := l.heldBy(there, now); held != nil {
			return nil, held
		}
		lease, err = l.write(ctx, l.signed(there, now))
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return lease, err
		}
	}
	return nil, apierrors.NewServerTimeout(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}, "update", 1)
}

// heldBy gives the error of a Lease that binds, nil for one that does not.
func (l *leases) heldBy(lease *coordinationv1.Lease, now time.Time) *holder.Held {
	identity := text(lease.Spec.HolderIdentity)
	if identity == "" {
		return nil
	}
	c := claimOf(lease, l.lasts)
	if _, free := l.judge.Free(c, now); free {
		return nil
	}
	held := &holder.Held{Lab: l.lab, Holder: c.Holder, Where: l.where(), Until: c.Expires()}
	switch {
	case c.Unknown:
		held.Holder, held.Stranger = holder.Holder{}, identity
	case l.judge.Sees(c.Holder):
		held.Until = time.Time{}
	}
	return held
}

// claimOf reads what a Lease says. One that says not for how long holds as long as
// labrun's own.
func claimOf(lease *coordinationv1.Lease, lasts time.Duration) holder.Claim {
	h, ok := holder.Parse(text(lease.Spec.HolderIdentity))
	c := holder.Claim{Holder: h, Unknown: !ok, Lasts: lasts}
	if seconds := lease.Spec.LeaseDurationSeconds; seconds != nil {
		c.Lasts = time.Duration(*seconds) * time.Second
	}
	if t := lease.Spec.RenewTime; t != nil {
		c.Renewed = t.Time
	}
	if t := lease.Spec.AcquireTime; t != nil {
		c.Holder.Since = t.Time
	}
	return c
}

// signed is a Lease that this process takes now.
func (l *leases) signed(there *coordinationv1.Lease, now time.Time) *coordinationv1.Lease {
	lease := there.DeepCopy()
	identity, seconds := l.judge.Self.Identity(), int32(l.lasts/time.Second)
	if former := text(lease.Spec.HolderIdentity); former != "" && former != identity {
		times := int32(1)
		if n := lease.Spec.LeaseTransitions; n != nil {
			times += *n
		}
		lease.Spec.LeaseTransitions = &times
	}
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &identity, &seconds
	lease.Spec.AcquireTime = &meta.MicroTime{Time: now}
	lease.Spec.RenewTime = &meta.MicroTime{Time: now}
	return lease
}

// renew says once more that this process lives. A Lease that somebody else wrote
// to is read anew, one that was deleted is made again; a *holder.Lost is the
// error of one that somebody else has.
func (l *leases) renew(ctx context.Context, lease *coordinationv1.Lease, now time.Time) (*coordinationv1.Lease, error) {
	for range leaseAttempts {
		next := lease.DeepCopy()
		next.Spec.RenewTime = &meta.MicroTime{Time: now}
		written, err := l.write(ctx, next)
		switch {
		case apierrors.IsConflict(err):
			if lease, err = l.get(ctx); err != nil && !apierrors.IsNotFound(err) {
				return nil, err
			}
		case apierrors.IsNotFound(err):
			lease = nil
		default:
			return written, err
		}
		if lease == nil {
			return l.again(ctx, now)
		}
		if c := claimOf(lease, l.lasts); c.Unknown || !c.Holder.Is(l.judge.Self) {
			return nil, &holder.Lost{Lab: l.lab, Where: l.where(), Taker: c.Holder}
		}
	}
	return nil, fmt.Errorf("%s is written all the time by others", l.where())
}

// again makes a Lease that somebody deleted, unless somebody else was faster.
func (l *leases) again(ctx context.Context, now time.Time) (*coordinationv1.Lease, error) {
	lease, err := l.take(ctx, now)
	var held *holder.Held
	if errors.As(err, &held) {
		return nil, &holder.Lost{Lab: l.lab, Where: l.where(), Taker: held.Holder}
	}
	return lease, err
}

// giveBack deletes the Lease where it is still this process's.
func (l *leases) giveBack(ctx context.Context, lease *coordinationv1.Lease) error {
	for range leaseAttempts {
		uid, version := lease.UID, lease.ResourceVersion
		err := l.client().Delete(ctx, LeaseName(l.lab), meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &uid, ResourceVersion: &version}})
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return fmt.Errorf("delete the %s: %w; it expires by itself", l.where(), err)
		}
		lease, err = l.get(ctx) // a renewal whose answer was not awaited
		if apierrors.IsNotFound(err) || err == nil && !claimOf(lease, l.lasts).Holder.Is(l.judge.Self) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the %s: %w; it expires by itself", l.where(), err)
		}
	}
	return nil
}

// create makes the Lease, and its namespace where that is absent.
func (l *leases) create(ctx context.Context, now time.Time) (*coordinationv1.Lease, error) {
	u, err := leaseObject(l.signed(&coordinationv1.Lease{
		TypeMeta:   meta.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: meta.ObjectMeta{Name: LeaseName(l.lab), Namespace: InventoryNamespace, Labels: map[string]string{LabelManagedBy: "labrun"}},
	}, now))
	if err != nil {
		return nil, err
	}
	o := meta.CreateOptions{FieldManager: "labrun"}
	made, err := l.client().Create(ctx, u, o)
	if apierrors.IsNotFound(err) {
		if err = l.cluster.makeNamespace(ctx); err != nil {
			return nil, err
		}
		made, err = l.client().Create(ctx, u, o)
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil, apierrors.NewServiceUnavailable("the namespace " + InventoryNamespace + " is being deleted; it is made again after that")
	}
	return leaseOf(made, err)
}

func (l *leases) get(ctx context.Context) (*coordinationv1.Lease, error) {
	return leaseOf(l.client().Get(ctx, LeaseName(l.lab), meta.GetOptions{}))
}

func (l *leases) write(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	u, err := leaseObject(lease)
	if err != nil {
		return nil, err
	}
	return leaseOf(l.client().Update(ctx, u, meta.UpdateOptions{FieldManager: "labrun"}))
}

func leaseObject(lease *coordinationv1.Lease) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(lease)
	return &unstructured.Unstructured{Object: fields}, err
}

func leaseOf(u *unstructured.Unstructured, err error) (*coordinationv1.Lease, error) {
	if err != nil {
		return nil, err
	}
	lease := &coordinationv1.Lease{}
	return lease, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, lease)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
