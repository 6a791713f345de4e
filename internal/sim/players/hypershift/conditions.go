package hypershift

import (
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// note is one condition.
type note struct {
	kind            hyperv1.ConditionType
	ok              bool
	reason, message string
}

// tell sets conditions of a HostedCluster.
func tell(hc *hyperv1.HostedCluster, notes ...note) {
	for _, n := range notes {
		status := metav1.ConditionFalse
		if n.ok {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&hc.Status.Conditions, metav1.Condition{
			Type: string(n.kind), Status: status, Reason: n.reason, Message: n.message, ObservedGeneration: hc.Generation,
		})
	}
}

// verdict is a condition that is True where err is nil, else False with a reason and err's text.
func verdict(kind hyperv1.ConditionType, err error, bad, good string) note {
	if err != nil {
		return note{kind, false, bad, err.Error()}
	}
	return note{kind, true, hyperv1.AsExpectedReason, good}
}

// plane is how far a hosted control plane has come.
type plane struct {
	infrastructure, etcd, kubeAPI, kubeconfig bool
	etcdMessage                               string // why etcd has no quorum
	degraded                                  string // why the control plane is degraded, "" where it is not
}

// notes are the conditions of a control plane; the last is Available, which the first that is False explains.
func (p plane) notes() []note {
	infrastructure := note{hyperv1.InfrastructureReady, false, hyperv1.WaitingOnInfrastructureReadyReason, "Cluster infrastructure is still provisioning"}
	if p.infrastructure {
		infrastructure = note{hyperv1.InfrastructureReady, true, hyperv1.AsExpectedReason, hyperv1.AllIsWellMessage}
	}
	etcd := note{hyperv1.EtcdAvailable, false, hyperv1.EtcdStatefulSetNotFoundReason, ""}
	switch {
	case p.etcd:
		etcd = note{hyperv1.EtcdAvailable, true, hyperv1.EtcdQuorumAvailableReason, ""}
	case p.infrastructure && p.etcdMessage != "":
		etcd = note{hyperv1.EtcdAvailable, false, hyperv1.EtcdWaitingForQuorumReason, p.etcdMessage}
	case p.infrastructure:
		etcd = note{hyperv1.EtcdAvailable, false, hyperv1.EtcdWaitingForQuorumReason, "Waiting for etcd to reach quorum"}
	}
	api := note{hyperv1.KubeAPIServerAvailable, false, hyperv1.NotFoundReason, "Kube APIServer deployment not found"}
	switch {
	case p.kubeAPI:
		api = note{hyperv1.KubeAPIServerAvailable, true, hyperv1.AsExpectedReason, "Kube APIServer deployment is available"}
	case p.etcd:
		api = note{hyperv1.KubeAPIServerAvailable, false, hyperv1.WaitingForAvailableReason, "Waiting for Kube APIServer deployment to become available"}
	}
	available := note{hyperv1.HostedClusterAvailable, true, hyperv1.AsExpectedReason, "The hosted control plane is available"}
	for _, n := range []note{infrastructure, etcd, api} {
		if !n.ok {
			available = note{hyperv1.HostedClusterAvailable, false, n.reason, n.message}
			break
		}
	}
	if available.ok && !p.kubeconfig {
		available = note{hyperv1.HostedClusterAvailable, false, hyperv1.KubeconfigWaitingForCreateReason, "Waiting for hosted control plane kubeconfig to be created"}
	}
	degraded := note{hyperv1.HostedClusterDegraded, false, hyperv1.AsExpectedReason, "The hosted cluster is not degraded"}
	if p.degraded != "" {
		degraded = note{hyperv1.HostedClusterDegraded, true, "UnavailableReplicas", p.degraded}
	}
	return []note{infrastructure, etcd, api, degraded, available}
}
