// Package metal3 plays Metal3: the baremetal-operator and its Ironic. It takes BareMetalHosts through registering,
// (inspecting,) preparing, available, provisioning and provisioned as baremetal-operator v0.6.0 was seen to do,
// refuses what it refuses in its words, and drives the hosts' BMCs over Redfish in Ironic's order (package ironic).
//
// It sees hosts outside openshift-machine-api only where Provisioning/provisioning-configuration says
// watchAllNamespaces, and nothing at all where there is no Provisioning.
//
// Its webhook refuses that a host that is there becomes another one: another boot MAC, or another BMC address while it
// neither registers nor is detached.
//
// Which of the two flows a host takes is told from the host: an image (format live-iso) is fetched and booted; a
// customDeploy method boots the image that the host's PreprovisioningImage names. Every host gets a
// PreprovisioningImage with the host's labels, as on OpenShift; it is the assisted-service's to fill.
//
// Delays (--delay NAME=DURATION), with what the real one takes:
//
//	metal3.register        10s   a registration that succeeds: the operator asks Ironic every 10 s
//	metal3.register-fail    6s   until a registration that the BMC refused is reported
//	metal3.refused        162s   until "connection refused" is reported
//	metal3.name           222s   until a BMC's name that does not resolve is reported
//	metal3.tls             69s   until a TLS failure is reported
//	metal3.silent          53m   until Ironic gives up on a BMC that accepts and never answers
//	metal3.inspect          5m   inspection, where it is not disabled
//	metal3.prepare        100ms  preparing
//	metal3.provision       15s   the deployment, beside what the BMC itself takes
//	metal3.provision-fail  28s   until a failed deployment is reported
//	metal3.preprovision     5s   between two looks at a PreprovisioningImage that is not ready
//	metal3.power            2m   how long a BMC may take to change the power state
//	metal3.deprovision     10s   deprovisioning, beside what the BMC itself takes
//	metal3.backoff       1–2^n m  after the n-th error in a row: 2^(n-1) to 2^n minutes
//	metal3.secret           5s   between two looks at a Secret that does not exist
//
// Failure bmh-power: the BMC of the first host refuses every change of power: the host stays available, with a power
// management error. Unlike the real operator, this one then does not begin to provision it.
//
// Failure bmh-registration: the BMC breaks after the last pre-flight. Before the first registration of the first
// host that it sees, the player calls World.BreakBMC, which changes the password at the BMC; the BMC then answers 401
// itself. Where that is not set, the player's own connection to that one BMC answers 401 in the BMC's place.
package metal3

import "time"

const (
	openshiftNamespace = "openshift-machine-api"
	provisioningName   = "provisioning-configuration"

	hostFinalizer   = "baremetalhost.metal3.io"
	secretFinalizer = "baremetalhost.metal3.io/secret"

	pausedAnnotation   = "baremetalhost.metal3.io/paused"
	detachedAnnotation = "baremetalhost.metal3.io/detached"
	inspectAnnotation  = "inspect.metal3.io"

	secretLabel = "environment.metal3.io"

	maxBackoffCount = 10
	cleanupAttempts = 3 // errors after which the deletion of a host goes on without its BMC

	powerPoll = 300 * time.Millisecond
)
