package hypershift

import (
	"context"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/players/obj"
	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func typed() *hyperv1.HostedCluster {
	return &hyperv1.HostedCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: "lab"}}
}

// agent is a host that is ready to bind.
func agent(name, ip string) *unstructured.Unstructured {
	a := obj.New(obj.AgentInstall, "Agent", "clusters-lab", name)
	a.Object["spec"] = map[string]any{"approved": true, "role": "worker", "hostname": "worker-" + name}
	return a
}

func agentStatus(state, stage, ip string) map[string]any {
	unbound := "True"
	if strings.HasSuffix(state, "unbound") {
		unbound = "False"
	}
	condition := func(kind, status string) map[string]any {
		return map[string]any{"type": kind, "status": status, "reason": "Test", "message": ""}
	}
	return map[string]any{
		"debugInfo": map[string]any{"state": state},
		"progress":  map[string]any{"currentStage": stage},
		"conditions": []any{
			condition("Bound", unbound), condition("Validated", "True"), condition("RequirementsMet", "True"),
			condition("SpecSynced", "True"), condition("Installed", "False"),
		},
		"inventory": map[string]any{"hostname": "localhost", "interfaces": []any{map[string]any{
			"macAddress": "52:54:00:00:00:01", "flags": []any{}, "ipV4Addresses": []any{}, "ipV6Addresses": []any{ip + "/64", "fe80::1/64"},
		}}},
	}
}

func (l *lab) setAgent(name, state, stage, ip string) {
	l.t.Helper()
	a := obj.New(obj.AgentInstall, "Agent", "clusters-lab", name)
	if err := l.client.Get(context.Background(), client.ObjectKeyFromObject(a), a); err != nil {
		l.t.Fatal(err)
	}
	original := a.DeepCopy()
	a.Object["status"] = agentStatus(state, stage, ip)
	if err := l.client.Status().Patch(context.Background(), a, client.MergeFrom(original)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) replicas(n int64) {
	l.t.Helper()
	p := obj.New(hyperAPI, "NodePool", "clusters", "lab")
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":`+string(rune('0'+n))+`}}`))
	if err := l.client.Patch(context.Background(), p, patch); err != nil {
		l.t.Fatal(err)
	}
}

// One cluster's life: judged, available, scaled up, completed once *.apps reaches the router, scaled down, removed.
func TestAClustersLife(t *testing.T) {
	l := newLab(t, nil)
	l.make(l.requirements()...)
	l.make(l.cluster(), l.pool(0))
	hc := typed()
	l.condition(hc, "Available", "True")
	l.until(l.client, hc, func() bool { return hc.Status.IgnitionEndpoint != "" && hc.Status.KubeConfig != nil })
	if hc.Status.KubeConfig.Name != "lab-admin-kubeconfig" || hc.Status.KubeadminPassword.Name != "lab-kubeadmin-password" {
		t.Errorf("credentials are %v and %v", hc.Status.KubeConfig, hc.Status.KubeadminPassword)
	}
	copied := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters-lab", Name: "pull-secret"}}
	l.until(l.client, copied, func() bool { return copied.Type == corev1.SecretTypeDockerConfigJson })
	if hc.Status.Version.History[0].State != configv1.PartialUpdate || hc.Status.Version.History[0].Version != "4.20.3" {
		t.Errorf("history is %v", hc.Status.Version.History)
	}
	pool := &hyperv1.NodePool{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: "lab"}}
	l.until(l.client, pool, func() bool { return poolCondition(pool, "AllMachinesReady").Reason == "AsExpected" })

	l.replicas(1)
	l.until(l.client, pool, func() bool {
		return strings.Contains(poolCondition(pool, "AllMachinesReady").Message, "NoSuitableAgents")
	})
	const ip = "2620:52:0:1305::5"
	l.make(agent("a", ip))
	l.setAgent("a", "known-unbound", "", ip)
	bound := obj.New(obj.AgentInstall, "Agent", "clusters-lab", "a")
	l.until(l.client, bound, func() bool { return obj.String(bound, "spec", "clusterDeploymentName", "name") == "lab" })
	if bound.GetLabels()[agentMachineRef] == "" {
		t.Errorf("a bound Agent has no label %s", agentMachineRef)
	}
	l.setAgent("a", "installing-in-progress", "Rebooting", ip)
	l.until(l.client, pool, func() bool {
		return pool.Status.Replicas == 1 && poolCondition(pool, "AllNodesHealthy").Status == corev1.ConditionTrue
	})
	site := l.hosted()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-a"}}
	l.until(site, node, func() bool {
		return isReady(node) && len(internalIPs(*node)) == 1 && internalIPs(*node)[0].String() == ip
	})

	ingress := &configv1.ClusterOperator{ObjectMeta: metav1.ObjectMeta{Name: "ingress"}}
	l.until(site, ingress, func() bool { return operatorSays(ingress, "Degraded", "no such host") })
	l.names.point("2620:52:0:1305::6")
	l.until(site, ingress, func() bool { return operatorSays(ingress, "Degraded", "connection refused") })
	l.names.point(ip)
	l.until(l.client, hc, func() bool { return hc.Status.Version.History[0].State == configv1.CompletedUpdate })
	version := &configv1.ClusterVersion{ObjectMeta: metav1.ObjectMeta{Name: "version"}}
	l.until(site, version, func() bool { return version.Status.History[0].State == configv1.CompletedUpdate })

	l.replicas(0)
	l.until(l.client, bound, func() bool { return obj.String(bound, "spec", "clusterDeploymentName", "name") == "" })
	l.setAgent("a", "known-unbound", "", ip)
	l.until(l.client, pool, func() bool { return poolCondition(pool, "AllMachinesReady").Message == "NodePool set to no replicas" })
	if err := l.client.Delete(context.Background(), hc); err != nil {
		t.Fatal(err)
	}
	l.goneSoon(hc)
	l.goneSoon(namespace("clusters-lab"))
}

func (l *lab) goneSoon(o client.Object) {
	l.t.Helper()
	l.until(notFound{l.client}, o, func() bool { return true })
}

// notFound turns "not there" into success.
type notFound struct{ client.Client }

// Get fails while the object is there.
func (n notFound) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	err := n.Client.Get(ctx, key, o, opts...)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		return context.DeadlineExceeded
	}
	return err
}

func poolCondition(p *hyperv1.NodePool, kind string) hyperv1.NodePoolCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return hyperv1.NodePoolCondition{}
}

func operatorSays(o *configv1.ClusterOperator, kind, text string) bool {
	for _, c := range o.Status.Conditions {
		if string(c.Type) == kind {
			return strings.Contains(c.Message, text)
		}
	}
	return false
}
