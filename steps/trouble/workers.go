package trouble

// The troubles of Agents, and of what stands at the end.
const (
	AgentAbsent       ID = "agent-absent"
	AgentElsewhere    ID = "agent-elsewhere"
	AgentUnapproved   ID = "agent-unapproved"
	RootDeviceHints   ID = "root-device-hints"
	AgentInput        ID = "agent-input"
	AgentValidation   ID = "agent-validation"
	AgentLost         ID = "agent-lost"
	UserAction        ID = "install-pending-user-action"
	InstallFailed     ID = "install-failed"
	NoSuitableAgent   ID = "no-suitable-agent"
	NodeNotReady      ID = "node-not-ready"
	RouterNotRunning  ID = "router-not-running"
	AppsElsewhere     ID = "apps-elsewhere"
	RouterUnreachable ID = "router-unreachable"
	OperatorDegraded  ID = "clusteroperator-degraded"
	WorkersMissing    ID = "workers-missing"
)

func workers() []Trouble {
	return []Trouble{
		{AgentAbsent, "Agent", "no Agent has the worker's boot MAC",
			"The server did not boot the discovery image, or cannot reach assisted-service from it. A BareMetalHost that is provisioned says only that power was turned on; a BMC that lost the virtual media shows nothing in the cluster.",
			[]string{"look at the worker's console: does it boot the image, has it an address, does it fetch the root file system?", "see whether the BMC still holds the image: `labrun preflight LAB --host WORKER`, and the BMC's page of the evidence", "compare boot_mac in the lab file with the port that is on the machine network", "the worker must reach the management cluster's *.apps: name server and route"},
			AtTimeout, assisted},
		{AgentElsewhere, "Agent", "spec.clusterDeploymentName names another cluster",
			"The server belongs to another hosted cluster already.",
			[]string{"take it out of the other lab first", "give this lab another server"}, AtOnce, assisted},
		{AgentUnapproved, "Agent", "spec.approved is false",
			"assisted-service approves an Agent once it is linked to a BareMetalHost with the same boot MAC; none is.",
			[]string{"compare bootMACAddress with the Agent's interfaces: `oc get agent -n NAMESPACE -o yaml`", "correct the worker's boot_mac in the lab file"}, AtTimeout, assisted},
		{RootDeviceHints, "Agent", "SpecSynced False (InputError), about the installation disk",
			"The worker's root_device_hints match none of its disks, so that there is no disk to install to.",
			[]string{"see its disks: `oc get agent -n NAMESPACE NAME -o jsonpath='{.status.inventory.disks}'`", "correct root_device_hints of the worker in the lab file, then run again"},
			AfterGrace, assisted},
		{AgentInput, "Agent", "SpecSynced False",
			"assisted-service refuses what is asked of this Agent: a hostname, a role, a disk.",
			[]string{"mend what the message names: on the BareMetalHost's annotations, never on the Agent"}, AfterGrace, assisted},
		{AgentValidation, "Agent", "Validated False (ValidationsFailing)",
			"The server does not meet a requirement of the installation: cores, memory, disk, clock, network or name. It cannot be bound before it does.",
			[]string{"mend what each failing validation names, on the server or in its network", "ntp-synced: let the worker reach a time server; has-min-memory, has-min-cpu-cores, has-min-valid-disks: give it at least 2 cores, 8 GiB and a disk of 100 GB", "see all: `oc get agent -n NAMESPACE NAME -o jsonpath='{.status.validationsInfo}'`"},
			AfterGrace, assisted},
		{AgentLost, "Agent", "Connected False (AgentIsDisconnected), state disconnected or disconnected-unbound",
			"The agent on the server no longer reports: the server was turned off, has rebooted into something else, hangs, or its network is gone.",
			[]string{"look at the worker's console and power: `labrun preflight LAB --host WORKER`", "from the worker, see whether it still reaches the management cluster's *.apps", "boot it from the discovery image again: reset it in the BMC's web page"},
			AfterGrace, assisted},
		{UserAction, "Agent", "state installing-pending-user-action",
			"The system was written to disk, but the server booted the discovery image again: its boot order prefers the virtual CD, or the disk that was written is not the one it boots from.",
			[]string{"eject the virtual media in the BMC's web page, put the disk first in the boot order, and reset the server", "name the right disk in root_device_hints of the worker"},
			AfterGrace, assisted},
		{InstallFailed, "Agent", "state error, cancelled or preparing-failed",
			"The installation of this worker ended with an error.",
			[]string{"read what it says: `oc get agent -n NAMESPACE NAME -o jsonpath='{.status.debugInfo}'`", "read its events and logs: eventsURL and logsURL of the same"}, AfterGrace, assisted},
		{NoSuitableAgent, "AgentMachine", "AgentReserved False (NoSuitableAgents)",
			"The NodePool asks for a worker, and no Agent fits: none is approved, valid and free, or none has the labels that the NodePool asks for. A label agentMachineRef of a machine that is gone keeps an Agent taken.",
			[]string{"compare: `oc get agent -n NAMESPACE --show-labels`, `oc get agentmachine -n NAMESPACE -o yaml`", "take away the label of a machine that is gone: `oc label agent -n NAMESPACE NAME agentMachineRef-`", "correct agent_labels of step hypershift/node-pool"},
			AtTimeout, "Cluster API provider agent"},
	}
}

func ends() []Trouble {
	return []Trouble{
		{NodeNotReady, "Node", "Ready False, or the node is absent",
			"The worker was installed, and is no working node of the hosted cluster yet: its kubelet has no certificate, or its network does not come up.",
			[]string{"see and approve certificates, with the hosted cluster's kubeconfig: `oc get csr`, `oc adm certificate approve NAME`", "see why: `oc describe node NAME`"}, AtTimeout, "kubelet"},
		{RouterNotRunning, "Pod", "pods of openshift-ingress/router-default run on no node, or on fewer than its replicas",
			"The hosted cluster's router does not run, or not with all its replicas, so that *.apps leads nowhere, or to a worker without one.",
			[]string{"see why, with the hosted cluster's kubeconfig: `oc get pods -n openshift-ingress -o wide`", "two replicas need two workers (lab.hosted_cluster.infrastructure_availability); MetalLB needs a free address"}, AtTimeout, "ingress operator"},
		{AppsElsewhere, "", "a name under *.apps resolves to another address than the router's, or not at all",
			"*.apps of the hosted cluster must lead to the worker that runs the router, or console and ingress never become Available.",
			[]string{"ask the name server: `dig NAME`", "let *.apps.CLUSTER.DOMAIN lead to the address that the message names"}, AtTimeout, "DNS"},
		{WorkersMissing, "NodePool", "status.replicas below spec.replicas, or Ready, AllMachinesReady or AllNodesHealthy False",
			"Not all workers of the NodePool are there.",
			[]string{"see where they stand: `oc get machine,agentmachine,agent -n PLANE`"}, AtTimeout, hyperShift},
		{RouterUnreachable, "ClusterOperator", "console or ingress of the hosted cluster is not Available",
			"The hosted cluster asks its own console by name, and does not reach it: *.apps does not lead to the worker that runs the router, or something between them blocks port 443.",
			[]string{"see which worker runs the router, with the hosted cluster's kubeconfig: `oc get pods -n openshift-ingress -o wide`", "try the name: `curl -kv https://console-openshift-console.apps.CLUSTER.DOMAIN`", "let *.apps.CLUSTER.DOMAIN lead to that worker's address"},
			AtTimeout, "ingress operator"},
		{OperatorDegraded, "ClusterOperator", "Available False or Degraded True; HostedCluster version Partial",
			"An operator of the hosted cluster does not become Available, so that its version is never Completed.",
			[]string{"see which and why, with the hosted cluster's kubeconfig: `oc get clusteroperators`", "a pod that is not scheduled: the workers are too small or too few"},
			AtTimeout, "cluster-version-operator"},
	}
}
