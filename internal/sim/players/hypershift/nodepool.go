package hypershift

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// pools reconciles NodePools.
type pools struct {
	*operator
}

// Reconcile judges one NodePool and scales it. Without its HostedCluster nothing happens, as in the real one, whose
// log alone says so.
func (p *pools) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	pool := &hyperv1.NodePool{}
	if err := p.client.Get(ctx, request.NamespacedName, pool); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if silent, err := p.silent(ctx); err != nil || silent {
		return reconcile.Result{}, err
	}
	hc := &hyperv1.HostedCluster{}
	key := types.NamespacedName{Namespace: pool.Namespace, Name: pool.Spec.ClusterName}
	if err := p.client.Get(ctx, key, hc); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		}
		p.log.Info("NodePool without a HostedCluster", "nodepool", request.String(), "hostedcluster", key.String())
		if pool.DeletionTimestamp != nil {
			return reconcile.Result{}, p.release(ctx, pool)
		}
		return reconcile.Result{}, nil
	}
	if pool.DeletionTimestamp != nil {
		return obj.Settle(p.remove(ctx, pool, hc))
	}
	original := pool.DeepCopy()
	if controllerutil.AddFinalizer(pool, nodePoolFinalizer) {
		if err := p.client.Patch(ctx, pool, client.MergeFrom(original), client.FieldOwner(fieldOwner)); err != nil {
			return obj.Settle(reconcile.Result{}, fmt.Errorf("adding the finalizer to NodePool %s: %w", request, err))
		}
		original = pool.DeepCopy()
	}
	again, err := p.pass(ctx, pool, hc)
	if err != nil {
		return obj.Settle(reconcile.Result{}, err)
	}
	if !equality.Semantic.DeepEqual(original.Status, pool.Status) {
		if err := p.client.Status().Patch(ctx, pool, client.MergeFrom(original)); err != nil {
			return obj.Settle(reconcile.Result{}, fmt.Errorf("writing the status of NodePool %s: %w", request, err))
		}
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

func (p *pools) pass(ctx context.Context, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) (time.Duration, error) {
	retest := p.delay("retest", 30*time.Second)
	found, err := p.releaseOf(ctx, pool, hc)
	tellPool(pool, judgePool(pool, err)...)
	if err != nil {
		return retest, nil //nolint:nilerr // the condition says it
	}
	list, err := p.machinesOf(ctx, planeNamespace(hc), pool)
	if err != nil {
		return 0, err
	}
	tellMachines(pool, list)
	if hc.Status.IgnitionEndpoint == "" {
		tellPool(pool, poolNote{string(hyperv1.IgnitionEndpointAvailable), false, hyperv1.IgnitionEndpointMissingReason, "Ignition endpoint not available, waiting"})
		return 0, nil
	}
	dropPoolNote(pool, string(hyperv1.IgnitionEndpointAvailable))
	if pool.Status.Version == "" {
		pool.Status.Version = found.Version
	}
	return p.scale(ctx, pool, hc, list)
}

// releaseOf reads the pool's release, as its HostedCluster's is read.
func (p *pools) releaseOf(ctx context.Context, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) (release, error) {
	key := string(hc.UID) + "/" + pool.Spec.Release.Image
	if found, ok := p.hosted.release(key); ok {
		return found, nil
	}
	seen, err := p.look(ctx, hc)
	if err != nil {
		return release{}, err
	}
	like := hc.DeepCopy()
	like.Spec.Release.Image = pool.Spec.Release.Image
	found, err := (&clusters{operator: p.operator}).findRelease(ctx, like, seen)
	if err == nil {
		p.hosted.remember(key, found)
	}
	return found, err
}

// machine is what is read of a Machine.
type machine struct {
	machineFields
	object *unstructured.Unstructured
}

type machineFields struct {
	Spec struct {
		InfrastructureRef struct {
			Name string `json:"name"`
		} `json:"infrastructureRef"`
	} `json:"spec"`
	Status struct {
		Phase   string `json:"phase"`
		NodeRef *struct {
			Name string `json:"name"`
		} `json:"nodeRef"`
	} `json:"status"`
}

func parseMachine(u *unstructured.Unstructured) (*machine, error) {
	m := &machine{object: u}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": u.Object["spec"], "status": orMap(u.Object["status"])}, &m.machineFields); err != nil {
		return nil, fmt.Errorf("reading Machine %s: %w", u.GetName(), err)
	}
	return m, nil
}

func orMap(v any) any {
	if v == nil {
		return map[string]any{}
	}
	return v
}

// machinesOf are the Machines of a pool, by name.
func (o *operator) machinesOf(ctx context.Context, namespace string, pool *hyperv1.NodePool) ([]*machine, error) {
	items, err := obj.List(ctx, o.client, capiAPI, "Machine", client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	var found []*machine
	for i := range items {
		if items[i].GetAnnotations()[nodePoolNote] != pool.Namespace+"/"+pool.Name {
			continue
		}
		m, err := parseMachine(&items[i])
		if err != nil {
			return nil, err
		}
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b *machine) int { return cmp.Compare(a.object.GetName(), b.object.GetName()) })
	return found, nil
}

// scale makes the number of Machines what spec.replicas says.
func (p *pools) scale(ctx context.Context, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster, list []*machine) (time.Duration, error) {
	want := 0
	if pool.Spec.Replicas != nil {
		want = int(*pool.Spec.Replicas)
	}
	kept := slices.DeleteFunc(slices.Clone(list), func(m *machine) bool { return m.object.GetDeletionTimestamp() != nil })
	if len(kept) < want {
		if left := p.clock.Left(fmt.Sprintf("%s/scale/%d", pool.UID, want), p.delay("machine", 10*time.Second)); left > 0 {
			return left, nil
		}
		for range want - len(kept) {
			if err := p.create(ctx, pool, hc); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
	p.clock.Forget(string(pool.UID) + "/scale/")
	for _, m := range surplus(kept, len(kept)-want) {
		if err := p.client.Delete(ctx, m.object); client.IgnoreNotFound(err) != nil {
			return 0, fmt.Errorf("scaling NodePool %s down: %w", pool.Name, err)
		}
	}
	return 0, nil
}

// surplus chooses n Machines to delete: those marked for it, then those without a node, then the newest.
func surplus(list []*machine, n int) []*machine {
	if n <= 0 {
		return nil
	}
	rank := func(m *machine) int {
		if _, marked := m.object.GetAnnotations()[deleteMachineNote]; marked {
			return 0
		}
		if m.Status.NodeRef == nil {
			return 1
		}
		return 2
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *machine) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.object.GetCreationTimestamp().Compare(a.object.GetCreationTimestamp().Time))
	})
	return sorted[:n]
}

// create makes a Machine and its AgentMachine.
func (p *pools) create(ctx context.Context, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) error {
	namespace, name := planeNamespace(hc), pool.Name+"-"+letters(5)
	agentMachine := obj.New(agentAPI, "AgentMachine", namespace, name)
	note := map[string]string{nodePoolNote: pool.Namespace + "/" + pool.Name}
	label := map[string]string{"cluster.x-k8s.io/cluster-name": hc.Spec.InfraID, "cluster.x-k8s.io/set-name": pool.Name}
	m := obj.New(capiAPI, "Machine", namespace, name)
	m.SetAnnotations(note)
	m.SetLabels(label)
	m.SetFinalizers([]string{machineFinalizer})
	m.Object["spec"] = map[string]any{
		"clusterName":       hc.Spec.InfraID,
		"bootstrap":         map[string]any{"dataSecretName": "user-data-" + pool.Name},
		"infrastructureRef": map[string]any{"apiVersion": agentAPI, "kind": "AgentMachine", "name": name, "namespace": namespace},
	}
	if pool.Spec.NodeDrainTimeout != nil {
		m.Object["spec"].(map[string]any)["nodeDrainTimeout"] = pool.Spec.NodeDrainTimeout.Duration.String()
	}
	if err := p.client.Create(ctx, m); err != nil {
		return fmt.Errorf("making Machine %s: %w", name, err)
	}
	agentMachine.SetAnnotations(note)
	agentMachine.SetLabels(label)
	agentMachine.SetFinalizers([]string{agentMachineFinalizer})
	spec := map[string]any{}
	if a := pool.Spec.Platform.Agent; a != nil && a.AgentLabelSelector != nil {
		selector, err := runtime.DefaultUnstructuredConverter.ToUnstructured(a.AgentLabelSelector)
		if err != nil {
			return fmt.Errorf("reading the label selector of NodePool %s: %w", pool.Name, err)
		}
		spec["agentLabelSelector"] = selector
	}
	agentMachine.Object["spec"] = spec
	if err := controllerutil.SetOwnerReference(m, agentMachine, p.client.Scheme()); err != nil {
		return fmt.Errorf("owning AgentMachine %s: %w", name, err)
	}
	return obj.Create(ctx, p.client, agentMachine)
}

// remove deletes the pool's Machines and lets it go once they are gone.
func (p *pools) remove(ctx context.Context, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) (reconcile.Result, error) {
	list, err := p.machinesOf(ctx, planeNamespace(hc), pool)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, m := range list {
		if m.object.GetDeletionTimestamp() == nil {
			if err := p.client.Delete(ctx, m.object); client.IgnoreNotFound(err) != nil {
				return reconcile.Result{}, fmt.Errorf("deleting NodePool %s: %w", pool.Name, err)
			}
		}
	}
	if len(list) > 0 {
		return reconcile.Result{}, nil // the Machines' going is watched
	}
	return reconcile.Result{}, p.release(ctx, pool)
}

func (p *pools) release(ctx context.Context, pool *hyperv1.NodePool) error {
	original := pool.DeepCopy()
	if !controllerutil.RemoveFinalizer(pool, nodePoolFinalizer) {
		return nil
	}
	return client.IgnoreNotFound(p.client.Patch(ctx, pool, client.MergeFrom(original)))
}
