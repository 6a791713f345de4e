package trouble

// The troubles of the HostedCluster and its control plane.
const (
	EtcdKeyLength        ID = "etcd-key-length"
	CAPIRoleEmpty        ID = "capi-role-empty"
	HyperShiftSilent     ID = "hypershift-silent"
	InvalidRelease       ID = "invalid-release"
	RegistryAuth         ID = "registry-auth"
	SecretUnusable       ID = "secret-unusable"
	InvalidConfiguration ID = "invalid-configuration"
	Blocked              ID = "reconcile-blocked"
	EtcdVolumePending    ID = "etcd-volume-pending"
	ImagePull            ID = "image-pull"
	PodUnschedulable     ID = "pod-unschedulable"
	PodCrashing          ID = "pod-crashing"
	NeverAvailable       ID = "never-available"
	NodePoolRefused      ID = "node-pool-refused"
)

const hyperShift = "HyperShift"

func hosted() []Trouble {
	return []Trouble{
		{EtcdKeyLength, "Secret", "the etcd encryption key has another length than 32 bytes",
			"The key that encrypts etcd's secrets must be 32 bytes long; the API server does not start with another one.",
			[]string{"where no hosted cluster uses it yet, delete it: `oc delete secret -n NAMESPACE NAME`; labrun makes a new one", "where one does, bring back the key it was made with"},
			AtOnce, hyperShift},
		{CAPIRoleEmpty, "Role", "capi-provider-role grants nothing on agents",
			"A Role of that name exists that does not let the Cluster API provider take Agents: no worker would ever join.",
			[]string{"delete it: `oc delete role -n PLANE capi-provider-role`; labrun makes a new one"}, AtOnce, hyperShift},
		{HyperShiftSilent, "HostedCluster, NodePool", "no condition is set",
			"The HyperShift operator does not look at the object: it does not run, it was started with a flag that makes it wait, or the HostedCluster that a NodePool names does not exist.",
			[]string{"see what it says: `oc logs -n hypershift deployment/operator`", "see whether it runs: `oc get pods -n hypershift`", "let step hypershift/install-flags run: `labrun explain telemetry-flag`"},
			AtTimeout, hyperShift},
		{InvalidRelease, "HostedCluster", "ValidReleaseImage False (InvalidImage, PayloadArchNotFound)",
			"HyperShift cannot read the release image: it is not where the mirrors say, its digest is another one, or it has no build for this architecture.",
			[]string{"try it yourself: `oc adm release info -a PULL_SECRET IMAGE`", "correct lab.release.image, by digest", "mirror the release into the lab's registry, under the repository that lab.registry.mirrors names", "where only the mirrors of the cluster changed, restart the operator: `oc rollout restart -n hypershift deployment/operator`"},
			AfterGrace, hyperShift},
		{RegistryAuth, "HostedCluster", "ValidReleaseImage False (InvalidImage), with `unauthorized` or `401` in the message",
			"The registry answers, and refuses the login of the pull secret: it has no entry for that registry, or a password that no longer holds.",
			[]string{"see for which registries there is a login: `jq '.auths|keys' PULL_SECRET`", "log in anew: `podman login --authfile PULL_SECRET REGISTRY`", "then run again: labrun brings the new pull secret"},
			AfterGrace, hyperShift},
		{SecretUnusable, "HostedCluster", "ValidReleaseImage False (SecretNotFound)",
			"The pull secret that the HostedCluster names is missing, or is not of type kubernetes.io/dockerconfigjson.",
			[]string{"look at it: `oc get secret -n NAMESPACE`", "let step hypershift/pull-secret run, without a patch of its type or keys"},
			AfterGrace, hyperShift},
		{InvalidConfiguration, "HostedCluster", "ValidConfiguration or SupportedHostedCluster False",
			"HyperShift refuses what the HostedCluster asks for: an object that it names is missing or lacks a key, networks overlap, or the platform is not supported.",
			[]string{"mend what the message names, in the lab file or in the step's patch, then run again"}, AfterGrace, hyperShift},
		{Blocked, "HostedCluster", "Progressing False (Blocked), or ReconciliationSucceeded False",
			"HyperShift stopped before it made the control plane: something that it needs is missing or cannot be used, and it tries again until it is mended.",
			[]string{"mend what the message names: a Secret, a ConfigMap, a Role", "see all of it: `oc get hostedcluster -n NAMESPACE NAME -o yaml`"},
			AtTimeout, hyperShift},
		{EtcdVolumePending, "PersistentVolumeClaim", "data-etcd-0 Pending; HostedCluster EtcdAvailable False",
			"etcd waits for a volume that nobody provides: no storage class is the default one, the named class does not exist, or its provisioner does not run. Without etcd there is no API server.",
			[]string{"see what the claim waits for: `oc describe pvc -n PLANE data-etcd-0`", "see which classes there are: `oc get storageclass`", "name one in lab.hosted_cluster.storage_class, or make one the default", "the claim cannot be changed: delete the HostedCluster before you run again with another class"},
			AtTimeout, hyperShift},
		{ImagePull, "Pod", "a container waits with ImagePullBackOff or ErrImagePull",
			"A node of the management cluster cannot pull an image of the control plane: the mirror lacks it, no mirror entry covers its repository, or the registry refuses the login.",
			[]string{"see the whole message: `oc describe pod -n PLANE NAME`", "see which mirrors the nodes know: `oc get imagedigestmirrorset,imagetagmirrorset,imagecontentsourcepolicy -o yaml`", "mirror the image, or add its repository to the mirrors: a registry's root is not taken for all that is below it"},
			AtTimeout, "kubelet"},
		{PodUnschedulable, "Pod", "PodScheduled False (Unschedulable)",
			"No node of the management cluster can take a pod of the control plane: too little CPU or memory, or no node fits its rules.",
			[]string{"see why: `oc describe pod -n PLANE NAME`", "give the management cluster more nodes or bigger ones, or set lab.hosted_cluster.availability to SingleReplica"},
			AtTimeout, "kube-scheduler"},
		{PodCrashing, "Pod", "a container waits with CrashLoopBackOff",
			"A part of the control plane starts and ends again.",
			[]string{"read why it ended: `oc logs -n PLANE NAME --previous --all-containers`"}, AtTimeout, "kubelet"},
		{NeverAvailable, "HostedCluster", "Available False",
			"A part of the control plane does not come up; HyperShift waits for it for ever.",
			[]string{"see which one: `oc get pods -n PLANE`", "read HyperShift's log: `oc logs -n hypershift deployment/operator`", "read the control plane operator's: `oc logs -n PLANE deployment/control-plane-operator`"},
			AtTimeout, hyperShift},
		{NodePoolRefused, "NodePool", "ValidReleaseImage, ValidArchPlatform or ValidMachineConfig False",
			"HyperShift refuses the NodePool: its release cannot be read, or has no build for the workers' architecture.",
			[]string{"mend what the message names: lab.release.image, lab.release.arch"}, AtTimeout, hyperShift},
	}
}
