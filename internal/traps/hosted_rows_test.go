package traps

// hosted are the steps up to the HostedCluster, but for those left out.
func hosted(left ...string) []string {
	return butFor([]string{"namespaces", "pull_secret", "ssh_key", "etcd_key", "trust_bundle", "capi_role", "hosted_cluster"}, left)
}

// quick makes the HostedCluster's grace time a second.
const quick = "  hosted_cluster: {with: {grace: 1s}, timeout: 2m}\n"

// hopeless is for what HyperShift never says to be final.
const hopeless = "  hosted_cluster: {timeout: '{wait}'}\n"

// patched adds a patch of the HostedCluster.
func patched(spec string) string {
	return "  hosted_cluster: {with: {grace: 1s, patch: {spec: " + spec + "}}, timeout: 2m}\n"
}

// services publishes the four services, with one of them otherwise.
func services(api, ignition string) string {
	node := "{type: NodePort, nodePort: {address: api.traps.lab}}"
	if api == "" {
		api = node
	}
	if ignition == "" {
		ignition = node
	}
	return "{services: [{service: APIServer, servicePublishingStrategy: " + api + "}, {service: OAuthServer, servicePublishingStrategy: " + node +
		"}, {service: Konnectivity, servicePublishingStrategy: " + node + "}, {service: Ignition, servicePublishingStrategy: " + ignition + "}]}"
}

const theCluster = "HostedCluster {own}/{hosted}"

func hostedRows() []row {
	return []row{
		{
			trap: "pull secret missing", named: "workflow D5; design, the simulated lab", taken: "step pull_secret is left out",
			steps: hosted("pull_secret"), override: quick, fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidReleaseImage False (SecretNotFound)", `secrets "{hosted}-pull-secret" not found`, "check lab.release.image"},
		},
		{
			trap: "pull secret of another type", named: "workflow D5; design, the simulated lab", taken: "its type is Opaque",
			steps: hosted(), override: quick + "  pull_secret: {with: {patch: {type: Opaque}}}", fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidReleaseImage False (SecretNotFound)", "is of type Opaque, not kubernetes.io/dockerconfigjson"},
		},
		{
			trap: "pull secret under another key", named: "workflow D5; design, the simulated lab", taken: "its key is config.json instead of .dockerconfigjson",
			steps: hosted(), override: quick + `  pull_secret: {with: {patch: {type: Opaque, data: {.dockerconfigjson: null, config.json: e30=}}}}`, fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidReleaseImage False (SecretNotFound)", "expected .dockerconfigjson key in secret"},
		},
		{
			trap: "pull secret without the mirror", named: "workflow B, D5", taken: "the pull secret knows another registry only",
			set: []string{"lab.pull_secret.file={dir}/other.json"}, before: writes("other.json", `{"auths":{"quay.io":{"auth":"YTpi"}}}`),
			exit:  2,
			holds: []string{"lab.yaml:", "has nothing for the lab's registry registry.traps.lab", "only for quay.io", "podman login --authfile"},
		},
		{
			trap: "pull secret with an old login", named: "workflow B, D5", taken: "the registry refuses the login in the pull secret",
			steps: hosted(), override: quick, set: []string{"lab.pull_secret.file={dir}/other.json"}, before: oldLogin("other.json"),
			fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidReleaseImage False (InvalidImage)", "unauthorized: authentication required", "renew the login in the pull secret"},
		},
		{
			trap: "release not mirrored", named: "workflow B; D5 (InvalidImage)", taken: "the release's digest is not in the registry",
			steps: hosted(), override: quick, fails: "hosted_cluster", exit: 1,
			set:   []string{"lab.release.image=quay.io/openshift-release-dev/ocp-release@sha256:1111111111111111111111111111111111111111111111111111111111111111"},
			holds: []string{theCluster, "ValidReleaseImage False (InvalidImage)", "manifest unknown", "that the mirror holds it"},
		},
		{
			trap: "SSH key under another key", named: "workflow D5; design, the simulated lab", taken: "the Secret has id_ed25519.pub instead of id_rsa.pub",
			steps: hosted(), override: hopeless + `  ssh_key: {with: {patch: {data: {id_rsa.pub: null, id_ed25519.pub: c3NoLWVkMjU1MTk=}}}}`, fails: "hosted_cluster", exit: 1, late: true,
			holds: []string{theCluster, "Available is False", `hostedcluster SSHKey secret "{hosted}-ssh-key" must have a id_rsa.pub key`},
		},
		{
			trap: "etcd key not 32 bytes", named: "workflow D5; design, the simulated lab", taken: "somebody's Secret has 16 bytes",
			steps: hosted("hosted_cluster"), fails: "etcd_key", exit: 1,
			before: makes("{apiVersion: v1, kind: Secret, metadata: {namespace: '{own}', name: '{hosted}-etcd-encryption-key'}, data: {key: MDEyMzQ1Njc4OWFiY2RlZg==}}"),
			holds:  []string{"Secret {own}/{hosted}-etcd-encryption-key", "does not hold 32 bytes under the key `key`", "delete it where no hosted cluster uses it"},
		},
		{
			trap: "etcd key missing", named: "workflow D5; design, the simulated lab", taken: "step etcd_key is left out",
			steps: hosted("etcd_key"), override: hopeless, fails: "hosted_cluster", exit: 1, late: true,
			holds: []string{theCluster, "failed to get active aescbc secret {hosted}-etcd-encryption-key", "Available is False"},
		},
		{
			trap: "Role capi-provider-role missing", named: "workflow D5; design, the simulated lab", taken: "step capi_role is left out",
			steps: hosted("capi_role"), override: hopeless, fails: "hosted_cluster", exit: 1, late: true,
			holds: []string{theCluster, `roles.rbac.authorization.k8s.io "capi-provider-role" not found`},
		},
		{
			trap: "trust bundle missing", named: "workflow D5 (disconnected); design, the simulated lab", taken: "step trust_bundle is left out",
			steps: hosted("trust_bundle"), override: quick, fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidConfiguration False (InvalidConfiguration)", `configmaps "{hosted}-user-ca-bundle" not found`, "mend what the message names"},
		},
		{
			trap: "trust bundle under another key", named: "workflow D5 (disconnected)", taken: "the ConfigMap has ca.crt instead of ca-bundle.crt",
			steps: hosted(), override: quick + "  trust_bundle: {with: {patch: {data: {ca-bundle.crt: null, ca.crt: x}}}}", fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidConfiguration False (InvalidConfiguration)", "must have a ca-bundle.crt key"},
		},
		{
			trap: "network holds fd00::1", named: "workflow D5 (no CIDR holds 172.20.0.1 or fd00::1)", taken: "the cluster network is patched to fd00::/48",
			steps: hosted(), override: patched("{networking: {clusterNetwork: [{cidr: 'fd00::/48', hostPrefix: 64}]}}"), fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidConfiguration False (InvalidConfiguration)", "overlaps with the defined AdvertiseAddress fd00::1"},
		},
		{
			trap: "network holds fd00::1, in the file", named: "workflow D5 (no CIDR holds 172.20.0.1 or fd00::1)", taken: "lab.networks.cluster is fd00::/48",
			steps: hosted(), set: []string{"lab.networks.cluster=[\"fd00::/48\"]"}, exit: 2,
			holds: []string{"fd00::/48 holds fd00::1", "choose another network"},
		},
		{
			trap: "families mixed", named: "workflow D5 (the first entries of all lists share one family)", taken: "the machine network is patched to IPv4",
			steps: hosted(), override: patched("{networking: {machineNetwork: [{cidr: 192.0.2.0/24}]}}"), fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ValidConfiguration False (InvalidConfiguration)", "declare multiple network stacks as primary network"},
		},
		{
			trap: "node port address in brackets", named: "workflow D5 (a bare address without brackets)", taken: "nodePort.address is [2620:52:0:1305::1]",
			steps: hosted(), override: patched(services("{type: NodePort, nodePort: {address: '[2620:52:0:1305::1]'}}", "")), fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "nodePort.address", "address must be a valid hostname, IPv4, or IPv6 address", "mend the named fields"},
		},
		{
			trap: "Ignition by LoadBalancer", named: "workflow D5 (Ignition: NodePort or Route only)", taken: "the service is patched to LoadBalancer",
			steps: hosted(), override: patched(services("", "{type: LoadBalancer}")), fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "ignition", "LoadBalancer"},
		},
		{
			trap: "no storage for etcd", named: "workflow D5 (a default or a named storage class)", taken: "the named storage class does not exist",
			steps: hosted(), override: hopeless, set: []string{"lab.hosted_cluster.storage_class=fast"}, fails: "hosted_cluster", exit: 1, late: true,
			holds: []string{theCluster, "EtcdAvailable is False", "Etcd volume claim data-etcd-0 pending", `storageclass.storage.k8s.io "fast" not found`},
		},
		{
			trap: "NodePool without a HostedCluster", named: "workflow D5 (HyperShift says nothing)", taken: "only step node_pool runs",
			steps: []string{"namespaces", "node_pool"}, override: "  node_pool: {timeout: '{wait}'}", fails: "node_pool", exit: 1, late: true,
			holds: []string{"NodePool {own}/{hosted}", "HyperShift has not taken it up: no condition is set", "oc logs -n hypershift deployment/operator"},
		},
		{
			trap: "services changed later", named: "workflow D5 (immutable: services)", taken: "the API server is published otherwise in the second run",
			steps: hosted("pull_secret"), override: quick, again: []string{"lab.hosted_cluster.services.api_server=LoadBalancer"}, fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "Services is immutable", "deleted and made again"},
		},
		{
			trap: "networks changed later", named: "workflow D5 (immutable: networking lists)", taken: "the service network is another one in the second run",
			steps: hosted("pull_secret"), override: quick, again: []string{"lab.networks.service=[\"fd05::/112\"]"}, fails: "hosted_cluster", exit: 1,
			holds: []string{theCluster, "spec.networking", "immutable", "deleted and made again"},
		},
		{
			trap: "network type changed later", named: "workflow D5 (not enforced but equally fatal)", taken: "the HostedCluster that is there has Calico",
			steps: hosted("pull_secret"), override: quick, fails: "hosted_cluster", exit: 1,
			after: changes("somebody", hostedCluster, "{spec: {networking: {networkType: Calico}}}"),
			holds: []string{theCluster, "spec.networking.networkType Calico", "the lab wants OVNKubernetes", "it cannot change while the cluster lives"},
		},
		{
			trap: "field of another owner", named: "design, a step (a conflict names the owner)", taken: "argocd has written another trust bundle",
			steps: []string{"namespaces", "trust_bundle"}, fails: "trust_bundle", exit: 1,
			after: changes("argocd", "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: '{own}', name: '{hosted}-user-ca-bundle'}}", "{data: {ca-bundle.crt: x}}"),
			holds: []string{"ConfigMap {own}/{hosted}-user-ca-bundle", "data.ca-bundle.crt is argocd's", "leave the field to its owner"},
		},
		{
			trap: "somebody else's object", named: "design, a step (same name with another UID is foreign)", taken: "a Secret of that name was made by hand",
			steps: []string{"namespaces", "ssh_key"}, fails: "ssh_key", exit: 1,
			before: makes("{apiVersion: v1, kind: Secret, metadata: {namespace: '{own}', name: '{hosted}-ssh-key'}, data: {id_rsa.pub: eA==}}"),
			holds:  []string{"Secret {own}/{hosted}-ssh-key exists and is not this lab's", "owner", "somebody", "--adopt"},
		},
	}
}

const hostedCluster = "{apiVersion: hypershift.openshift.io/v1beta1, kind: HostedCluster, metadata: {namespace: '{own}', name: '{hosted}'}}"
