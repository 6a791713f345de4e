package traps

// What the hub's traps change by hand.
const (
	subscription  = "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {namespace: multicluster-engine, name: multicluster-engine}}"
	csv           = "{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {namespace: multicluster-engine, name: multicluster-engine.v2.10.1}}"
	agentService  = "{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent}}"
	registries    = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: multicluster-engine, name: custom-registries}}"
	supported     = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: hypershift, name: supported-versions}}"
	servicesClaim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: multicluster-engine, name: assisted-service}}"
)

// group is an OperatorGroup that somebody made.
func group(name string) string {
	return "{apiVersion: operators.coreos.com/v1, kind: OperatorGroup, metadata: {namespace: multicluster-engine, name: " + name + "}, spec: {targetNamespaces: [multicluster-engine]}}"
}

// beforeOperators are the traps of a hub that has nothing yet.
func beforeOperators() []row {
	const quick = "  mce_operator: {with: {grace: 1s}, timeout: 2m}\n"
	return []row{
		{
			trap: "management cluster does not answer", named: "design, a step (waits say what was last seen)", taken: "the kubeconfig names a port where nobody listens",
			steps: []string{"hub_info"}, override: "  hub_info: {timeout: '{wait}'}", before: otherKubeconfig("https://[::1]:9"), fails: "hub_info", exit: 1, late: true,
			holds: []string{"ClusterVersion", "the API server does not answer as it should", "connection refused", "https://[::1]:9"},
		},
		{
			trap: "no OpenShift", named: "workflow C (the management cluster)", taken: "the kubeconfig is a plain Kubernetes cluster's",
			steps: []string{"hub_info"}, before: plainKubernetes, fails: "hub_info", exit: 1,
			holds: []string{"ClusterVersion version is missing or has no version", "point lab.management_cluster.kubeconfig at the OpenShift cluster"},
		},
		{
			trap: "live ISO not served", named: "workflow C4 (each osImages[].url answers)", taken: "nobody listens at lab.release.rhcos.live_iso",
			steps: []string{"os_images"}, override: "  os_images: {timeout: '{wait}'}", set: []string{"lab.release.rhcos.live_iso=http://[::1]:9/live.iso"}, fails: "os_images", exit: 1, late: true,
			holds: []string{"http://[::1]:9/live.iso does not answer with bytes", "connection refused", "curl -v -r 0-0 http://[::1]:9/live.iso"},
		},
		{
			trap: "CatalogSource missing", named: "workflow C4 (the mirrored CatalogSource)", taken: "lab.mce.catalog names none that exists",
			steps: []string{"mce_operator"}, override: quick, set: []string{"lab.mce.catalog=nowhere"}, fails: "mce_operator", exit: 1,
			holds: []string{"Subscription multicluster-engine/multicluster-engine", "CatalogSourcesUnhealthy True (UnhealthyCatalogSourceFound)", "targeted catalogsource openshift-marketplace/nowhere missing", "check lab.mce.catalog and lab.mce.channel"},
		},
		{
			trap: "channel unknown", named: "workflow C4 (channel stable-2.x)", taken: "lab.mce.channel is stable-9.9",
			steps: []string{"mce_operator"}, override: quick, before: removes(subscription), set: []string{"lab.mce.channel=stable-9.9"}, fails: "mce_operator", exit: 1,
			holds: []string{"Subscription multicluster-engine/multicluster-engine", "ResolutionFailed True (ConstraintsNotSatisfiable)", "no operators found in channel stable-9.9", "oc get packagemanifest multicluster-engine"},
		},
		{
			trap: "two OperatorGroups", named: "workflow C4 (OperatorGroup)", taken: "somebody's second OperatorGroup is in the namespace",
			steps: []string{"mce_operator"}, override: "  mce_operator: {with: {grace: 1s}, timeout: 15s}\n", before: all(removes(subscription), makes(group("second"))), fails: "mce_operator", exit: 1,
			holds: []string{"OperatorGroup multicluster-engine/", "OLM installs no operator there", "multicluster-engine, second", "delete all but one: oc get operatorgroup -n multicluster-engine"},
		},
	}
}

// beforeEngine are the traps of a hub that has MCE's operator, and no MultiClusterEngine.
func beforeEngine() []row {
	return []row{
		{
			trap: "component unknown", named: "workflow C4 (unknown names are refused by a webhook); design, the simulated lab", taken: "the MultiClusterEngine is patched to name hypershft",
			before: appears("{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: multiclusterengines.multicluster.openshift.io}}"),
			steps:  []string{"mce"}, override: "  mce: {timeout: 2m, with: {grace: 1s, patch: {spec: {overrides: {components: [{name: hypershft, enabled: true}]}}}}}", fails: "mce", exit: 1,
			holds: []string{"MultiClusterEngine multiclusterengine", "hypershft is not a known component", "a webhook of the cluster refuses it"},
		},
	}
}

// beforeFlags are the traps of a hub that has MCE, and no HyperShift operator that works.
func beforeFlags() []row {
	return []row{
		{
			trap: "install flags missing", named: "workflow C4 (disconnected: HostedClusters silently do nothing)", taken: "step install_flags is left out",
			steps: []string{"hypershift_operator"}, before: all(appears(supported), established("hostedclusters"), established("nodepools")), override: "  hypershift_operator: {timeout: '{wait}'}", fails: "hypershift_operator", exit: 1, late: true,
			holds: []string{"Deployment hypershift/operator", "--enable-uwm-telemetry-remote-write makes it ignore HostedClusters", "Secret openshift-monitoring/telemeter-client is missing", "installFlagsToRemove"},
		},
		{
			trap: "install flags missing, unnoticed", named: "workflow C4 (disconnected: HostedClusters silently do nothing)", taken: "steps install_flags and hypershift_operator are left out",
			steps: hosted(), override: "  hosted_cluster: {timeout: '{wait}'}", fails: "hosted_cluster", exit: 1, late: true,
			holds: []string{theCluster, "HyperShift has not taken it up: no condition is set", "oc logs -n hypershift deployment/operator"},
		},
		{
			trap: "hosts of other namespaces unseen", named: "workflow C4 (watchAllNamespaces); design, the simulated lab", taken: "the Provisioning that is there has it not; step provisioning is left out",
			steps: aHost(), override: "  host: {timeout: '{wait}'}", fails: "host[{worker0}]", exit: 1, late: true,
			before: makes("{apiVersion: metal3.io/v1alpha1, kind: Provisioning, metadata: {name: provisioning-configuration}, spec: {provisioningNetwork: Disabled}}"),
			holds:  []string{theHost, "no status: Metal3 has not taken it up", "Provisioning.spec.watchAllNamespaces must be true"},
		},
	}
}

const theService = "AgentServiceConfig agent"

// withService are the traps of assisted-service, of which each lab finds nothing there.
func withService() []row {
	const quick = "  agent_service: {with: {grace: 1s}, timeout: 2m}\n"
	full := []string{"registries", "assisted_config", "agent_service"}
	clean := removes(agentService, registries)
	return []row{
		{
			trap: "release not supported", named: "workflow C4 (ConfigMap hypershift/supported-versions)", taken: "lab.release.version is 4.99.0",
			steps: []string{"hypershift_operator"}, set: []string{"lab.release.version=4.99.0"}, fails: "hypershift_operator", exit: 1,
			holds: []string{"ConfigMap hypershift/supported-versions does not list 4.99", "supported: 4.20", "choose lab.release.image"},
		},
		{
			trap: "image storage too small, in the file", named: "workflow C4 (imageStorage of at least 10Gi)", taken: "lab.agent_service.image_storage is 5Gi",
			steps: full, set: []string{"lab.agent_service.image_storage=5Gi"}, exit: 2,
			holds: []string{"5Gi is too small", "10Gi"},
		},
		{
			trap: "image storage too small", named: "workflow C4 (imageStorage of at least 10Gi)", taken: "imageStorage is patched to 5Gi",
			steps: full, override: "  agent_service: {with: {grace: 1s, patch: {spec: {imageStorage: {resources: {requests: {storage: 5Gi}}}}}}, timeout: 2m}\n", fails: "agent_service", exit: 1,
			holds: []string{theService, "ReconcileCompleted False (StorageFailure)", "Image storage 5Gi is too small, it must be at least 10Gi"},
		},
		{
			trap: "mirrors' ConfigMap missing", named: "workflow C3 (ConfigMap custom-registries)", taken: "step registries is left out",
			steps: []string{"assisted_config", "agent_service"}, override: quick, before: clean, fails: "agent_service", exit: 1,
			holds: []string{theService, "ReconcileCompleted False (ConfigFailure)", `configmaps "custom-registries" not found`},
		},
		{
			trap: "mirrors' ConfigMap without its label", named: "workflow C3 (label app: assisted-service); design, the simulated lab", taken: "the label is patched away",
			steps: full, override: quick + "  registries: {with: {patch: {metadata: {labels: {app: null}}}}}", before: clean, fails: "agent_service", exit: 1,
			holds: []string{theService, "ReconcileCompleted False (ConfigFailure)", "custom-registries has no label app: assisted-service"},
		},
		{
			trap: "bare host in registries.conf", named: "workflow C3 (a bare host is refused); design, the simulated lab", taken: "a location is patched to registry.traps.lab:5000",
			steps: full, override: quick + `  registries: {with: {patch: {data: {registries.conf: "[[registry]]\nlocation = \"quay.io/a\"\n[[registry.mirror]]\nlocation = \"registry.traps.lab:5000\"\n"}}}}`, before: clean, fails: "agent_service", exit: 1,
			holds: []string{theService, "ReconcileCompleted False (ConfigFailure)", `invalid location "registry.traps.lab:5000"`},
		},
		{
			trap: "bare host in the lab file", named: "workflow C3 (a bare host is refused)", taken: "lab.registry.mirrors names a host without a repository",
			steps: full, set: []string{`lab.registry.mirrors[0].mirrors=["registry.traps.lab:5000"]`}, exit: 2,
			holds: []string{`"registry.traps.lab:5000" is a bare host: assisted-service refuses it`, "name a repository"},
		},
		{
			trap: "registries.conf does not parse", named: "workflow C3 (TOML v2); design, the simulated lab", taken: "somebody breaks it once step registries has ended",
			steps: full, override: quick, before: clean, fails: "agent_service", exit: 1,
			on:    map[string]func(*try){"registries": changes("somebody", registries, `{data: {registries.conf: "[[registry]\n"}}`)},
			holds: []string{theService, "ReconcileCompleted False (ConfigFailure)", "incorrectly formatted toml"},
		},
		{
			trap: "somebody's registries.conf does not parse", named: "workflow C3 (TOML v2)", taken: "the ConfigMap that is there holds half a table",
			steps: full, override: quick, fails: "registries", exit: 1,
			before: all(clean, makes(`{apiVersion: v1, kind: ConfigMap, metadata: {namespace: multicluster-engine, name: custom-registries}, data: {registries.conf: "[[registry]"}}`)),
			holds:  []string{"ConfigMap multicluster-engine/custom-registries", "registries.conf", "does not parse as TOML"},
		},
	}
}

// withoutMirrors is the trap of a service that knows no mirrors, so that registry.redhat.io needs credentials.
func withoutMirrors() row {
	return row{
		trap: "pull secret lacks a registry", named: "workflow D6 (pull secret must contain auth for …)", taken: "the copy of the pull secret has no registry.redhat.io; assisted-service has no mirrors",
		steps: anImage(), on: pullSecretCopy(goodAuths), override: quickImage, fails: "infraenv", exit: 1,
		holds: []string{theImage, "ImageCreated False (ImageCreationError)", "pull secret must contain auth for \"registry.redhat.io/"},
	}
}

// withoutStorage is the trap of a storage class that does not exist.
func withoutStorage() row {
	return row{
		trap: "storage class unknown", named: "workflow C4 (claims with a storage class)", taken: "lab.agent_service.storage_class is fast",
		steps: []string{"registries", "assisted_config", "agent_service"}, override: "  agent_service: {timeout: '{wait}'}", set: []string{"lab.agent_service.storage_class=fast"}, fails: "agent_service", exit: 1, late: true,
		before: all(removes(agentService, registries, servicesClaim, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: multicluster-engine, name: postgres}}",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: multicluster-engine, name: assisted-service}}"), gone(servicesClaim)),
		holds: []string{theService, "DeploymentsHealthy is False (DeploymentFailure)", "assisted-service"},
	}
}
