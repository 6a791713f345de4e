package sim

// Failure is something that goes wrong when asked to.
type Failure struct{ Name, Does string }

// Failures lists what --fail takes, in the order in which a lab would meet them. Where it can be, the cause is real: the
// registry lacks the repository, the BMC drops its media, a name leads elsewhere; the players report what they then see.
func Failures() []Failure {
	return []Failure{
		{"no-virtual-cd", "the last worker's BMC has a virtual floppy drive and none for CDs: the pre-flight fails"},
		{"catalog-unreachable", "no catalog answers: the Subscription has CatalogSourcesUnhealthy and ResolutionFailed"},
		{"mce-component-refused", "multicluster engine's webhook does not know component hypershift"},
		{"invalid-configuration", "the trust bundle's ConfigMap loses its key: HostedCluster ValidConfiguration False"},
		{"invalid-release", "the release image cannot be read: HostedCluster ValidReleaseImage False/InvalidImage"},
		{"registry-auth", "the registry refuses the pull secret from the first HostedCluster on: ValidReleaseImage False, unauthorized"},
		{"image-pull-mirror", "the mirror lacks the release's components: the control plane's pods are in ImagePullBackOff"},
		{"etcd-volume-pending", "there is no room for etcd's volume: its claim stays Pending, EtcdAvailable False"},
		{"never-available", "the hosted API server's Deployment never becomes available"},
		{"infraenv-image", "the pull secret has no login for the agent's image: InfraEnv ImageCreated False/ImageCreationError"},
		{"bmh-registration", "the BMC breaks after the last pre-flight: its password is changed when Metal3 registers the first host"},
		{"bmh-power", "the first host's BMC changes no power: power management error"},
		{"bmh-media-lost", "the first worker's BMC drops the image from its virtual drive: no Agent appears"},
		{"agent-lost", "the first worker's agent registers and is not heard of again: Connected False/AgentIsDisconnected"},
		{"agent-validation", "the workers' clocks are never synchronized: assisted-service's validation fails for ever"},
		{"root-device-hints", "the first worker's disks have other names than its hints: SpecSynced False/InputError"},
		{"no-suitable-agent", "a machine that is gone still holds the Agents: AgentMachine AgentReserved False/NoSuitableAgents"},
		{"install-pending-user-action", "written hosts boot the discovery image again: Agents in installing-pending-user-action"},
		{"router-unreachable", "*.apps leads to the management cluster: hosted console and ingress never become Available"},
		{"clusteroperator-degraded", "hosted ClusterOperator monitoring is Degraded: the version stays Partial"},
	}
}
