package traps

// aHost are the steps of a BareMetalHost that nothing else is needed for.
func aHost() []string { return []string{"namespaces", "host"} }

// attempts makes one error of Metal3 enough.
const attempts = "  host: {with: {attempts: 1}, timeout: 2m}\n"

func patchedHost(patch string) string {
	return "  host: {with: {attempts: 1, patch: " + patch + "}, timeout: 2m}\n"
}

// sturdy lets a host through although its BMC, on a busy machine, is slow at times.
const sturdy = "  host: {with: {attempts: 20}, timeout: 3m}\n"

const theHost = "BareMetalHost {ns}/{worker0}"

// pullSecretCopy stands for HyperShift's copy of the pull secret, which the InfraEnv waits for.
func pullSecretCopy(auths string) map[string]func(*try) {
	return map[string]func(*try){"namespaces": makes(`{apiVersion: v1, kind: Secret, metadata: {namespace: "{ns}", name: pull-secret}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '` + auths + `'}}`)}
}

const goodAuths = `{"auths":{"registry.traps.lab:5000":{"auth":"YTpi"}}}`

// anImage are the steps up to the discovery image.
func anImage(more ...string) []string {
	return append([]string{"namespaces", "network", "infraenv"}, more...)
}

// toTheEnd are the steps of a whole lab up to the scaling of its NodePool, and more.
func toTheEnd(more ...string) []string {
	return append(append(hosted(), "node_pool", "network", "infraenv", "iso", "probe_bmcs", "host", "agent", "scale"), more...)
}

const quickImage = "  infraenv: {with: {grace: 1s}, timeout: 2m}\n"

const theImage = "InfraEnv {ns}/{hosted}"

func workerRows() []row {
	return []row{
		{
			trap: "BMC without a CD slot", named: "metal3, missing virtual media; preflight, media-type", taken: "the BMC's one slot takes floppies",
			steps: []string{"preflight"}, before: floppyBMC, fails: "preflight", exit: 3,
			set:   []string{"lab.workers[0].bmc.address={bmc}"},
			holds: []string{"0 of 1 worker can be used, 1 needed", "{worker0}", "media-type", "labrun preflight lab.yaml --host {worker0}"},
		},
		{
			trap: "BMC password wrong, before", named: "metal3, errors; preflight, auth", taken: "the password's file holds another one",
			steps: []string{"preflight"}, before: writes("wrong", "guess"), set: []string{"lab.workers[0].bmc.credentials.password.file={dir}/wrong"}, fails: "preflight", exit: 3,
			holds: []string{"0 of 1 worker can be used", "auth", "401"},
		},
		{
			trap: "BMC password wrong, at Metal3", named: "metal3, errors (wrong password)", taken: "no pre-flight; the password's file holds another one; two attempts",
			workers: 1, steps: aHost(), before: writes("wrong", "guess"), set: []string{"lab.workers[0].bmc.credentials.password.file={dir}/wrong"}, override: "  host: {timeout: 2m}", fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error, 2nd attempt", "returned code 401", "{worker0}-bmc", "labrun preflight lab.yaml --host {worker0}"},
		},
		{
			trap: "BMC password empty", named: "metal3, errors (empty password)", taken: "the password's file is empty",
			steps: aHost(), before: writes("empty", "\n"), set: []string{"lab.workers[0].bmc.credentials.password.file={dir}/empty"}, override: attempts, fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error", "Missing BMC connection details 'password' in credentials"},
		},
		{
			trap: "BMC Secret missing", named: "metal3, errors (no Secret); design, the simulated lab", taken: "credentialsName names a Secret that is not there",
			steps: aHost(), override: patchedHost("{spec: {bmc: {credentialsName: nowhere}}}"), fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error", "The BMC secret {ns}/nowhere does not exist"},
		},
		{
			trap: "BMC Secret with other keys", named: "design, the simulated lab (Secrets with other keys)", taken: "the Secret has user and pass",
			steps: aHost(), override: patchedHost("{spec: {bmc: {credentialsName: hand-made}}}"), fails: "host[{worker0}]", exit: 1,
			on:    map[string]func(*try){"namespaces": makes(`{apiVersion: v1, kind: Secret, metadata: {namespace: "{ns}", name: hand-made}, stringData: {user: admin, pass: x}}`)},
			holds: []string{theHost, "registration error", "Missing BMC connection detail 'username' in credentials"},
		},
		{
			trap: "BMC address of no scheme", named: "metal3, errors (bad scheme)", taken: "bmc.address is foo://…",
			steps: aHost(), override: patchedHost("{spec: {bmc: {address: 'foo://192.0.2.1/redfish/v1/Systems/1'}}}"), fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error", "failed to parse BMC address information", "Unknown BMC type 'foo'"},
		},
		{
			trap: "BMC address is IPMI", named: "design, the simulated lab; preflight, address", taken: "bmc.address is a bare IP address",
			set: []string{"lab.workers[0].bmc.address=192.0.2.1"}, exit: 2,
			holds: []string{"no address of {worker0}'s BMC", "it has no scheme, which means IPMI to Metal3", "write redfish-virtualmedia://192.0.2.1"},
		},
		{
			trap: "system id wrong", named: "metal3, errors (wrong system id)", taken: "bmc.address names another system",
			workers: 1, steps: aHost(), before: otherSystem, set: []string{"lab.workers[0].bmc.address={bmc}"}, override: attempts, fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error", "not found"},
		},
		{
			trap: "BMC refuses connections", named: "metal3, errors (connection refused)", taken: "nobody listens at bmc.address",
			workers: 1, steps: aHost(), set: []string{"lab.workers[0].bmc.address=redfish-virtualmedia+http://[::1]:9/redfish/v1/Systems/6b5a2c1e-0000-4000-8000-000000000010"}, override: attempts, fails: "host[{worker0}]", exit: 1,
			holds: []string{theHost, "registration error", "Connection refused"},
		},
		{
			trap: "one MAC, two hosts", named: "metal3, errors (two hosts, one MAC)", taken: "somebody's host in another namespace has the boot MAC",
			workers: 1, steps: aHost(), override: attempts, fails: "host[{worker0}]", exit: 1,
			before: all(makes(`{apiVersion: v1, kind: Secret, metadata: {namespace: "other-{hosted}", name: other-bmc}, stringData: {username: admin, password: "{password}"}}`), otherHost),
			holds:  []string{theHost, "registration error", "conflicts with existing node other-{hosted}~other"},
		},
		{
			trap: "host without its InfraEnv's label", named: "workflow D6 (label infraenvs.agent-install.openshift.io)", taken: "the label is patched away",
			workers: 1, steps: anImage("host"), on: pullSecretCopy(goodAuths), override: "  host: {timeout: '{wait}', with: {patch: {metadata: {labels: {infraenvs.agent-install.openshift.io: null}}}}}", fails: "host[{worker0}]", exit: 1, late: true,
			holds: []string{theHost, "state available", "infraenvs.agent-install.openshift.io"},
		},
		{
			trap: "InfraEnv waits for HyperShift's pull secret", named: "workflow D5 (pull-secret is HyperShift's own copy)", taken: "there is no HostedCluster",
			steps: anImage(), override: "  infraenv: {timeout: '{wait}'}", fails: "infraenv", exit: 1, late: true,
			holds: []string{"Secret {ns}/pull-secret", "HyperShift has not copied it yet"},
		},
		{
			trap: "osImages lacks the version", named: "workflow C4 (osImages), D6", taken: "osImageVersion is patched to 4.14",
			steps: anImage(), on: pullSecretCopy(goodAuths), override: "  infraenv: {with: {grace: 1s, patch: {spec: {osImageVersion: '4.14'}}}, timeout: 2m}", fails: "infraenv", exit: 1,
			holds: []string{theImage, "ImageCreated False (ImageCreationError)", "Specified OSImageVersion is missing from AgentServiceConfig"},
		},
		{
			trap: "pull secret malformed", named: "workflow D6 (ImageCreationError)", taken: "the copy's auth is not base64",
			steps: anImage(), on: pullSecretCopy(`{"auths":{"quay.io":{"auth":"!"}}}`), override: quickImage, fails: "infraenv", exit: 1,
			holds: []string{theImage, "ImageCreated False (ImageCreationError)", "not base64-encoded", "mend what the message names"},
		},
		{
			trap: "static network without its MAC", named: "workflow D6 (NMStateConfigs)", taken: "the NMStateConfig maps another interface",
			steps: anImage(), on: pullSecretCopy(goodAuths), override: quickImage + "  network: {with: {patch: {spec: {interfaces: [{name: eth9, macAddress: '52:54:00:00:00:99'}]}}}}", fails: "infraenv", exit: 1,
			holds: []string{theImage, "ImageCreated False (ImageCreationError)", "mac-interface mapping for interface enp1s0 is missing"},
		},
		{
			trap: "root device hints match no disk", named: "workflow D8 (SpecSynced, not-found-by-hints)", taken: "root_device_hints name /dev/vdz",
			workers: 1, steps: anImage("host", "agent"), on: pullSecretCopy(goodAuths), set: []string{"lab.workers[0].root_device_hints.device_name=/dev/vdz"}, override: sturdy + "  agent: {with: {grace: 10s}, timeout: 2m}", fails: "agent[{worker0}]", exit: 1,
			holds: []string{"Agent {ns}/", "SpecSynced False (InputError)", "{worker0}", "root_device_hints"},
		},
		{
			trap: "too little memory", named: "workflow D8 (failing validations; minimum 8 GiB)", taken: "the server has 4 GiB",
			small: true, steps: anImage("host", "agent"), on: pullSecretCopy(goodAuths), override: sturdy + "  agent: {with: {grace: 10s}, timeout: 2m}", fails: "agent[{worker0}]", exit: 1,
			holds: []string{"Agent {ns}/", "Validated False (ValidationsFailing)", "RAM for any role is 8.0 GiB, found only 4.0 GiB", "has-min-memory", "worker    {worker0}", "mend what the validation names"},
		},
		{
			trap: "no suitable Agent", named: "workflow D8 (NoSuitableAgents), D5 (agentLabelSelector)", taken: "the NodePool asks for Agents with label rack=9",
			workers: 1, steps: toTheEnd("installed"), override: sturdy + "  node_pool: {with: {agent_labels: {rack: '9'}}}\n  installed: {timeout: '{wait}'}", fails: "installed[{worker0}]", exit: 1, late: true,
			holds: []string{"Agent {ns}/", "{worker0}", "AgentReserved is False (NoSuitableAgents)", "agentLabelSelector asks for label rack=9, which this Agent has not"},
		},
		{
			trap: "*.apps leads elsewhere", named: "workflow D9 (*.apps must reach the worker that runs the router)", taken: "the name server says another address",
			workers: 1, steps: toTheEnd("installed", "nodes", "router", "apps"), before: appsElsewhere, override: sturdy + "  apps: {timeout: '{wait}'}", fails: "apps", exit: 1, late: true,
			holds: []string{"console-openshift-console.apps.{hosted}.traps.lab does not lead to 2620:52:0:1305::", "it resolves to 2620:52:0:1305::99", "console and ingress never become Available", "dig "},
		},
	}
}
