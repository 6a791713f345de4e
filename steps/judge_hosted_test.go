package steps

import (
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/steps/kube"
)

// hosted is a HostedCluster of generation 2 with conditions.
func hosted(conditions, more string) string {
	return `{apiVersion: hypershift.openshift.io/v1beta1, kind: HostedCluster, metadata: {name: hosted-ipv6, namespace: clusters, generation: 2}, spec: {release: {image: quay.io/x@sha256:1}}, status: {conditions: [` + conditions + `]` + more + `}}`
}

// at is a condition with the time since when it stands, at generation 2.
func at(name, status, reason, message, since string) string {
	return `{type: ` + name + `, status: "` + status + `", reason: ` + reason + `, message: "` + message + `", observedGeneration: 2, lastTransitionTime: "2026-11-23T` + since + `Z"}`
}

func TestJudgeHostedCluster(t *testing.T) {
	s := HostedCluster{Grace: grace(2 * time.Minute)}
	available := at("Available", "True", "AsExpected", "", "11:50:00")
	cases := []judged{
		{"absent", s, ``, waits("HostedCluster clusters/hosted-ipv6", "does not exist yet", "oc get -n clusters hostedcluster.hypershift.openshift.io hosted-ipv6 -o yaml")},
		{"ignored", s, hosted("", ""), waits("HyperShift has not taken it up", "oc logs -n hypershift deployment/operator")},
		{"starting", s, hosted(at("Available", "False", "EtcdWaitingForQuorum", "Waiting for etcd", "11:59:00")+","+at("EtcdAvailable", "False", "EtcdWaitingForQuorum", "0 of 1 ready", "11:59:00"), ""),
			waits("Available is False (EtcdWaitingForQuorum): Waiting for etcd", "since: 11:59:00", "part: EtcdAvailable is False")},
		{"blocked", s, hosted(at("Available", "False", "WaitingForX", "waiting", "11:59:00")+","+at("Progressing", "False", "Blocked", "pull secret is missing", "11:59:00")+","+at("ReconciliationSucceeded", "False", "Error", "no role", "11:59:00"), ""),
			waits("blocked: pull secret is missing", "reconcile: no role")},
		{"no endpoint", s, hosted(available, ""), waits("status.ignitionEndpoint is not set yet")},
		{"available", s, hosted(available, ", ignitionEndpoint: ignition.example"), doneWith("HostedCluster hosted-ipv6 Available, ignition at ignition.example")},
		{"available before the last change", s, hosted(`{type: Available, status: "True", observedGeneration: 1, lastTransitionTime: "2026-11-23T11:00:00Z"}`, ", ignitionEndpoint: x"), waits("Available is True is of generation 1, the object is at 2")},
		{"release judged before the last change", s, hosted(available+`, {type: ValidReleaseImage, status: "True", observedGeneration: 1}`, ", ignitionEndpoint: x"), waits("ValidReleaseImage is True is of generation 1")},
		{"refused before the last change", s, hosted(`{type: ValidReleaseImage, status: "False", reason: InvalidImage, observedGeneration: 1, lastTransitionTime: "2026-11-23T10:00:00Z"}`, ""), waits("ValidReleaseImage is False (InvalidImage) is of generation 1")},
		{"refused, nobody says since when", s, hosted(`{type: ValidConfiguration, status: "False", reason: X, message: bad}`, ""), waits("ValidConfiguration is False (X): bad")},
	}
	for name, next := range map[string]string{
		"ValidConfiguration": "mend what the message names", "SupportedHostedCluster": "mend what the message names",
		"ValidReleaseImage": "oc adm release info -a ",
	} {
		cases = append(cases,
			judged{name + " just now", s, hosted(at(name, "False", "SecretNotFound", "not found", "11:59:00"), ""), within(noon.Add(time.Minute), name+" is False (SecretNotFound): not found")},
			judged{name, s, hosted(at(name, "False", "SecretNotFound", "not found", "11:57:00"), ""), fails("HostedCluster clusters/hosted-ipv6 has "+name+" False (SecretNotFound)", "it said: not found", "since: 11:57:00", next)},
			judged{name + " without grace", HostedCluster{}, hosted(at(name, "False", "SecretNotFound", "not found", "12:00:00"), ""), fails(name + " False")})
	}
	judge(t, factsOf(t, ipv6), cases)
}

// What HyperShift says of its control plane is that it waits; what it waits for
// stands on pods and claims.
func TestJudgeHostedClusterDeeper(t *testing.T) {
	s := HostedCluster{Grace: grace(2 * time.Minute)}
	waiting := hosted(at("Available", "False", "EtcdWaitingForQuorum", "Waiting for etcd to reach quorum", "11:59:00"), "") + "\n---\n"
	claim := waiting + `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-etcd-0, namespace: clusters-hosted-ipv6}, spec: {storageClassName: fast}, status: {phase: Pending}}` + "\n---\n"
	warning := func(at, message string) string {
		return `{apiVersion: v1, kind: Event, metadata: {name: "` + at + `", namespace: clusters-hosted-ipv6}, type: Warning, reason: ProvisioningFailed, message: "` + message + `", lastTimestamp: "2026-11-23T` + at + `Z", involvedObject: {kind: PersistentVolumeClaim, name: data-etcd-0}}` + "\n---\n"
	}
	pod := func(status string) string {
		return waiting + `{apiVersion: v1, kind: Pod, metadata: {name: etcd-0, namespace: clusters-hosted-ipv6}, status: ` + status + `}`
	}
	stands := func(reason, message string) string {
		return `{containerStatuses: [{name: etcd, image: "quay.io/etcd@sha256:1", state: {waiting: {reason: ` + reason + `, message: "` + message + `"}}}]}`
	}
	refused := func(message string) string {
		return hosted(at("ValidReleaseImage", "False", "InvalidImage", message, "11:50:00"), "")
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"nothing to be seen", s, waiting, waits("Available is False", "more: never-available")},
		{"claim", s, claim, waits("because: volume claim data-etcd-0 is Pending, storage class fast", "oc describe pvc -n clusters-hosted-ipv6 data-etcd-0", "more: etcd-volume-pending")},
		{"claim with events", s, claim + warning("11:58:00", "older") + warning("11:59:00", "storageclass fast not found"), waits("because: volume claim data-etcd-0 is Pending, storage class fast: ProvisioningFailed: storageclass fast not found")},
		{"image", s, pod(stands("ImagePullBackOff", "manifest unknown")), waits("because: pod etcd-0 cannot pull quay.io/etcd@sha256:1, ImagePullBackOff: manifest unknown", "oc describe pod -n clusters-hosted-ipv6 etcd-0", "more: image-pull")},
		{"crash", s, pod(stands("CrashLoopBackOff", "back-off")), waits("container etcd ends again and again", "--previous", "more: pod-crashing")},
		{"too small", s, pod(`{conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: Insufficient memory}]}`), waits("is not scheduled, Unschedulable: Insufficient memory", "more: pod-unschedulable")},
		{"registry refuses", s, refused("unauthorized: authentication required"), fails("unauthorized", "more: registry-auth")},
		{"no such release", s, refused("manifest unknown"), fails("that the hub's ImageDigestMirrorSets have mirrors for the release's sources", "oc adm release info -a ", "more: invalid-release")},
	})
	f := factsOf(t, ipv4)
	verdict := s.Judge(f, sees(t, f, s, nil, strings.ReplaceAll(refused("manifest unknown"), "hosted-ipv6", "hosted-ipv4")))
	if next := verdict.Report.Next; strings.Contains(next, "ImageDigestMirrorSet") || !strings.Contains(next, "holds it, and that the pull secret") {
		t.Errorf("connected, what is next: %q", next)
	}
}

// pool is a NodePool of generation 2.
func pool(replicas, have, conditions string) string {
	return `{apiVersion: hypershift.openshift.io/v1beta1, kind: NodePool, metadata: {name: hosted-ipv6, namespace: clusters, generation: 2}, spec: {replicas: ` + replicas + `}, status: {replicas: ` + have + `, conditions: [` + conditions + `]}}`
}

func TestJudgeNodePool(t *testing.T) {
	judge(t, factsOf(t, ipv6), []judged{
		{"absent", NodePool{}, ``, waits("NodePool clusters/hosted-ipv6", "does not exist yet")},
		{"ignored", NodePool{}, pool("0", "0", ""), waits("HyperShift has not taken it up", "oc logs -n hypershift")},
		{"no release", NodePool{}, pool("0", "0", at("ValidReleaseImage", "False", "ValidationFailed", "no such image", "11:00:00")), waits("ValidReleaseImage is False (ValidationFailed): no such image")},
		{"a minor version too early", NodePool{}, pool("0", "0", at("ValidReleaseImage", "False", "ValidationFailed", `the latest version supported is: \"4.20.3\". Attempting to use: \"4.21.1\"`, "11:00:00")),
			waits("Attempting to use", "only once the HostedCluster has completed it", "labrun run LAB --from node_pool", "more: node-pool-refused")},
		{"no arch", NodePool{}, pool("0", "0", at("ValidArchPlatform", "False", "InvalidArchPlatform", "not supported", "11:00:00")), waits("ValidArchPlatform is False")},
		{"made", NodePool{}, pool("0", "0", at("Ready", "True", "AsExpected", "", "11:00:00")), doneWith("NodePool clusters/hosted-ipv6")},
		{"scaled", Scale{Replicas: 2}, pool("2", "0", ""), doneWith("NodePool hosted-ipv6 at 2 workers")},
		{"never scaled down", Scale{Replicas: 1}, pool("3", "3", ""), doneWith("3 workers")},
	})
}

func TestJudgeCompleted(t *testing.T) {
	ready := at("Ready", "True", "AsExpected", "", "11:00:00") + "," + at("AllMachinesReady", "True", "AsExpected", "", "11:00:00") + "," + at("AllNodesHealthy", "True", "AsExpected", "", "11:00:00")
	empty := at("Ready", "True", "AsExpected", "", "11:00:00") + "," + at("AllMachinesReady", "False", "AsExpected", "no machines", "11:00:00") + "," + at("AllNodesHealthy", "False", "AsExpected", "no nodes", "11:00:00")
	two := pool("2", "2", ready) + "\n---\n"
	version := func(state string) string {
		return hosted(at("ClusterVersionProgressing", "True", "ClusterOperatorsUpdating", "console is not available", "11:00:00"), `, version: {history: [{state: `+state+`, version: 4.20.3}]}`)
	}
	newest := func(version, image, conditions string) string {
		return hosted(conditions, `, version: {history: [{state: Completed, version: `+version+`, image: "`+image+`"}, {state: Completed, version: 4.20.1, image: "quay.io/x@sha256:2"}]}`)
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"no pool", Completed{}, ``, waits("NodePool clusters/hosted-ipv6", "does not exist yet")},
		{"too few", Completed{}, pool("2", "1", ready), waits("1 worker of 2 workers")},
		{"not healthy", Completed{}, pool("2", "2", at("Ready", "True", "AsExpected", "", "11:00:00")+","+at("AllMachinesReady", "False", "AsExpected", "machine x", "11:00:00")), waits("AllMachinesReady is False (AsExpected): machine x")},
		{"nothing said", Completed{}, pool("2", "2", ""), waits("no condition Ready yet")},
		{"no version", Completed{}, two + hosted("", ""), waits("HostedCluster clusters/hosted-ipv6", "no history yet")},
		{"partial", Completed{}, two + version("Partial"), waits("version Partial", "ClusterVersionProgressing is True", "console is not available", "secret/hosted-ipv6-admin-kubeconfig --keys=kubeconfig", "oc --kubeconfig hosted.kubeconfig get clusteroperators")},
		{"completed", Completed{}, two + version("Completed"), doneWith("4.20.3 completed with 2 workers")},
		{"former release", Completed{}, two + newest("4.20.2", "quay.io/x@sha256:0", ""), waits("HostedCluster clusters/hosted-ipv6", "version 4.20.2 Completed, wanted 4.20.3", "get clusterversion version -o yaml")},
		{"former release, the next is blocked", Completed{}, two + newest("4.20.2", "quay.io/x@sha256:0", at("Progressing", "False", "Blocked", "the upgrade is not allowed", "11:59:00")),
			waits("version 4.20.2 Completed, wanted 4.20.3", "blocked: the upgrade is not allowed", "more: reconcile-blocked")},
		{"the release by its image", Completed{}, two + newest("4.20.3-rc.1", "quay.io/x@sha256:1", ""), doneWith("4.20.3-rc.1 completed")},
		{"the release from a mirror", Completed{}, two + newest("4.20.3", "registry.lab.example/x@sha256:1", ""), doneWith("4.20.3 completed")},
		{"completed without workers", Completed{}, pool("0", "0", empty) + "\n---\n" + version("Completed"), doneWith("0 workers")},
	})
	f := factsOf(t, ipv6)
	if got, want := (Completed{}).Outputs(f, sees(t, f, Completed{}, nil, two+version("Completed"))), (CompletedOutputs{"4.20.3", 2}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
}

func TestJudgeHostedObjects(t *testing.T) {
	namespace := func(name, more string) string {
		return `{apiVersion: v1, kind: Namespace, metadata: {name: ` + name + more + `}}` + "\n---\n"
	}
	both := namespace("clusters", "") + namespace("clusters-hosted-ipv6", "")
	etcdKey := func(key string) string {
		return `{apiVersion: v1, kind: Secret, metadata: {name: hosted-ipv6-etcd-encryption-key, namespace: clusters}, data: {key: ` + key + `}}`
	}
	role := func(resource string) string {
		return `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: capi-provider-role, namespace: clusters-hosted-ipv6}, rules: [{apiGroups: [x], resources: [` + resource + `], verbs: ["*"]}]}`
	}
	judge(t, factsOf(t, ipv6), []judged{
		{"no namespace", Namespaces{}, namespace("clusters", ""), waits("Namespace clusters-hosted-ipv6", "does not exist yet")},
		{"namespace goes", Namespaces{}, namespace("clusters", `, deletionTimestamp: "2026-11-23T11:00:00Z"`), waits("Namespace clusters", "being deleted since 11:00:00")},
		{"namespaces", Namespaces{}, both, doneWith("clusters, clusters-hosted-ipv6")},
		{"pull secret", PullSecret{}, ``, doneWith("Secret clusters/hosted-ipv6-pull-secret")},
		{"ssh key", SSHKey{}, ``, doneWith("Secret clusters/hosted-ipv6-ssh-key")},
		{"trust bundle", TrustBundle{}, ``, doneWith("ConfigMap clusters/hosted-ipv6-user-ca-bundle")},
		{"no etcd key", EtcdKey{}, ``, waits("Secret clusters/hosted-ipv6-etcd-encryption-key", "does not exist yet")},
		{"short etcd key", EtcdKey{}, etcdKey("c2hvcnQ="), fails("does not hold 32 bytes", "labrun makes a new one")},
		{"etcd key", EtcdKey{}, etcdKey("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), doneWith("etcd-encryption-key")},
		{"no role", CAPIRole{}, ``, waits("Role clusters-hosted-ipv6/capi-provider-role", "does not exist yet")},
		{"role of no use", CAPIRole{}, role("pods"), fails("grants nothing on agents", "delete it")},
		{"role", CAPIRole{}, role("agents"), doneWith("Role clusters-hosted-ipv6/capi-provider-role")},
	})
}

func TestHostedClusterNeverMoves(t *testing.T) {
	s, f := step[HostedCluster](t, ipv6, "hosted_cluster")
	for _, c := range []struct{ name, there, want string }{
		{"network type", `networking: {networkType: OpenShiftSDN}`, "spec.networking.networkType OpenShiftSDN, and the lab wants OVNKubernetes"},
		{"namespace of the agents", `platform: {agent: {agentNamespace: elsewhere}}`, "spec.platform.agent.agentNamespace elsewhere, and the lab wants clusters-hosted-ipv6"},
		{"the same", `networking: {networkType: OVNKubernetes}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Objects(f, sees(t, f, s, nil, `{apiVersion: hypershift.openshift.io/v1beta1, kind: HostedCluster, metadata: {name: hosted-ipv6, namespace: clusters}, spec: {`+c.there+`}}`))
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, "HostedCluster clusters/hosted-ipv6", c.want)
		})
	}
}

func TestHostedOutputs(t *testing.T) {
	f := factsOf(t, ipv6)
	got := HostedCluster{}.Outputs(f, sees(t, f, HostedCluster{}, nil, hosted("", ", ignitionEndpoint: x")))
	if want := (HostedClusterOutputs{IgnitionEndpoint: "x", Version: "4.20.3"}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
	if got, want := (Namespaces{}).Outputs(f, kube.Seen{}), (NamespacesOutputs{"clusters", "clusters-hosted-ipv6"}); got != want {
		t.Errorf("outputs %+v, want %+v", got, want)
	}
}
