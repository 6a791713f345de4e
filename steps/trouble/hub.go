package trouble

// The troubles of the management cluster.
const (
	NoOpenShift         ID = "no-openshift"
	OperatorMissing     ID = "operator-missing"
	CatalogUnreachable  ID = "catalog-unreachable"
	OperatorUnresolved  ID = "operator-unresolved"
	OperatorGroups      ID = "operator-groups"
	OperatorFailed      ID = "operator-failed"
	ApprovalPending     ID = "approval-pending"
	MCEError            ID = "mce-error"
	TelemetryFlag       ID = "telemetry-flag"
	ReleaseUnsupported  ID = "release-unsupported"
	AgentServiceRefused ID = "agent-service-refused"
	AgentServiceDown    ID = "agent-service-down"
)

const (
	olm      = "Operator Lifecycle Manager"
	mce      = "multicluster engine"
	assisted = "assisted-service"
)

func hub() []Trouble {
	return []Trouble{
		{NoOpenShift, "ClusterVersion", "ClusterVersion version is missing or has no completed version",
			"The kubeconfig leads to a cluster that is not OpenShift, or whose installation has not finished.",
			[]string{"see where it leads: `oc whoami --show-server`, `oc get clusterversion`", "point lab.management_cluster.kubeconfig (or --kubeconfig) at the cluster that is to host the control plane"},
			AtOnce, "OpenShift"},
		{OperatorMissing, "CustomResourceDefinition", "the definition is absent",
			"The management cluster was installed without an operator that the workflow begins with: the baremetal operator or the Operator Lifecycle Manager.",
			[]string{"enable the capability: `oc edit clusterversion version`, spec.capabilities.additionalEnabledCapabilities, `baremetal` or `OperatorLifecycleManager`", "use another management cluster"},
			AtOnce, "OpenShift"},
		{CatalogUnreachable, "Subscription", "CatalogSourcesUnhealthy True, or ResolutionFailed True with `failed to list bundles`",
			"The catalog from which multicluster engine is to be installed does not exist, or it does not answer: its pod does not run, most often because its image is not in the mirror or the registry refuses the login.",
			[]string{"look at the catalogs: `oc get catalogsource -A`, `oc get pods -n openshift-marketplace`", "mirror the catalog's image, and apply the CatalogSource that oc-mirror wrote", "disable the default catalogs of a disconnected cluster, one that is unhealthy stops all: `oc patch operatorhub cluster --type merge -p '{\"spec\":{\"disableAllDefaultSources\":true}}'`"},
			AfterGrace, olm},
		{OperatorUnresolved, "Subscription", "ResolutionFailed, BundleUnpackFailed or InstallPlanFailed True",
			"The catalog answers, but the operator cannot be installed from it: it has no such package or channel, or its bundle cannot be unpacked.",
			[]string{"see which channels and catalogs there are: `oc get packagemanifest multicluster-engine -o yaml`", "correct lab.mce.catalog and lab.mce.channel"},
			AfterGrace, olm},
		{OperatorGroups, "OperatorGroup", "more than one in the namespace",
			"OLM installs no operator into a namespace with several OperatorGroups, and says so on the InstallPlan alone.",
			[]string{"delete all but one: `oc get operatorgroup -n NAMESPACE`"}, AtOnce, olm},
		{OperatorFailed, "ClusterServiceVersion", "phase Failed",
			"The operator was installed, but its own Deployments did not start.",
			[]string{"see why: `oc get pods -n NAMESPACE`, `oc describe csv -n NAMESPACE NAME`", "an image that cannot be pulled: mirror it, or correct the pull secret of the management cluster"},
			AfterGrace, olm},
		{ApprovalPending, "Subscription", "InstallPlanPending True (RequiresApproval)",
			"Somebody set the Subscription to manual approval, so that nothing is installed before a person agrees.",
			[]string{"approve the plan: `oc get installplan -n NAMESPACE`, then `oc patch installplan -n NAMESPACE NAME --type merge -p '{\"spec\":{\"approved\":true}}'`"},
			AtTimeout, olm},
		{MCEError, "MultiClusterEngine", "status.phase Error",
			"Multicluster engine cannot bring up one of its components.",
			[]string{"see which one: `oc get multiclusterengine NAME -o yaml`, status.components", "look at its pods: `oc get pods -n multicluster-engine`"},
			AfterGrace, mce},
		{TelemetryFlag, "Deployment", "hypershift/operator runs with --enable-uwm-telemetry-remote-write, and Secret openshift-monitoring/telemeter-client is missing",
			"That Secret does not exist in a disconnected cluster, or where the cluster's pull secret has no cloud.openshift.com, and the HyperShift operator then ignores every HostedCluster without a word.",
			[]string{"let step hypershift/install-flags run: it takes the flag out by ConfigMap local-cluster/hypershift-operator-install-flags", "then wait for the restart: `oc rollout status -n hypershift deployment/operator`"},
			AtTimeout, hyperShift},
		{ReleaseUnsupported, "ConfigMap", "hypershift/supported-versions does not list the release's minor version",
			"The HyperShift operator that multicluster engine brought is too old, or too new, for the lab's release.",
			[]string{"choose a release among those that it lists: `oc get configmap -n hypershift supported-versions -o yaml`", "choose a later lab.mce.channel"},
			AtOnce, hyperShift},
		{AgentServiceRefused, "AgentServiceConfig", "ReconcileCompleted False",
			"The infrastructure operator cannot work with the configuration of assisted-service: a size is too small, or a ConfigMap of mirrors is missing, lacks its label or does not parse.",
			[]string{"mend what the message names, in the lab file or in the ConfigMap", "see the whole: `oc get agentserviceconfig agent -o yaml`"},
			AfterGrace, assisted},
		{AgentServiceDown, "AgentServiceConfig", "DeploymentsHealthy False",
			"The pods of assisted-service do not run: most often a claim waits for storage, or an image cannot be pulled.",
			[]string{"look at pods and claims: `oc get pods,pvc -n multicluster-engine`", "name a storage class that exists in lab.agent_service.storage_class: `oc get storageclass`"},
			AtTimeout, assisted},
	}
}
