package hypershift

import (
	"context"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/world"
	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// says waits until a condition of the HostedCluster is False with a reason and a text.
func (l *lab) says(hc *hyperv1.HostedCluster, kind, reason, text string) {
	l.t.Helper()
	l.until(l.client, hc, func() bool {
		for _, c := range hc.Status.Conditions {
			if c.Type == kind && c.Status == metav1.ConditionFalse && c.Reason == reason && strings.Contains(c.Message, text) {
				return true
			}
		}
		return false
	})
}

// event waits for an event about an object of the control plane's namespace.
func (l *lab) event(object, reason, text string) {
	l.t.Helper()
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "clusters-lab"}}
	l.until(l.client, home, func() bool {
		var list corev1.EventList
		if err := l.client.List(context.Background(), &list, client.InNamespace("clusters-lab")); err != nil {
			return false
		}
		for _, e := range list.Items {
			if e.InvolvedObject.Name == object && e.Reason == reason && strings.Contains(e.Message, text) {
				return true
			}
		}
		return false
	})
}

func (l *lab) merge(o client.Object, patch string) {
	l.t.Helper()
	if err := l.client.Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		l.t.Fatal(err)
	}
}

// TestFailures has one cluster meet them one after the other, each mended before the next: what `oc get` shows of each.
func TestFailures(t *testing.T) {
	l := newLab(t, world.Faults{
		"invalid-configuration": true, "registry-auth": true, "etcd-volume-pending": true, "image-pull-mirror": true,
		"no-suitable-agent": true, "clusteroperator-degraded": true,
	})
	l.make(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "hub-0"}})
	l.make(l.requirements()...)
	cluster := l.cluster()
	mirror, _, _ := strings.Cut(l.image, "/")
	sources := cluster.Object["spec"].(map[string]any)["imageContentSources"].([]any)
	cluster.Object["spec"].(map[string]any)["imageContentSources"] = append(sources,
		map[string]any{"source": "quay.io/openshift-release-dev/ocp-v4.0-art-dev", "mirrors": []any{mirror + "/openshift/release"}})
	l.make(cluster, l.pool(0))
	hc := typed()

	l.says(hc, "ValidConfiguration", "InvalidConfiguration", "configMap user-ca-bundle must have a ca-bundle.crt key")
	bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: "user-ca-bundle"}}
	bundle.Data = map[string]string{"ca-bundle.crt": l.ca}
	if err := l.client.Update(context.Background(), bundle); err != nil {
		t.Fatal(err)
	}
	l.says(hc, "ValidReleaseImage", "InvalidImage", "unauthorized: authentication required")
	l.refuse.Store(false)

	l.says(hc, "EtcdAvailable", "EtcdWaitingForQuorum", "Etcd volume claim data-etcd-0 pending: ")
	l.event("etcd-0", "FailedScheduling", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters-lab", Name: "data-etcd-0"}}
	if err := l.client.Status().Patch(context.Background(), claim, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"phase":"Bound"}}`))); err != nil {
		t.Fatal(err)
	}

	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters-lab", Name: "etcd-0"}}
	l.until(l.client, pod, func() bool {
		return len(pod.Status.ContainerStatuses) == 1 && pod.Status.ContainerStatuses[0].State.Waiting.Reason == "ImagePullBackOff"
	})
	said := pod.Status.ContainerStatuses[0].State.Waiting.Message
	for _, part := range []string{"(Mirrors also failed: [" + mirror + "/openshift/release@sha256:", ": manifest unknown])", "pinging container registry quay.io: ", "no such host"} {
		if !strings.Contains(said, part) {
			t.Errorf("the pod says %q, want %q in it", said, part)
		}
	}
	l.event("etcd-0", "Failed", "Failed to pull image ")
	l.says(hc, "EtcdAvailable", "EtcdWaitingForQuorum", "Waiting for etcd to reach quorum")
	l.pushComponent(t, mirror+"/openshift/release")

	l.condition(hc, "Available", "True")
	l.operators(hc)
}

// operators goes on with Agents and the hosted cluster's operators.
func (l *lab) operators(hc *hyperv1.HostedCluster) {
	const ip = "2620:52:0:1305::5"
	l.names.point(ip)
	l.make(agent("a", ip))
	l.setAgent("a", "known-unbound", "", ip)
	l.replicas(1)
	taken := obj.New(obj.AgentInstall, "Agent", "clusters-lab", "a")
	l.until(l.client, taken, func() bool { return taken.GetLabels()[agentMachineRef] != "" })
	l.until(l.client, hc, func() bool {
		machines, err := obj.List(context.Background(), l.client, agentAPI, "AgentMachine", client.InNamespace("clusters-lab"))
		return err == nil && len(machines) == 1 && obj.FindCondition(&machines[0], "AgentReserved").Reason == "NoSuitableAgents"
	})
	if cluster := obj.String(taken, "spec", "clusterDeploymentName", "name"); cluster != "" {
		l.t.Errorf("the Agent is bound to %s", cluster)
	}
	l.merge(taken, `{"metadata":{"labels":{"`+agentMachineRef+`":null}}}`)
	l.until(l.client, taken, func() bool { return obj.String(taken, "spec", "clusterDeploymentName", "name") == "lab" })
	l.setAgent("a", "installing-in-progress", "Rebooting", ip)
	site := l.hosted()
	monitoring := &configv1.ClusterOperator{ObjectMeta: metav1.ObjectMeta{Name: "monitoring"}}
	l.until(site, monitoring, func() bool { return operatorSays(monitoring, "Degraded", "UpdatingPrometheus: ") })
	console := &configv1.ClusterOperator{ObjectMeta: metav1.ObjectMeta{Name: "console"}}
	l.until(site, console, func() bool { return operatorSays(console, "Available", "") })
	l.until(l.client, hc, func() bool { return hc.Status.Version.History[0].State == configv1.PartialUpdate })
}
