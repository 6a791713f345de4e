package steps

import (
	"testing"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

func grace(d time.Duration) labs.Duration { return labs.Duration{Duration: d} }

const definitions = `
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: baremetalhosts.metal3.io}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: subscriptions.operators.coreos.com}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: clusterserviceversions.operators.coreos.com}}
---
`

const clusterVersion4203 = definitions + `
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: provisionings.metal3.io}}
---
{apiVersion: config.openshift.io/v1, kind: ClusterVersion, metadata: {name: version}, spec: {clusterID: x}, status: {history: [{state: Partial, version: 4.20.4}, {state: Completed, version: 4.20.3}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: a}}
`

func TestJudgeHubInfo(t *testing.T) {
	judge(t, factsOf(t, ipv6), []judged{
		{"no OpenShift", HubInfo{}, ``, fails("ClusterVersion version is missing or has no version", "lab.management_cluster.kubeconfig")},
		{"no Metal3", HubInfo{}, definitions + `
{apiVersion: config.openshift.io/v1, kind: ClusterVersion, metadata: {name: version}, status: {history: [{state: Completed, version: 4.20.3}]}}`,
			fails("CustomResourceDefinition provisionings.metal3.io is missing", "enable the baremetal operator")},
		{"fresh", HubInfo{}, clusterVersion4203, doneWith("OpenShift 4.20.3, no MCE yet, 1 node")},
		{"with MCE", HubInfo{}, clusterVersion4203 + `
---
{apiVersion: multicluster.openshift.io/v1, kind: MultiClusterEngine, metadata: {name: engine}, status: {currentVersion: 2.10.1}}`, doneWith("MCE 2.10.1")},
		{"with a new MCE", HubInfo{}, clusterVersion4203 + `
---
{apiVersion: multicluster.openshift.io/v1, kind: MultiClusterEngine, metadata: {name: engine}}`, doneWith("MCE engine without a version yet")},
	})
}

func TestHubInfoOutputs(t *testing.T) {
	f := factsOf(t, ipv6)
	out := HubInfo{}.Outputs(f, sees(t, f, HubInfo{}, nil, clusterVersion4203+`
---
{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent}}
---
{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: worker0, namespace: clusters-hosted-ipv6}, status: {provisioning: {ID: 14b5025e}}}
---
{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: worker1, namespace: clusters-hosted-ipv6}}
---
{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: other, namespace: elsewhere}}`))
	if out.Version != "4.20.3" || out.Nodes != 1 || out.AgentService != "agent" || out.MCE != "" {
		t.Errorf("outputs %+v", out)
	}
	equal(t, out.Hosts, []string{"worker0", "worker1"})
	if len(out.IDs) != 1 || out.IDs["worker0"] != "14b5025e" {
		t.Errorf("ids %v", out.IDs)
	}
}

func TestJudgeRegistry(t *testing.T) {
	f := factsOf(t, ipv6)
	image := `{apiVersion: config.openshift.io/v1, kind: Image, metadata: {name: cluster}, spec: {additionalTrustedCA: {name: theirs}}}`
	ca := RegistryCA{Name: "registry-config"}
	judge(t, f, []judged{
		{"ca", ca, ``, doneWith("ConfigMap openshift-config/registry-config key registry.hypershiftbm.lab..5000")},
		{"ca in theirs", ca, image, doneWith("ConfigMap openshift-config/theirs")},
		{"image config", ImageConfig{Name: "registry-config"}, image, doneWith("theirs")},
		{"bundle that nobody uses", UserCABundle{}, ``, doneWith("without effect until proxies.config.openshift.io/cluster names it")},
		{"bundle in use", UserCABundle{}, `{apiVersion: config.openshift.io/v1, kind: Proxy, metadata: {name: cluster}, spec: {trustedCA: {name: user-ca-bundle}}}`, doneWith("restart")},
		{"registries", Registries{Name: "custom-registries"}, ``, doneWith("ConfigMap multicluster-engine/custom-registries, 3 sources")},
		{"registries named by the service", Registries{Name: "custom-registries"}, `{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent}, spec: {mirrorRegistryRef: {name: mirrors}}}`, doneWith("multicluster-engine/mirrors")},
		{"install flags", InstallFlags{}, ``, doneWith("--enable-uwm-telemetry-remote-write")},
	})
}

const subscribed = `{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: multicluster-engine, namespace: multicluster-engine, generation: 1}, spec: {name: multicluster-engine}, status: `

func csv(status string) string {
	return `
---
{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: multicluster-engine.v2.10.1, namespace: multicluster-engine}, status: ` + status + `}`
}

func TestJudgeMCEOperator(t *testing.T) {
	s := MCEOperator{Grace: grace(2 * time.Minute)}
	failed := func(at string) string {
		return subscribed + `{conditions: [{type: ResolutionFailed, status: "True", reason: ConstraintsNotSatisfiable, message: no operators found in channel stable-9.9, lastTransitionTime: "` + at + `"}]}}`
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"nothing", s, ``, waits("Subscription multicluster-engine/multicluster-engine", "does not exist yet", "oc get -n multicluster-engine subscription.operators.coreos.com multicluster-engine -o yaml")},
		{"unresolved", s, subscribed + `{}}`, waits("OLM has not chosen a ClusterServiceVersion yet")},
		{"cannot be resolved, just now", s, failed("2026-11-23T11:59:00Z"), within(noon.Add(time.Minute), "ConstraintsNotSatisfiable")},
		{"cannot be resolved", s, failed("2026-11-23T11:58:00Z"), fails("ResolutionFailed True (ConstraintsNotSatisfiable)", "no operators found in channel stable-9.9", "since: 11:58:00", "lab.mce.channel")},
		{"waits for approval", s, subscribed + `{currentCSV: multicluster-engine.v2.10.1, conditions: [{type: InstallPlanPending, status: "True", reason: RequiresApproval}]}}`,
			waits("ClusterServiceVersion multicluster-engine/multicluster-engine.v2.10.1", "RequiresApproval", "approve the plan")},
		{"installing", s, subscribed + `{currentCSV: multicluster-engine.v2.10.1}}` + csv(`{phase: Installing, message: waiting for deployment}`), waits("phase Installing waiting for deployment")},
		{"failed just now", s, subscribed + `{installedCSV: multicluster-engine.v2.10.1}}` + csv(`{phase: Failed, reason: InstallCheckFailed, message: timeout, lastTransitionTime: "2026-11-23T11:59:30Z"}`), within(noon.Add(90*time.Second), "InstallCheckFailed")},
		{"failed", s, subscribed + `{installedCSV: multicluster-engine.v2.10.1}}` + csv(`{phase: Failed, reason: InstallCheckFailed, message: timeout, lastTransitionTime: "2026-11-23T11:00:00Z"}`), fails("phase Failed (InstallCheckFailed)", "timeout", "oc get -n multicluster-engine clusterserviceversion.operators.coreos.com multicluster-engine.v2.10.1")},
		{"installed", s, subscribed + `{installedCSV: multicluster-engine.v2.10.1}}` + csv(`{phase: Succeeded}`), doneWith("multicluster-engine v2.10.1 Succeeded", "from channel \"\" as it was found")},
	})
}

func engineIn(status string) string {
	return `{apiVersion: multicluster.openshift.io/v1, kind: MultiClusterEngine, metadata: {name: engine}, status: ` + status + `}`
}

func TestJudgeMCEEngine(t *testing.T) {
	s := MCEEngine{Name: "multiclusterengine", Grace: grace(5 * time.Minute)}
	addon := func(status string) string {
		return "\n---\n" + `{apiVersion: addon.open-cluster-management.io/v1alpha1, kind: ManagedClusterAddOn, metadata: {name: hypershift-addon, namespace: local-cluster}, status: {conditions: [{type: Available, status: "` + status + `", reason: NodeLease, message: lease}]}}`
	}
	wrong := func(progressing string) string {
		return engineIn(`{phase: Error, conditions: [
  {type: Available, status: "False", reason: ComponentsUnavailable, message: Not all components available, lastTransitionTime: "2026-11-23T11:30:00Z"},
  {type: Progressing, status: "False", reason: RequirementsNotMet, message: no such storage class, lastTransitionTime: "` + progressing + `"}]}`)
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"nothing", s, ``, waits("MultiClusterEngine multiclusterengine", "does not exist yet")},
		{"new", s, engineIn(`{}`), waits("MultiClusterEngine engine", "not taken it up yet")},
		{"on the way", s, engineIn(`{phase: Progressing, components: [{name: a, status: "True"}, {name: hive-operator, status: "False", message: no pods}]}`), waits("phase Progressing, component hive-operator is not available: no pods")},
		{"on the way, nothing known", s, engineIn(`{phase: Progressing}`), waits("phase Progressing")},
		{"an error that began just now, in an engine that has long been unavailable", s, wrong("2026-11-23T11:59:00Z"), within(noon.Add(4*time.Minute), "no such storage class", "phase Error")},
		{"an error that stays", s, wrong("2026-11-23T11:55:00Z"), fails("has Progressing False (RequirementsNotMet)", "no such storage class", "oc get multiclusterengine.multicluster.openshift.io engine")},
		{"an error that nobody explains", s, engineIn(`{phase: Error}`), waits("phase Error")},
		{"no add-on", s, engineIn(`{phase: Available}`), waits("ManagedClusterAddOn local-cluster/hypershift-addon", "does not exist yet")},
		{"add-on is not there yet", s, engineIn(`{phase: Available}`) + addon("False"), waits("Available is False (NodeLease): lease")},
		{"all", s, engineIn(`{phase: Available, currentVersion: 2.10.1}`) + addon("True"), doneWith("MultiClusterEngine engine 2.10.1 Available")},
	})
}

func crds(established string) string {
	var s string
	for _, name := range []string{"hostedclusters.hypershift.openshift.io", "nodepools.hypershift.openshift.io"} {
		s += `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ` + name + `}, status: {conditions: [{type: Established, status: "` + established + `"}]}}` + "\n---\n"
	}
	return s
}

// running is a Deployment of one replica that runs.
func running(namespace, name, container string) string {
	return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ` + name + `, namespace: ` + namespace + `, generation: 2}, spec: {replicas: 1, template: {spec: {containers: [` + container + `]}}}, status: {observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1}}` + "\n---\n"
}

// The flag stays where the hub has what it needs, and labrun changes nothing then.
func TestInstallFlagsFollowTheSecret(t *testing.T) {
	telemeter := `{apiVersion: v1, kind: Secret, metadata: {name: telemeter-client, namespace: openshift-monitoring}}`
	for _, c := range []struct {
		name, lab, seen string
		want            string
		changes         int
	}{
		{"disconnected", ipv6, ``, "--enable-uwm-telemetry-remote-write is left out", 1},
		{"disconnected, on a hub with telemetry", ipv6, telemeter, "--enable-uwm-telemetry-remote-write is left out", 1},
		{"connected", ipv4, telemeter, "stays: Secret openshift-monitoring/telemeter-client is there", 0},
		{"connected, on a hub without telemetry", ipv4, ``, "--enable-uwm-telemetry-remote-write is left out", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := step[InstallFlags](t, c.lab, "install_flags")
			seen := sees(t, f, s, nil, c.seen)
			intents, err := s.Objects(f, seen)
			if err != nil || len(intents) != c.changes {
				t.Errorf("%d changes, want %d: %v", len(intents), c.changes, err)
			}
			doneWith(c.want).check(t, s.Judge(f, seen))
		})
	}
}

func TestJudgeHyperShiftOperator(t *testing.T) {
	s := HyperShiftOperator{}
	telemeter := `{apiVersion: v1, kind: Secret, metadata: {name: telemeter-client, namespace: openshift-monitoring}}` + "\n---\n"
	versions := `{apiVersion: v1, kind: ConfigMap, metadata: {name: supported-versions, namespace: hypershift}, data: {supported-versions: '{"versions":["4.20","4.19"]}'}}`
	operator := running("hypershift", "operator", `{name: operator, args: [run, --enable-uwm-telemetry-remote-write]}`)
	quiet := running("hypershift", "operator", `{name: operator, args: [run]}`)
	judge(t, factsOf(t, ipv6), []judged{
		{"no CRD", s, ``, waits("CustomResourceDefinition hostedclusters.hypershift.openshift.io", "does not exist yet")},
		{"CRD is not established", s, crds("False"), waits("Established is False")},
		{"no operator", s, crds("True"), waits("Deployment hypershift/operator", "does not exist yet")},
		{"would ignore HostedClusters", s, crds("True") + operator + versions, waits("--enable-uwm-telemetry-remote-write", "Secret openshift-monitoring/telemeter-client is missing", "hypershift-operator-install-flags")},
		{"has its Secret", s, crds("True") + operator + telemeter + versions, doneWith("supports 4.20, 4.19")},
		{"lists nothing", s, crds("True") + quiet, waits("ConfigMap hypershift/supported-versions", "lists no versions yet")},
		{"lists nonsense", s, crds("True") + quiet + `{apiVersion: v1, kind: ConfigMap, metadata: {name: supported-versions, namespace: hypershift}, data: {supported-versions: nonsense}}`, waits("lists no versions yet")},
		{"supports the release", s, crds("True") + quiet + versions, doneWith("4.20")},
	})
	judge(t, factsOf(t, ipv6, "lab.release.version=4.21.0"), []judged{
		{"does not support the release", s, crds("True") + quiet + versions, fails("does not list 4.21", "supported: 4.20, 4.19", "lab.mce.channel")},
	})
}

func TestJudgeDeployment(t *testing.T) {
	deployment := func(status string) string {
		return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: metal3, namespace: openshift-machine-api, generation: 3}, spec: {replicas: 2}, status: ` + status + `}`
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"absent", Provisioning{}, ``, waits("Deployment openshift-machine-api/metal3", "does not exist yet")},
		{"not seen", Provisioning{}, deployment(`{observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2}`), waits("newest template has not been taken up yet")},
		{"rolling out", Provisioning{}, deployment(`{observedGeneration: 3, updatedReplicas: 1, availableReplicas: 2}`), waits("1 of 2 replicas run its newest template")},
		{"starting", Provisioning{}, deployment(`{observedGeneration: 3, updatedReplicas: 2, conditions: [{type: Available, status: "False", reason: MinimumReplicasUnavailable, message: no minimum}]}`), waits("0 of 2 replicas available", "MinimumReplicasUnavailable")},
	})
}

func TestJudgeProvisioning(t *testing.T) {
	all := running("openshift-machine-api", "metal3", `{name: metal3, env: [{name: WATCH_NAMESPACE}]}`)
	own := running("openshift-machine-api", "metal3-baremetal-operator", `{name: operator, env: [{name: WATCH_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]}`)
	judge(t, factsOf(t, ipv6), []judged{
		{"not seen", Provisioning{}, all + `{apiVersion: metal3.io/v1alpha1, kind: Provisioning, metadata: {name: provisioning-configuration, generation: 2}, status: {observedGeneration: 1}}`, waits("Provisioning provisioning-configuration", "has seen generation 1")},
		{"operator is not restarted", Provisioning{}, all + own, waits("Deployment openshift-machine-api/metal3-baremetal-operator", "WATCH_NAMESPACE")},
		{"restarted", Provisioning{}, all, doneWith("all namespaces")},
	})
}

func TestJudgeAgentService(t *testing.T) {
	s := AgentService{Grace: grace(2 * time.Minute)}
	config := func(conditions string) string {
		return `{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent}, status: {conditions: [` + conditions + `]}}`
	}
	wrong := `{type: ReconcileCompleted, status: "False", reason: ReasonConfigFailure, message: ConfigMap custom-registries lacks label, lastTransitionTime: "2026-11-23T11:%s:00Z"}`
	at := func(minute string) string { return config(replace(wrong, "%s", minute)) }
	judge(t, factsOf(t, ipv6), []judged{
		{"absent", s, ``, waits("AgentServiceConfig agent", "does not exist yet")},
		{"new", s, config(``), waits("no condition ReconcileCompleted yet")},
		{"wrong just now", s, at("59"), within(noon.Add(time.Minute), "lacks label")},
		{"wrong", s, at("50"), fails("ReconcileCompleted False (ReasonConfigFailure)", "lacks label", "oc get agentserviceconfig.agent-install.openshift.io agent")},
		{"starting", s, config(`{type: ReconcileCompleted, status: "True"}, {type: DeploymentsHealthy, status: "False", reason: DeploymentsUnhealthy, message: assisted-image-service}`), waits("DeploymentsHealthy is False", "assisted-image-service")},
		{"healthy", s, config(`{type: ReconcileCompleted, status: "True"}, {type: DeploymentsHealthy, status: "True"}`), doneWith("healthy")},
	})
}

func TestJudgeAssistedConfig(t *testing.T) {
	s := AssistedConfig{Name: "assisted-service-config"}
	service := func(observed string) string {
		return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: assisted-service, namespace: multicluster-engine, generation: 2}, spec: {template: {metadata: {annotations: {labrun/restart-for: x}}}}, status: {observedGeneration: ` + observed + `, updatedReplicas: 1, availableReplicas: 1}}`
	}
	f := factsOf(t, ipv6)
	judge(t, f, []judged{
		{"no service yet", s, ``, doneWith("converged flow: off")},
		{"restarting", s, service("1"), waits("Deployment multicluster-engine/assisted-service")},
		{"restarted", s, service("2"), doneWith("converged flow: off")},
	})
	judge(t, factsOf(t, ipv6, "lab.mce.converged_flow=true"), []judged{{"converged", s, ``, doneWith("converged flow: on")}})
}

func TestProvisioningOutputs(t *testing.T) {
	f := factsOf(t, ipv6)
	got := Provisioning{}.Outputs(f, sees(t, f, Provisioning{}, nil, `{apiVersion: metal3.io/v1alpha1, kind: Provisioning, metadata: {name: provisioning-configuration}, spec: {bootIsoSource: http, disableVirtualMediaTLS: true}}`))
	if want := (ProvisioningOutputs{BootISOSource: "http", PlainHTTP: true}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
	if got := (Provisioning{}).Outputs(f, kube.Seen{}); got != (ProvisioningOutputs{}) {
		t.Errorf("outputs %+v of nothing", got)
	}
}
