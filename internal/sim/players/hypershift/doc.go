// Package hypershift plays HyperShift on the Agent platform: its operator (HostedCluster, NodePool), the control
// plane that it starts (w.Hosted: a real API server), Cluster API with its agent provider (Machine, AgentMachine,
// Agents that are bound), and what the hosted cluster's own operators do there (Nodes, router, ClusterOperators,
// ClusterVersion).
//
// What it refuses, and how it says so, stands in the judge files; each rule names its condition. Texts, condition
// types and reasons are those of HyperShift v0.1.81. It is silent, as the real one is, where Deployment
// hypershift/operator is missing, and where that has the argument --enable-uwm-telemetry-remote-write while Secret
// openshift-monitoring/telemeter-client does not exist.
//
// A release image is asked for in its registry, by the HostedCluster's mirrors first, with its pull secret and its
// trust bundle. A release names its version by the label io.openshift.release of its image, as real ones do, else by
// its tag. No address but loopback is ever asked: names are resolved at World.DNS.
//
// Delays (--delay NAME=DURATION), with what the real one takes:
//
//	hypershift.retest          30s  between two tests of what was refused
//	hypershift.infrastructure   1m  until the control plane's services are there
//	hypershift.etcd             2m  until etcd has its quorum, after that
//	hypershift.kube-apiserver   3m  until the API server's Deployment is available, after that
//	hypershift.ignition        30s  until the ignition endpoint is there, after that
//	hypershift.machine         10s  from scaling up to the Machines
//	hypershift.reserve          5s  between two looks for a free Agent
//	hypershift.join             3m  from an Agent's reboot until its Node exists
//	hypershift.node-ready       1m  until that Node is Ready
//	hypershift.drain           20s  draining a Node
//	hypershift.drain-timeout    nodeDrainTimeout, where the hosted API does not answer
//	hypershift.unbind           5s  between two looks at an Agent that is unbound
//	hypershift.operators        2m  from the first ready Node until the hosted ClusterOperators are Available
//	hypershift.hosted          10s  between two looks at the hosted cluster
//	hypershift.teardown        30s  until a control plane is gone
//
// Failures: invalid-release, registry-auth, invalid-configuration, etcd-volume-pending, image-pull-mirror, never-available,
// no-suitable-agent, clusteroperator-degraded, as package sim lists them. Pods of a control plane, and the events of
// scheduler and kubelet about them, are there where they do not run.
package hypershift

const (
	operatorNamespace = "hypershift"
	operatorName      = "operator"
	telemetryFlag     = "--enable-uwm-telemetry-remote-write"

	clusterFinalizer      = "hypershift.openshift.io/finalizer"
	nodePoolFinalizer     = "hypershift.openshift.io/finalizer"
	controlPlaneFinalizer = "hypershift.openshift.io/control-plane-operator-finalizer"
	machineFinalizer      = "machine.cluster.x-k8s.io"
	agentMachineFinalizer = "agentmachine.agent-install.openshift.io/deprovision"
	clusterCRFinalizer    = "cluster.cluster.x-k8s.io"

	keepNamespace     = "hypershift.openshift.io/skip-delete-hosted-controlplane-namespace"
	nodePoolNote      = "hypershift.openshift.io/nodePool"
	deleteMachineNote = "cluster.x-k8s.io/delete-machine"
	catalogOverrides  = "hypershift.openshift.io/olm-catalogs-is-registry-overrides"
	skipRelease       = "hypershift.openshift.io/skip-release-image-validation"

	agentMachineRef          = "agentMachineRef"
	agentMachineRefNamespace = "agentMachineRefNamespace"
	capiRole                 = "capi-provider-role"

	fieldOwner = "hypershift-operator-manager"

	capiAPI  = "cluster.x-k8s.io/v1beta1"
	agentAPI = "capi-provider.agent-install.openshift.io/v1beta1"
	hiveAPI  = "hive.openshift.io/v1"
	hyperAPI = "hypershift.openshift.io/v1beta1"
)
