package sim

import "time"

// Delay is one stage of an operator and how long the real one takes.
type Delay struct {
	Name string // as in --delay NAME=DURATION
	Real time.Duration
	What string
}

// Delays lists what --delay takes. A delay that is not set lasts its real time divided by the speed.
func Delays() []Delay {
	const s, m = time.Second, time.Minute
	return []Delay{
		{"deployment", 30 * s, "pods of a Deployment or StatefulSet become ready"},
		{"pod-retry", 10 * s, "a pod that lacks a ConfigMap, Secret or volume is tried again"},
		{"node-config", 3 * m, "the nodes take a change of registries or certificates"},
		{"catalog", 20 * s, "a CatalogSource's pod answers"},
		{"olm-resolve", 15 * s, "a Subscription is resolved and its InstallPlan made"},
		{"olm-install", 90 * s, "bundles are unpacked and the operator's Deployment runs"},
		{"mce-install", 2 * m, "the operator starts to deploy components"},
		{"mce-uninstall", 60 * s, "between two looks at what a MultiClusterEngine that is deleted leaves"},
		{"local-cluster", 90 * s, "the hub is imported as a managed cluster"},
		{"hypershift-addon", 60 * s, "the add-on's agent installs the HyperShift operator"},
		{"metal3.register", 10 * s, "a registration that succeeds"},
		{"metal3.register-fail", 6 * s, "until a registration that the BMC refused is reported"},
		{"metal3.refused", 162 * s, "until \"connection refused\" is reported"},
		{"metal3.name", 222 * s, "until a BMC's name that does not resolve is reported"},
		{"metal3.tls", 69 * s, "until a TLS failure is reported"},
		{"metal3.silent", 53 * m, "until Ironic gives up on a BMC that accepts and never answers"},
		{"metal3.inspect", 5 * m, "inspection, where it is not disabled"},
		{"metal3.prepare", 100 * time.Millisecond, "preparing"},
		{"metal3.provision", 15 * s, "the deployment, beside what the BMC itself takes"},
		{"metal3.provision-fail", 28 * s, "until a failed deployment is reported"},
		{"metal3.preprovision", 5 * s, "between two looks at a PreprovisioningImage that is not ready"},
		{"metal3.power", 2 * m, "how long a BMC may take to change the power state"},
		{"metal3.deprovision", 10 * s, "deprovisioning, beside what the BMC itself takes"},
		{"metal3.backoff", 2 * m, "between two tries; by default 2^(n-1) to 2^n minutes after the n-th error in a row"},
		{"metal3.secret", 5 * s, "between two looks at a Secret that does not exist"},
		{"iso", 10 * s, "a discovery ISO is made"},
		{"iso-cooldown", 60 * s, "a new ISO is not given to hosts before"},
		{"agent-discovery", 40 * s, "a booted host is asked for its inventory and validated"},
		{"agent-binding", 20 * s, "an Agent binds to a cluster"},
		{"agent-bound", 30 * s, "a bound Agent is insufficient before it is known"},
		{"agent-prepare", 20 * s, "the installation is prepared"},
		{"agent-install", 10 * s, "each short stage of the installation"},
		{"agent-write", 3 * m, "the image is written to the disk"},
		{"agent-reboot", 4 * m, "the host reboots into its disk and joins"},
		{"agent-unbind", 20 * s, "an Agent leaves a cluster"},
		{"agent-lost", 3 * m, "a host that does not answer any more is disconnected"},
		{"agent-reclaim", 5 * m, "an installed host reboots into the discovery ISO"},
		{"machine.boot", 4 * m, "from power on until the live image's agent registers"},
		{"hypershift.retest", 30 * s, "between two tests of what was refused"},
		{"hypershift.infrastructure", 1 * m, "until the control plane's services are there"},
		{"hypershift.etcd", 2 * m, "until etcd has its quorum, after that"},
		{"hypershift.kube-apiserver", 3 * m, "until the API server's Deployment is available, after that"},
		{"hypershift.ignition", 30 * s, "until the ignition endpoint is there, after that"},
		{"hypershift.machine", 10 * s, "from scaling up to the Machines"},
		{"hypershift.reserve", 5 * s, "between two looks for a free Agent"},
		{"hypershift.join", 3 * m, "from an Agent's reboot until its Node exists"},
		{"hypershift.node-ready", 1 * m, "until that Node is Ready"},
		{"hypershift.drain", 20 * s, "draining a Node"},
		{"hypershift.unbind", 5 * s, "between two looks at an Agent that is unbound"},
		{"hypershift.operators", 2 * m, "from the first ready Node until the hosted ClusterOperators are Available"},
		{"hypershift.hosted", 10 * s, "between two looks at the hosted cluster"},
		{"hypershift.teardown", 30 * s, "until a control plane is gone"},
	}
}
