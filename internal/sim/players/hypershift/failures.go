package hypershift

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// once remembers what was broken already: who mends it finds it mended.
type once struct {
	mu   sync.Mutex
	done map[string]bool
}

// first says whether this is the first time that it is asked about key.
func (o *once) first(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done[key] {
		return false
	}
	if o.done == nil {
		o.done = map[string]bool{}
	}
	o.done[key] = true
	return true
}

// breakRegistry lets the registry refuse the lab's login from the first HostedCluster on, by failure registry-auth.
func (o *operator) breakRegistry() {
	if o.world.Faults.On("registry-auth") && o.world.BreakRegistry != nil && o.once.first("registry") {
		o.world.BreakRegistry()
	}
}

// spoil makes a HostedCluster's configuration invalid, by failure invalid-configuration: the trust bundle that it names
// loses its key. One that names none is said to have no namespace for its Agents.
func (c *clusters) spoil(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings) error {
	if !c.world.Faults.On("invalid-configuration") {
		return nil
	}
	if hc.Spec.AdditionalTrustBundle == nil {
		seen.around.AgentNamespace = false
		return nil
	}
	const key = "ca-bundle.crt"
	name := hc.Spec.AdditionalTrustBundle.Name
	if _, there := seen.around.ConfigMaps[name][key]; !there || !c.once.first("configuration/"+string(hc.UID)) {
		return nil
	}
	bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: hc.Namespace, Name: name}}
	gone := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"`+key+`":null}}`))
	if err := c.client.Patch(ctx, bundle, gone); err != nil {
		return fmt.Errorf("taking the key out of ConfigMap %s: %w", name, err)
	}
	delete(seen.around.ConfigMaps[name], key)
	return nil
}

// holdAgents leaves on each Agent what an AgentMachine that is gone has left there, by failure no-suitable-agent: a label
// that says it is taken.
func (m *machines) holdAgents(ctx context.Context, agents []unstructured.Unstructured) error {
	if !m.world.Faults.On("no-suitable-agent") {
		return nil
	}
	for i := range agents {
		agent := &agents[i]
		if agent.GetLabels()[agentMachineRef] != "" || !m.once.first("agent/"+string(agent.GetUID())) {
			continue
		}
		original := agent.DeepCopy()
		mark(agent, uuid.NewString(), agent.GetNamespace())
		if err := m.client.Patch(ctx, agent, client.MergeFrom(original)); err != nil {
			return fmt.Errorf("holding Agent %s: %w", agent.GetName(), err)
		}
	}
	return nil
}

// brokenOperators are the hosted ClusterOperators that failure clusteroperator-degraded breaks, with their text.
func (c *clusters) brokenOperators() map[string]string {
	if !c.world.Faults.On("clusteroperator-degraded") {
		return nil
	}
	return map[string]string{"monitoring": `UpdatingPrometheus: Prometheus "openshift-monitoring/k8s": NoPodReady: shard 0: pod prometheus-k8s-0: ` +
		"0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."}
}

// crash shows why the hosted API server never becomes available, by failure never-available.
func (c *clusters) crash(ctx context.Context, hc *hyperv1.HostedCluster, p plane) error {
	if !c.world.Faults.On("never-available") || !p.etcd || p.kubeAPI {
		return nil
	}
	return c.pods.crashing(ctx, planeNamespace(hc), "kube-apiserver-"+suffixOf(hc), "kube-apiserver",
		`"command failed" err="failed to load configuration: the simulated API server is told to fail"`)
}
