package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// brought says which definitions come with a Deployment, as its operator installs them.
func brought() map[string][]string {
	return map[string][]string{
		"infrastructure-operator": {"assisted"},
		"hive-operator":           {"hive"},
		"operator":                {"hypershift", "capi"}, // in namespace hypershift
	}
}

// arrivals knows which definitions are there.
type arrivals struct {
	mu    sync.Mutex
	there map[string]chan struct{} // closed once it is
}

func newArrivals() *arrivals { return &arrivals{there: map[string]chan struct{}{}} }

func (a *arrivals) of(kind string) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.there[kind] == nil {
		a.there[kind] = make(chan struct{})
	}
	return a.there[kind]
}

func (a *arrivals) add(kind string) {
	c := a.of(kind)
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}

// await waits for a definition; false where ctx was done first.
func (a *arrivals) await(ctx context.Context, kind string) bool {
	select {
	case <-a.of(kind):
		return true
	case <-ctx.Done():
		return false
	}
}

// watchDefinitions notes the definitions that arrive, whoever brings them, and brings those of the operators that are
// played: multicluster engine's with its ClusterServiceVersion, as OLM does, and those of its components with their
// Deployments.
func (l *Lab) watchDefinitions(there *arrivals) (manager.Manager, error) {
	mgr, err := l.manager()
	if err != nil {
		return nil, err
	}
	definition := obj.New("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "")
	err = ctrl.NewControllerManagedBy(mgr).Named("definitions").For(definition).
		Complete(reconcile.Func(func(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
			u := definition.DeepCopy()
			if err := mgr.GetClient().Get(ctx, r.NamespacedName, u); err != nil {
				return ctrl.Result{}, client.IgnoreNotFound(err)
			}
			if obj.FindCondition(u, "Established").Status == obj.True {
				there.add(r.Name)
			}
			return ctrl.Result{}, nil
		}))
	if err != nil || l.options.Hub != nil {
		return mgr, err
	}
	in := &installer{lab: l, client: mgr.GetClient()}
	if !l.without("olm") {
		err = ctrl.NewControllerManagedBy(mgr).Named("engine-definitions").For(obj.New(obj.OLM, "ClusterServiceVersion", "", "")).Complete(reconcile.Func(in.version))
	}
	if err == nil && !l.without("mce") {
		err = ctrl.NewControllerManagedBy(mgr).Named("component-definitions").For(&apps.Deployment{}).Complete(reconcile.Func(in.deployment))
	}
	return mgr, err
}

// installer brings definitions, each set once.
type installer struct {
	lab    *Lab
	client client.Client
	mu     sync.Mutex
	done   []string
}

func (i *installer) version(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	if !strings.HasPrefix(r.Name, "multicluster-engine.v") {
		return ctrl.Result{}, nil
	}
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(obj.OLM)
	u.SetKind("ClusterServiceVersion")
	if err := i.client.Get(ctx, r.NamespacedName, u); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if phase := obj.String(u, "status", "phase"); phase != "Installing" && phase != "Succeeded" {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, i.install(ctx, "mce", "ocm")
}

func (i *installer) deployment(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	if r.Name == "operator" && r.Namespace != "hypershift" {
		return ctrl.Result{}, nil
	}
	if r.Name == "operator" && i.lab.hosted != nil {
		i.lab.hosted.warm()
	}
	return ctrl.Result{}, i.install(ctx, brought()[r.Name]...)
}

func (i *installer) install(ctx context.Context, sets ...string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, set := range sets {
		if slices.Contains(i.done, set) {
			continue
		}
		definitions, err := controlplane.ReadCRDs(i.lab.options.Assets, set)
		if err == nil {
			err = i.lab.hub.Install(ctx, definitions...)
		}
		if err != nil {
			return fmt.Errorf("installing the definitions %s: %w", set, err)
		}
		i.done = append(i.done, set)
		i.lab.log.Info("definitions installed", "set", set)
	}
	return nil
}
