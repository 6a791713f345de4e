package site

import "slices"

// Checks lists the checks in the order in which they are reported. A check comes after those it needs.
func Checks() []Check {
	return slices.Concat(nameChecks(), registryChecks(), imageChecks(), clusterChecks())
}

func nameChecks() []Check {
	return []Check{
		{
			ID: "lab-dns", Area: "dns", ask: askServer,
			Asks:   "whether the lab's name server (lab.dns.server) answers; without one, the system's resolver is asked",
			Rule:   "fails where nothing answers: that a name is not known is an answer, too",
			Why:    "Every other name is asked of it, here and by the workers. A lab whose name server is down fails at its first pull, far from the cause.",
			Remedy: "start the lab's name server, or correct lab.dns.server",
		},
		{
			ID: "name-api", Area: "dns", Needs: []string{"lab-dns"}, ask: askAPI,
			Asks:   "the name under which the hosted API server is reached, lab.hosted_cluster.node_port.address or api.<hosted cluster>.<domain>",
			Rule:   "fails where services are published by NodePort and the name has no address of a family that the lab has; warns where another way is chosen; unknown where the addresses are not the management nodes'",
			Why:    "The hosted cluster's certificates and the workers' kubeconfigs hold this name. Where it leads nowhere, the workers boot, fetch nothing, and never join.",
			Remedy: "add A or AAAA records that name the nodes of the management cluster, or a load balancer before them",
		},
		{
			ID: "name-api-int", Area: "dns", Needs: []string{"lab-dns"}, ask: askAPIInt,
			Asks:   "the name api-int.<hosted cluster>.<domain>",
			Rule:   "warns where it has no address of a family that the lab has",
			Why:    "OpenShift's own naming scheme expects it beside api; some machine configurations and operators ask for it.",
			Remedy: "add the same records as for api",
		},
		{
			ID: "name-apps", Area: "dns", Needs: []string{"lab-dns"}, ask: askApps,
			Asks:   "a name below *.apps.<hosted cluster>.<domain>: the console's",
			Rule:   "fails where it leads to an address that cannot be the router's: not lab.hosted_cluster.ingress.address, or, with HostNetwork, in none of the machine networks; warns where it has none of a family that the lab has",
			Why:    "The router runs on a worker. Unless *.apps leads there, console and ingress never become Available, which shows at the very end of the installation.",
			Remedy: "let *.apps name the worker that will run the router (or the MetalLB address); it is needed once the workers have joined",
		},
		{
			ID: "name-registry", Area: "dns", Needs: []string{"lab-dns"}, disconnected: true, ask: askRegistryName,
			Asks:   "the name of the lab's registry",
			Rule:   "fails where it has no address of a family that the lab has",
			Why:    "Every node pulls every image by this name. A registry that has only an A record is not there for an IPv6 lab.",
			Remedy: "add a record for the registry in the lab's family",
		},
	}
}

func registryChecks() []Check {
	return []Check{
		{
			ID: "registry", Area: "registry", Needs: []string{"name-registry"}, disconnected: true, ask: askRegistry,
			Asks:   "whether the lab's registry answers at /v2/ over TLS, trusted by lab.registry.ca",
			Rule:   "fails where nothing answers, where the certificate's chain, name or dates are not good, and where it is no registry",
			Why:    "The nodes trust the registry by this CA alone: with another one every pull fails with x509 errors that only the nodes' logs hold.",
			Remedy: "start the registry, or give the CA that signed its certificate as lab.registry.ca",
		},
		{
			ID: "registry-login", Area: "registry", Needs: []string{"registry"}, disconnected: true, ask: askLogin,
			Asks:   "whether the registry accepts the lab's credentials: lab.registry.credentials, else those of the pull secret",
			Rule:   "fails where there are none and the registry asks for some, and where it refuses them; they are sent once",
			Why:    "A pull secret that lacks the registry or holds an old password stops the release image, and so the HostedCluster, after all operators are installed.",
			Remedy: "podman login --authfile PULL_SECRET REGISTRY, or correct lab.registry.credentials",
		},
		{
			ID: "release-image", Area: "registry", Needs: []string{"registry-login"}, disconnected: true, ask: askRelease,
			Asks:   "whether a mirror of the release image's repository holds the release image, by its digest",
			Rule:   "fails where no mirror covers it, and where none holds the digest",
			Why:    "HyperShift reads the release image before anything else of a hosted cluster: without it ValidReleaseImage stays False.",
			Remedy: "mirror the release (oc mirror, oc adm release mirror), or correct lab.release.image and lab.registry.mirrors",
		},
		{
			ID: "control-plane-image", Area: "registry", Needs: []string{"registry-login"}, disconnected: true, ask: askControlPlane,
			Asks:   "whether the registry holds lab.release.control_plane_operator_image, by its digest",
			Rule:   "fails where it does not",
			Why:    "A disconnected HostedCluster names this image itself: its control plane operator is not found through mirrors.",
			Remedy: "mirror the release, and take the digest from oc adm release info --image-for=hypershift",
		},
	}
}

func imageChecks() []Check {
	return []Check{
		{
			ID: "live-iso", Area: "images", ask: askISO,
			Asks:   "whether lab.release.rhcos.live_iso answers a request for its first byte, states its length and serves ranges",
			Rule:   "fails where it does not answer with bytes; warns without a length or without ranges",
			Why:    "assisted-service makes the discovery image from it. A URL that answers 404 keeps AgentServiceConfig from ever becoming ready.",
			Remedy: "put the live ISO where the URL says, or correct the URL",
		},
		{
			ID: "rootfs", Area: "images", ask: askRootFS,
			Asks:   "whether lab.release.rhcos.rootfs answers likewise",
			Rule:   "warns where it does not, and without a length or without ranges: current versions of assisted-service take the rootfs from the live ISO",
			Why:    "Versions of assisted-service that read rootFSUrl serve it to every worker that boots a minimal ISO.",
			Remedy: "put the rootfs where the URL says, or correct the URL",
		},
	}
}

func clusterChecks() []Check {
	return []Check{
		{
			ID: "hub", Area: "cluster", ask: askHub,
			Asks:   "whether the kubeconfig of the management cluster is there, and its API server answers and accepts the user",
			Rule:   "is unknown where there is no kubeconfig or nothing answers, since the management cluster may be yet to be built; fails where the kubeconfig cannot be read, the server's certificate is not trusted or the user is refused",
			Why:    "Everything that labrun makes is made there.",
			Remedy: "name the kubeconfig of an administrator: --kubeconfig, or lab.management_cluster.kubeconfig",
		},
		{
			ID: "hub-version", Area: "cluster", Needs: []string{"hub"}, ask: askVersion,
			Asks:   "whether the management cluster is an OpenShift that is installed",
			Rule:   "fails without a ClusterVersion, or where none of its versions is completed",
			Why:    "The operators that the workflow needs come from OpenShift's own catalogs and capabilities.",
			Remedy: "point lab.management_cluster.kubeconfig at the OpenShift cluster that hosts the control plane",
		},
		{
			ID: "hub-crds", Area: "cluster", Needs: []string{"hub"}, ask: askCRDs,
			Asks:   "whether the definitions (CRDs) are there that the workflow begins with: those of the baremetal operator and of the Operator Lifecycle Manager",
			Rule:   "fails where one is missing",
			Why:    "They are capabilities of the management cluster's installation, which labrun cannot add.",
			Remedy: "enable the capability that brings them: oc get clusterversion version -o yaml",
		},
		{
			ID: "hub-rights", Area: "cluster", Needs: []string{"hub"}, ask: askRights,
			Asks:   "whether the kubeconfig's user may read and apply what a run makes, and hold the lab's Lease, by SelfSubjectAccessReviews; an administrator passes at once. Deleting, which destroy and rebuild do, is not asked",
			Rule:   "fails where a right is missing",
			Why:    "A right that is missing stops a run where it is first needed, which may be an hour in.",
			Remedy: "name the kubeconfig of an administrator, or give its user these rights",
		},
		{
			ID: "storage-class", Area: "cluster", Needs: []string{"hub"}, ask: askStorageClass,
			Asks:   "whether the storage classes that the lab names are there, or a default one where it names none",
			Rule:   "fails where one is not; warns where more than one is the default",
			Why:    "etcd of the hosted cluster and assisted-service claim volumes: without a class the claims stay Pending, and the hosted cluster never becomes Available.",
			Remedy: "install a storage operator (LVMS) on the management cluster and mark a class as default, or name one",
		},
		{
			ID: "watch-all-namespaces", Area: "cluster", Needs: []string{"hub-crds"}, ask: askWatchAll,
			Asks:   "whether Metal3 sees hosts of all namespaces: Provisioning.spec.watchAllNamespaces",
			Rule:   "passes where it is true, and where there is no Provisioning yet, since a run makes it; warns where it is not true, since a run will set it, which restarts Metal3 for everybody who uses this cluster",
			Why:    "Without it hosts outside openshift-machine-api stay without any status for ever.",
			Remedy: "nothing has to be done: the run sets it; set it yourself at a time when no other host is being provisioned",
		},
	}
}
