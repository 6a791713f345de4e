package metal3

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/labrun/labrun/internal/sim/world"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Player plays baremetal-operator and Ironic.
func Player() world.Player {
	return world.Player{
		Name:  "metal3",
		Plays: "Metal3: baremetal-operator and Ironic, which drive the hosts' BMCs over Redfish",
		Setup: setup,
	}
}

func setup(mgr ctrl.Manager, w *world.World) error {
	o := &operator{client: mgr.GetClient(), reader: mgr.GetAPIReader(), world: w, log: w.Log.With("player", "metal3"), attempts: map[types.UID]attempt{}}
	if err := serveHook(mgr); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("metal3-host").
		For(empty("BareMetalHost")).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(o.hostsOfSecret)).
		Watches(empty("Provisioning"), handler.EnqueueRequestsFromMapFunc(o.allHosts)).
		Watches(empty("PreprovisioningImage"), handler.EnqueueRequestsFromMapFunc(sameName)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 32}).
		Complete(o)
}

// operator reconciles BareMetalHosts. A reconcile waits for its BMC and for the delays of its stage, as no host
// waits for another.
type operator struct {
	client client.Client
	reader client.Reader // unstructured and Secrets are read from the server, never stale
	world  *world.World
	log    *slog.Logger

	mu       sync.Mutex
	attempts map[types.UID]attempt
	macs     macs
	broken   string // root of the BMC that failure bmh-registration broke
	stuck    string // host whose BMC changes no power, by failure bmh-power
}

// attempt is the last try at a host that ended in an error.
type attempt struct {
	again      time.Time
	secret     string // resourceVersion of the Secret that was tried
	generation int64
}

func (o *operator) failed(h *host, secret string, again time.Duration) reconcile.Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts[h.object.GetUID()] = attempt{again: time.Now().Add(again), secret: secret, generation: h.object.GetGeneration()}
	return reconcile.Result{RequeueAfter: again}
}

// rest is how long a host that failed is left alone yet. A corrected Secret, a changed spec or a deletion ends it.
func (o *operator) rest(h *host, secret string) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, ok := o.attempts[h.object.GetUID()]
	if !ok || last.secret != secret || last.generation != h.object.GetGeneration() {
		return 0
	}
	return time.Until(last.again)
}

func (o *operator) forget(h *host) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.attempts, h.object.GetUID())
}

// watches says whether the operator looks at a namespace: Metal3 runs only where there is a Provisioning, and looks
// beyond its own namespace only where that says so.
func (o *operator) watches(ctx context.Context, namespace string) (watched bool, network string, err error) {
	p := empty("Provisioning")
	if err := o.reader.Get(ctx, types.NamespacedName{Name: provisioningName}, p); err != nil {
		return false, "", client.IgnoreNotFound(err)
	}
	all, _, _ := unstructured.NestedBool(p.Object, "spec", "watchAllNamespaces")
	network, _, _ = unstructured.NestedString(p.Object, "spec", "provisioningNetwork")
	return all || namespace == openshiftNamespace, network, nil
}

func (o *operator) allHosts(ctx context.Context, _ client.Object) []reconcile.Request {
	return o.hosts(ctx, "", func(*host) bool { return true })
}

func (o *operator) hostsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return o.hosts(ctx, secret.GetNamespace(), func(h *host) bool {
		return h.spec.BMC.CredentialsName == secret.GetName()
	})
}

func (o *operator) hosts(ctx context.Context, namespace string, which func(*host) bool) []reconcile.Request {
	all := list("BareMetalHost")
	if err := o.reader.List(ctx, all, client.InNamespace(namespace)); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if h, err := parse(&all.Items[i]); err == nil && which(h) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}

func sameName(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(object)}}
}

// pause waits as long as the stage called name lasts, where the real one lasts d.
func (o *operator) pause(ctx context.Context, name string, d time.Duration) error {
	timer := time.NewTimer(o.world.Pace.Delay(name, d))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
