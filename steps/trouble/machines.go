package trouble

// The troubles of discovery images and of Metal3.
const (
	PreflightFailed  ID = "preflight-failed"
	InfraEnvPending  ID = "infraenv-pull-secret"
	InfraEnvImage    ID = "infraenv-image"
	URLSilent        ID = "url-silent"
	HostUnseen       ID = "bmh-unseen"
	HostWithoutImage ID = "bmh-without-image"
	HostReplaced     ID = "bmh-replaced"
	HostRegistration ID = "bmh-registration"
	HostPower        ID = "bmh-power"
	HostProvisioning ID = "bmh-provisioning"
	HostError        ID = "bmh-error"
)

const metal3 = "Metal3"

func machines() []Trouble {
	return []Trouble{
		{PreflightFailed, "", "a check of a worker's BMC fails",
			"Too few workers can be used: their BMCs cannot do what the lab needs of them, or are not reached.",
			[]string{"do what stands beside each check; `labrun preflight --explain ID` tells more of it", "ask one worker again: `labrun preflight LAB --host WORKER`"},
			AtOnce, "Redfish"},
		{InfraEnvPending, "Secret", "pull-secret is absent in the control plane's namespace",
			"HyperShift copies the pull secret there once it makes the control plane; as long as it has not, no discovery image can be made.",
			[]string{"see how far the HostedCluster is: `oc get hostedcluster -A`", "read HyperShift's log: `oc logs -n hypershift deployment/operator`"},
			AtTimeout, hyperShift},
		{InfraEnvImage, "InfraEnv", "ImageCreated False (ImageCreationError)",
			"assisted-service cannot make the discovery image: the pull secret lacks a registry, the version is not among the osImages, or a static network does not parse.",
			[]string{"\"pull secret must contain auth for …\": add that registry to the pull secret, or name it in lab.agent_service.public_registries", "\"OSImageVersion is missing\": correct lab.release.version, or the AgentServiceConfig's osImages", "a network's message: correct the worker's network in the lab file"},
			AfterGrace, assisted},
		{URLSilent, "", "a URL does not answer with bytes",
			"An image that machines are to fetch is not served: the web server is down, the path is wrong, or it is not reached from here.",
			[]string{"try it yourself: `curl -v -r 0-0 URL`", "correct the URL in the lab file, or start the web server"},
			AtTimeout, "HTTP"},
		{HostUnseen, "BareMetalHost", "no status at all",
			"Metal3 does not look at this host: by itself it sees hosts in openshift-machine-api alone.",
			[]string{"let it see all namespaces: `oc patch provisioning provisioning-configuration --type merge -p '{\"spec\":{\"watchAllNamespaces\":true}}'`", "see whether it runs: `oc get pods -n openshift-machine-api`"},
			AtTimeout, metal3},
		{HostWithoutImage, "BareMetalHost", "state available, no image",
			"Metal3 is ready and has nothing to boot: assisted-service gives a host the discovery image by its label and the InfraEnv, and says nothing where it does not.",
			[]string{"see whether the InfraEnv has its image: `oc get infraenv -n NAMESPACE -o yaml`", "the host needs the label infraenvs.agent-install.openshift.io: `oc get baremetalhost -n NAMESPACE NAME --show-labels`"},
			AtTimeout, assisted},
		{HostReplaced, "BareMetalHost", "bootMACAddress or bmc.address other than the lab file's worker has",
			"The lab file names another server under a name that a BareMetalHost has already: Metal3 refuses to make one server of another.",
			[]string{"put the new server into its place: `labrun rebuild LAB --worker WORKER`", "where the file is wrong: correct boot_mac or bmc.address of the worker"},
			AtOnce, "labrun"},
		{HostRegistration, "BareMetalHost", "errorType registration error",
			"Metal3 cannot talk to the server's BMC: a wrong password, address or system id, a certificate that it does not trust, or nobody answers.",
			[]string{"ask the BMC as Metal3 does: `labrun preflight LAB --host WORKER`", "correct the worker's bmc.address or bmc.credentials in the lab file, then run again", "a certificate: set bmc.disable_certificate_verification, or give the BMC one that is trusted"},
			AfterAttempts, metal3},
		{HostPower, "BareMetalHost", "errorType power management error",
			"The BMC answers, but does not turn the server on or off.",
			[]string{"try it yourself in the BMC's web page, and look at its event log and the server's health", "reset the BMC, then run again", "ask it: `labrun preflight LAB --host WORKER`"},
			AfterAttempts, metal3},
		{HostProvisioning, "BareMetalHost", "errorType provisioning error",
			"Metal3 cannot boot the server from the discovery image: the BMC has no virtual CD, refuses the image, or the image cannot be fetched.",
			[]string{"see which check fails: `labrun preflight LAB --host WORKER`", "free the virtual media in the BMC's web page; some need a licence for it", "an image that answers 404: look at the InfraEnv and assisted-image-service"},
			AfterAttempts, metal3},
		{HostError, "BareMetalHost", "another errorType: inspection, preparation, detach or servicing error",
			"Metal3 failed at something else with this server.",
			[]string{"read the whole: `oc get baremetalhost -n NAMESPACE NAME -o yaml`", "read Metal3's log: `oc logs -n openshift-machine-api deployment/metal3-baremetal-operator`"},
			AfterAttempts, metal3},
	}
}
