package steps

import (
	"slices"
	"testing"
	"time"

	"github.com/labrun/labrun/steps/kube"
)

const imageTypeCRD = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: infraenvs.agent-install.openshift.io}, spec: {versions: [{name: v1beta1, schema: {openAPIV3Schema: {properties: {spec: {properties: {imageType: {type: string}}}}}}}]}}` + "\n---\n"

func TestJudgeInfraEnv(t *testing.T) {
	s := InfraEnv{Grace: grace(30 * time.Second)}
	env := func(status string) string {
		return `{apiVersion: agent-install.openshift.io/v1beta1, kind: InfraEnv, metadata: {name: hosted-ipv6, namespace: clusters-hosted-ipv6}, status: {` + status + `}}`
	}
	copied := `{apiVersion: v1, kind: Secret, metadata: {name: pull-secret, namespace: clusters-hosted-ipv6}}` + "\n---\n"
	wrong := func(since string) string {
		return copied + env(`conditions: [{type: ImageCreated, status: "False", reason: ImageCreationError, message: pull secret must contain auth for quay.io, lastTransitionTime: "2026-11-23T`+since+`Z"}]`)
	}
	made := copied + env(`isoDownloadURL: "https://x/iso", conditions: [{type: ImageCreated, status: "True", reason: InfraEnvAvailable}]`)
	judge(t, factsOf(t, ipv6), []judged{
		{"absent", s, copied, waits("InfraEnv clusters-hosted-ipv6/hosted-ipv6", "does not exist yet")},
		{"no pull secret", s, env(``), waits("Secret clusters-hosted-ipv6/pull-secret", "HyperShift has not copied it yet")},
		{"new", s, copied + env(``), waits("no condition ImageCreated yet")},
		{"error just now", s, wrong("11:59:50"), within(noon.Add(20*time.Second), "pull secret must contain auth for quay.io")},
		{"error", s, wrong("11:59:00"), fails("ImageCreated False (ImageCreationError)", "pull secret must contain auth for quay.io", "add the registry that it names to the pull secret")},
		{"not an error", s, copied + env(`conditions: [{type: ImageCreated, status: "False", reason: Creating, lastTransitionTime: "2026-11-23T10:00:00Z"}]`), waits("ImageCreated is False (Creating)")},
		{"no URL", s, copied + env(`conditions: [{type: ImageCreated, status: "True"}]`), waits("status.isoDownloadURL is not set yet")},
		{"made, on a hub that knows no image types", s, made, doneWith("https://x/iso", "has no imageType: minimal-iso is not asked for")},
		{"made", s, imageTypeCRD + made, doneWith("https://x/iso")},
	})
	f := factsOf(t, ipv6)
	got := s.Outputs(f, sees(t, f, s, nil, imageTypeCRD+made+"\n---\n"+`{apiVersion: v1, kind: ConfigMap, metadata: {name: default-ingress-cert, namespace: openshift-config-managed}, data: {ca-bundle.crt: PEM}}`))
	if want := (InfraEnvOutputs{"https://x/iso", "minimal-iso", "PEM"}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
}

func bareMetalHost(status string) string {
	return `{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: worker0, namespace: clusters-hosted-ipv6}, status: {` + status + `}}`
}

func TestJudgeHost(t *testing.T) {
	s, f := step[Host](t, ipv6, "host")
	if s.Worker.Name != "worker0" || s.Attempts != 2 {
		t.Fatalf("options %+v", s)
	}
	registration := func(count string) string {
		return bareMetalHost(`operationalStatus: error, errorType: registration error, errorMessage: "Failed to get power state: HTTP 401", errorCount: ` + count + `, lastUpdated: "2026-11-23T11:59:00Z", provisioning: {state: registering}`)
	}
	provisioning := func(history string) string {
		return bareMetalHost(`operationalStatus: error, errorType: provisioning error, errorMessage: No suitable virtual media device found., errorCount: 1, provisioning: {state: provisioning}, operationHistory: {` + history + `}`)
	}
	judge(t, f, []judged{
		{"absent", s, ``, waits("BareMetalHost clusters-hosted-ipv6/worker0", "does not exist yet")},
		{"not looked at", s, bareMetalHost(``), waits("Metal3 has not taken it up", "watchAllNamespaces must be true")},
		{"registering", s, bareMetalHost(`operationalStatus: OK, provisioning: {state: registering}, lastUpdated: "2026-11-23T11:59:00Z"`), waits("state registering, powered off, last change 11:59:00")},
		{"first error", s, registration("1"), waits("registration error, 1st attempt", "it said: Failed to get power state: HTTP 401", "state registering")},
		{"second error", s, registration("2"), fails("BareMetalHost clusters-hosted-ipv6/worker0 has a registration error, 2nd attempt", "HTTP 401", "labrun preflight LAB --host worker0", "as admin of Secret worker0-bmc")},
		{"one attempt allowed", Host{Worker: s.Worker, Attempts: 1}, registration("1"), fails("1st attempt")},
		{"tries again", s, bareMetalHost(`operationalStatus: OK, errorCount: 2, errorMessage: "", provisioning: {state: registering}`), waits("Metal3 tries again after 2 errors")},
		{"provisioning error", s, provisioning(``), waits("provisioning error, 1st attempt", "No suitable virtual media device found.")},
		{"provisioning error after Metal3 began anew", s, provisioning(`deprovision: {start: "2026-11-23T11:50:00Z"}`), fails("provisioning error, 2nd attempt")},
		{"provisioned", s, bareMetalHost(`operationalStatus: detached, poweredOn: true, provisioning: {state: provisioned, image: {url: "https://x/iso"}}`), doneWith("provisioned, powered on")},
		{"provisioned, with an error", s, bareMetalHost(`operationalStatus: error, errorType: power management error, errorMessage: no power, errorCount: 1, provisioning: {state: provisioned}`), waits("power management error")},
	})
	got := s.Outputs(f, sees(t, f, s, nil, bareMetalHost(`provisioning: {ID: "42", state: available}`)))
	if want := (HostOutputs{Name: "worker0", ID: "42"}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
}

// agentAs is the Agent of worker0, by its MAC in capitals.
func agentAs(name, spec, status string) string {
	return `{apiVersion: agent-install.openshift.io/v1beta1, kind: Agent, metadata: {name: "` + name + `", namespace: clusters-hosted-ipv6, creationTimestamp: "2026-11-23T11:0` + name[:1] + `:00Z"}, spec: {role: worker` + spec + `}, status: {inventory: {interfaces: [{macAddress: "52:54:00:6E:00:10"}]}` + status + `}}` + "\n---\n"
}

func conditionsBut(missing string, more ...string) string {
	s := ", conditions: ["
	for _, name := range []string{"SpecSynced", "Connected", "Validated", "RequirementsMet"} {
		if name != missing {
			s += `{type: ` + name + `, status: "True"}, `
		}
	}
	for _, m := range more {
		s += m + ", "
	}
	return s + `{type: Bound, status: "False", reason: Unbound}]`
}

func TestJudgeAgent(t *testing.T) {
	s, f := step[Agent](t, ipv6, "agent")
	approved := ", approved: true"
	invalid := func(since string) string {
		return agentAs("1", approved, conditionsBut("Validated", `{type: Validated, status: "False", reason: ValidationsFailing, message: failing, lastTransitionTime: "2026-11-23T`+since+`Z"}`)+
			`, debugInfo: {state: insufficient-unbound}, validationsInfo: {hardware: [{id: has-min-memory, status: failure, message: at least 8 GiB}, {id: a, status: success, message: fine}]}`)
	}
	hints := func(since string) string {
		return agentAs("1", approved, conditionsBut("SpecSynced", `{type: SpecSynced, status: "False", reason: InputError, message: "disk not-found-by-hints", lastTransitionTime: "2026-11-23T`+since+`Z"}`))
	}
	judge(t, f, []judged{
		{"absent", s, replace(agentAs("1", "", ""), "52:54:00:6E:00:10", "52:54:00:00:00:01") + bareMetalHost(`operationalStatus: OK, provisioning: {state: provisioned}`),
			waits("Agent of worker0 has not registered", "no Agent has an interface 52:54:00:6e:00:10; 1 Agent registered", "host: state provisioned", "console")},
		{"not approved", s, agentAs("1", "", ""), waits("Agent clusters-hosted-ipv6/1", "it is not approved", "worker0")},
		{"nothing said", s, agentAs("1", approved, ""), waits("no condition SpecSynced yet")},
		{"disconnected", s, agentAs("1", approved, conditionsBut("Connected", `{type: Connected, status: "False", reason: AgentIsDisconnected, message: stopped}`)), waits("Connected is False (AgentIsDisconnected)", "more: agent-lost")},
		{"disconnected for long", s, agentAs("1", approved, conditionsBut("Connected", `{type: Connected, status: "False", reason: AgentIsDisconnected, message: stopped, lastTransitionTime: "2026-11-23T11:50:00Z"}`)), fails("Connected False (AgentIsDisconnected)", "labrun preflight LAB --host worker0", "more: agent-lost")},
		{"requirements", s, agentAs("1", approved, conditionsBut("RequirementsMet", `{type: RequirementsMet, status: "False", reason: AgentNotReady}`)), waits("RequirementsMet is False (AgentNotReady)")},
		{"fails a validation, just now", s, invalid("11:58:00"), within(noon.Add(3*time.Minute), "validation: has-min-memory: at least 8 GiB")},
		{"fails a validation", s, invalid("11:55:00"), fails("Validated False (ValidationsFailing)", "has-min-memory: at least 8 GiB", "worker0, state insufficient-unbound", "since: 11:55:00")},
		{"hints just now", s, hints("11:58:00"), within(noon.Add(3*time.Minute), "not-found-by-hints")},
		{"hints", s, hints("11:50:00"), fails("SpecSynced False (InputError)", "not-found-by-hints", "correct root_device_hints of worker0")},
		{"bound says nothing", s, agentAs("1", approved, replace(conditionsBut(""), "Bound", "Other")), waits("no condition Bound yet")},
		{"reserved", s, replace(agentAs("1", approved, conditionsBut("")), "metadata: {", "metadata: {labels: {agentMachineRef: x}, "), waits("agentMachineRef")},
		{"ready", s, agentAs("1", approved, conditionsBut("")), doneWith("Agent 1 ready to bind")},
		{"newest wins", s, agentAs("2", approved, conditionsBut("")) + agentAs("1", "", ""), doneWith("Agent 2 ready to bind")},
		{"bound", s, agentAs("1", ", clusterDeploymentName: {name: hosted-ipv6, namespace: clusters-hosted-ipv6}", ""), doneWith("Agent 1 bound to hosted-ipv6")},
		{"somebody else's", s, agentAs("1", ", clusterDeploymentName: {name: other, namespace: clusters-other}", ""), fails("is bound to another cluster", "clusters-other/other")},
	})
	if got := s.Outputs(f, sees(t, f, s, nil, agentAs("1", "", ""))); got.Name != "1" {
		t.Errorf("outputs %+v", got)
	}
	if got := s.Outputs(f, kube.Seen{}); got.Name != "" {
		t.Errorf("outputs %+v of nothing", got)
	}
}

func TestJudgeInstalled(t *testing.T) {
	s, f := step[Installed](t, ipv6, "installed")
	state := func(state, conditions string) string {
		return agentAs("1", "", `, debugInfo: {state: `+state+`, stateInfo: info}, progress: {currentStage: Writing image to disk, installationPercentage: 45}, conditions: [`+conditions+`]`)
	}
	failed := func(since string) string {
		return `{type: Installed, status: "False", reason: InstallationFailed, message: no disk, lastTransitionTime: "2026-11-23T` + since + `Z"}`
	}
	cases := []judged{
		{"absent", s, ``, waits("Agent of worker0 has not registered")},
		{"installing", s, state("installing-in-progress", ""), waits("state installing-in-progress (info), Writing image to disk, 45%", "worker: worker0")},
		{"insufficient after binding", s, state("insufficient", ""), waits("state insufficient")},
		{"not taken", s, state("known-unbound", "") + `{apiVersion: capi-provider.agent-install.openshift.io/v1beta1, kind: AgentMachine, metadata: {name: m, namespace: clusters-hosted-ipv6}, status: {conditions: [{type: AgentReserved, status: "False", reason: NoSuitableAgents}]}}`, waits("machine: AgentReserved is False (NoSuitableAgents)")},
		{"bad, nobody says since when", s, state("error", ""), waits("state error (info)")},
		{"disconnected", s, state("disconnected", failed("10:00:00")+`, {type: Connected, status: "False", reason: AgentIsDisconnected, lastTransitionTime: "2026-11-23T11:58:00Z"}`), within(noon.Add(3*time.Minute), "AgentIsDisconnected")},
		{"installed", s, state("installed", `{type: Installed, status: "True"}`), doneWith("installed")},
		{"added", s, state("added-to-existing-cluster", ""), doneWith("added-to-existing-cluster")},
	}
	for _, bad := range []string{"error", "cancelled", "installing-pending-user-action", "preparing-failed"} {
		cases = append(cases,
			judged{bad + " just now", s, state(bad, failed("11:59:00")), within(noon.Add(4*time.Minute), "no disk")},
			judged{bad, s, state(bad, failed("11:50:00")), fails("Installed False (InstallationFailed)", "no disk", "worker0, state "+bad)})
	}
	judge(t, f, cases)
}

func TestJudgeNetwork(t *testing.T) {
	s, f := step[NMState](t, ipv6, "network")
	judge(t, f, []judged{{"made", s, ``, doneWith("enp1s0 on 52:54:00:6e:00:10")}})
}

func aNode(name, ready, addresses string) string {
	return `{apiVersion: v1, kind: Node, metadata: {name: ` + name + `}, status: {addresses: [` + addresses + `], conditions: [{type: Ready, status: "` + ready + `", reason: KubeletReady, message: told}]}}` + "\n---\n"
}

func aPod(name, node, phase, conditions string) string {
	return `{apiVersion: v1, kind: Pod, metadata: {name: ` + name + `, namespace: openshift-ingress}, spec: {nodeName: "` + node + `"}, status: {phase: ` + phase + `, conditions: [` + conditions + `]}}` + "\n---\n"
}

func TestJudgeNodes(t *testing.T) {
	s := Nodes{Workers: []string{"worker0", "worker1"}}
	judge(t, factsOf(t, ipv6), []judged{
		{"none", s, ``, waits("Node worker0", "does not exist yet", "oc extract -n clusters secret/hosted-ipv6-admin-kubeconfig --keys=kubeconfig --to=- > hosted.kubeconfig && oc --kubeconfig hosted.kubeconfig get csr,nodes")},
		{"not ready", s, aNode("worker0", "True", "") + aNode("worker1", "False", ""), waits("Node worker1", "Ready is False (KubeletReady): told")},
		{"ready", s, aNode("worker0", "True", "") + aNode("worker1", "True", ""), doneWith("2 nodes Ready")},
	})
}

func TestJudgeRouter(t *testing.T) {
	address := `{type: InternalIP, address: "2620:52:0:1305::10"}, {type: Hostname, address: worker0}`
	both := aNode("worker0", "True", address) + aNode("worker1", "True", `{type: InternalIP, address: "2620:52:0:1305::11"}`)
	replicas := func(n string) string {
		return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: router-default, namespace: openshift-ingress}, spec: {replicas: ` + n + `}}` + "\n---\n"
	}
	f := factsOf(t, ipv6)
	judge(t, f, []judged{
		{"no pod", Router{}, both, waits("Deployment openshift-ingress/router-default", "no pod of the router runs on a node yet")},
		{"unschedulable", Router{}, both + aPod("r", "", "Pending", `{type: PodScheduled, status: "False", reason: Unschedulable, message: no node}`), waits("Unschedulable", "oc --kubeconfig hosted.kubeconfig get -n openshift-ingress pods,services")},
		{"evicted", Router{}, both + aPod("r", "worker1", "Failed", ""), waits("no pod of the router runs")},
		{"runs", Router{}, both + aPod("old", "worker1", "Failed", "") + aPod("r", "worker0", "Running", ""), doneWith("router on worker0")},
		{"the first of two", Router{}, both + replicas("2") + aPod("r", "worker1", "Running", ""), waits("Deployment openshift-ingress/router-default", "its pods run on 1 of 2 nodes: worker1", "more: router-not-running")},
		{"two on one node", Router{}, both + replicas("2") + aPod("a", "worker1", "Running", "") + aPod("b", "worker1", "Running", ""), waits("its pods run on 1 of 2 nodes: worker1")},
		{"the second is not scheduled", Router{}, both + replicas("2") + aPod("a", "worker1", "Running", "") + aPod("b", "", "Pending", `{type: PodScheduled, status: "False", reason: Unschedulable, message: no node}`), waits("Unschedulable")},
		{"two on two nodes", Router{}, both + replicas("2") + aPod("a", "worker1", "Running", "") + aPod("b", "worker0", "Running", ""), doneWith("router on worker0, worker1")},
		{"two, and one worker", Router{}, aNode("worker0", "True", address) + replicas("2") + aPod("a", "worker0", "Running", "") + aPod("b", "", "Pending", ""), doneWith("router on worker0")},
	})
	out := Router{}.Outputs(f, sees(t, f, Router{}, nil, both+aPod("a", "worker1", "Running", "")+aPod("b", "worker0", "Running", "")))
	if want := []string{"2620:52:0:1305::10", "2620:52:0:1305::11"}; !slices.Equal(out.Addresses, want) {
		t.Errorf("addresses %q, want %q", out.Addresses, want)
	}

	metal := factsOf(t, ipv6, "lab.hosted_cluster.ingress.mode=MetalLB")
	service := `{apiVersion: v1, kind: Service, metadata: {name: router-default, namespace: openshift-ingress}, status: {loadBalancer: {ingress: [{ip: "2620:52:0:1305::99"}]}}}`
	judge(t, metal, []judged{
		{"no address", Router{}, ``, waits("Service openshift-ingress/router-default", "no load balancer address yet")},
		{"address", Router{}, service, doneWith("router at 2620:52:0:1305::99")},
	})
}
