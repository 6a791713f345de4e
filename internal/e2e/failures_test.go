package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// slack is what a busy machine may take between an operator's event and the end
// of the step that waits for it.
const slack = 20 * time.Second

// failure is one thing that goes wrong, and how the run tells it.
type failure struct {
	name     string
	override string // of the lab file: grace times and attempts, set short
	step     string // that fails
	code     trouble.ID
	title    string // NS is the control plane's namespace, CLUSTER and WORKER are names
	lines    []string
	next     []string
	timely   func(t *testing.T, l *lab, o outcome, i *event.Instance)
}

func failures() []failure {
	const grace = 2 * time.Second
	return []failure{
		{
			name: "bmh-registration", code: trouble.HostRegistration, override: "host: {with: {attempts: 2}}", step: "host",
			title: "BareMetalHost NS/WORKER has a registration error, 2nd attempt",
			lines: []string{"it said: Failed to get power state for node ", "returned code 401", "seen: state registering", "BMC: redfish-virtualmedia+https://[::1]:", "as admin of Secret WORKER-bmc"},
			next:  []string{"labrun preflight ", " --host WORKER", "oc get -n NS baremetalhost.metal3.io WORKER -o yaml"},
			// Metal3 tries again: the first error is shown, the second one ends the step.
			timely: func(t *testing.T, _ *lab, o outcome, i *event.Instance) {
				shown := o.shown(i, "registration error, 1st attempt")
				if shown.IsZero() {
					t.Error("the first error was not shown")
				}
				within(t, "after the first error was shown", i.Ended.Sub(shown), 0, backoff+slack)
			},
		},
		{
			name: "agent-validation", code: trouble.AgentValidation, override: "agent: {with: {grace: 2s}}", step: "agent",
			title: "has Validated False (ValidationsFailing)",
			lines: []string{"it said: The agent's validations are failing: ", "validation: ntp-synced: Host couldn't synchronize with any NTP server", "worker: WORKER, state insufficient-unbound"},
			next:  []string{"mend what the validation names", "oc get -n NS agent.agent-install.openshift.io "},
			timely: func(t *testing.T, l *lab, _ outcome, i *event.Instance) {
				since := l.since(t, i, "agent-install.openshift.io/v1beta1", "agents", l.facts.ControlPlaneNamespace(), "Validated", "False")
				within(t, "after Validated became False", i.Ended.Sub(since), grace, grace+slack)
			},
		},
		{
			name: "invalid-release", code: trouble.InvalidRelease, override: "hosted_cluster: {with: {grace: 2s}}", step: "hosted_cluster",
			title: "HostedCluster clusters/CLUSTER has ValidReleaseImage False (InvalidImage)",
			lines: []string{"it said: ", "since: "},
			next:  []string{"check lab.release.image", "oc adm release info -a ", " quay.io/openshift-release-dev/ocp-release@sha256:"},
			timely: func(t *testing.T, l *lab, _ outcome, i *event.Instance) {
				since := l.since(t, i, "hypershift.openshift.io/v1beta1", "hostedclusters", l.facts.Hosted.Namespace, "ValidReleaseImage", "False")
				within(t, "after ValidReleaseImage became False", i.Ended.Sub(since), grace, grace+slack)
			},
		},
		{
			// HyperShift never says that it gave up: the step's own time ends it.
			name: "never-available", code: trouble.PodCrashing, override: "hosted_cluster: {timeout: 45s}", step: "hosted_cluster",
			title: "hosted_cluster timed out after 45s",
			lines: []string{"last seen: HostedCluster clusters/CLUSTER", "seen: Available is False (WaitingForAvailable): ", "part: KubeAPIServerAvailable is False (", "since: ", "because: pod kube-apiserver-"},
			next:  []string{"oc logs -n NS kube-apiserver-", " --previous --all-containers"},
			timely: func(t *testing.T, _ *lab, _ outcome, i *event.Instance) {
				within(t, "after its start", i.Ended.Sub(i.Started), 45*time.Second, 45*time.Second+slack)
			},
		},
		{
			name: "etcd-volume-pending", code: trouble.EtcdVolumePending, override: "hosted_cluster: {timeout: 45s}", step: "hosted_cluster",
			title: "hosted_cluster timed out after 45s",
			lines: []string{"seen: Available is False (", "because: volume claim data-etcd-0 is Pending", "means: etcd waits for a volume"},
			next:  []string{"oc describe pvc -n NS data-etcd-0", "oc get storageclass"},
		},
		{
			name: "image-pull-mirror", code: trouble.ImagePull, override: "hosted_cluster: {timeout: 45s}", step: "hosted_cluster",
			title: "hosted_cluster timed out after 45s",
			lines: []string{"seen: Available is False (", "because: pod ", "ImagePullBackOff", "means: A node of the management cluster cannot pull"},
			next:  []string{"oc describe pod -n NS "},
		},
		{
			name: "registry-auth", code: trouble.RegistryAuth, override: "hosted_cluster: {with: {grace: 2s}}", step: "hosted_cluster",
			title: "HostedCluster clusters/CLUSTER has ValidReleaseImage False (InvalidImage)",
			lines: []string{"unauthorized", "since: ", "means: The registry answers, and refuses the login"},
			next:  []string{"renew the login in the pull secret", "podman login --authfile "},
		},
		{
			name: "agent-lost", code: trouble.AgentLost, override: "agent: {with: {grace: 2s}}", step: "agent",
			title: "has Connected False (AgentIsDisconnected)",
			lines: []string{"it said: The agent has not contacted the installation service", "worker: WORKER, state disconnected"},
			next:  []string{"labrun preflight ", "agent.agent-install.openshift.io "},
		},
	}
}

// backoff is between two tries of the simulated Metal3, here.
const backoff = time.Second

// TestFailures lets each failure happen, and looks at how and when the run ends.
func TestFailures(t *testing.T) {
	t.Parallel()
	all := failures()
	// The first lab's BMC is broken, and the second one goes on to its Agents: one hub is enough for both.
	hubs := [][]failure{all[:2], all[2:3], all[3:4]}
	if *further {
		hubs = append(append(hubs, all[4:5], all[5:6], all[6:7], all[7:]), furtherFailures()...)
	}
	for _, hub := range hubs {
		var names []string
		for _, f := range hub {
			names = append(names, f.name)
		}
		t.Run(strings.Join(names, "+"), func(t *testing.T) {
			t.Parallel()
			pace := map[string]time.Duration{"metal3.backoff": backoff}
			first := start(t, overridden(t, hub[0].override), sim.Options{Fail: names, Delays: pace})
			hub[0].happens(t, first)
			for _, f := range hub[1:] {
				f.happens(t, start(t, neighbour(t, f.override), sim.Options{Hub: first.Lab, Fail: []string{f.name}, Delays: pace}))
			}
		})
	}
}

// happens runs the lab on which it happens.
func (f failure) happens(t *testing.T, l *lab) {
	t.Helper()
	o := l.run(t).must(t, 1)
	t.Logf("--fail %s%s%s", f.name, o.err[max(0, strings.Index(o.err, "\n✗")):], o.out)
	failed := o.failed()
	if len(failed) == 0 || slices.ContainsFunc(failed, func(i *event.Instance) bool { return i.Step != f.step }) {
		t.Fatalf("failed: %v, want instances of %s", o.status(event.Failed), f.step)
	}
	if len(o.status(event.Blocked)) == 0 {
		t.Error("nothing was blocked")
	}
	if *further {
		l.wantBlock(t, f.name, o, failed[0])
	}
	for _, i := range failed {
		f.wantReport(t, l, i)
		if f.timely != nil {
			f.timely(t, l, o, i)
		}
		l.wantEvidence(t, i)
	}
}

func (f failure) wantReport(t *testing.T, l *lab, i *event.Instance) {
	t.Helper()
	r := i.Result.Report
	if r == nil {
		t.Fatalf("%s failed without a report", i.Name())
	}
	var all []string
	for _, line := range r.Lines {
		all = append(all, line.Label+": "+line.Text)
	}
	texts := strings.Join(all, "\n")
	worker := strings.NewReplacer("WORKER", i.Key, "NS", l.facts.ControlPlaneNamespace(), "CLUSTER", l.facts.Hosted.Name).Replace
	if r.Code != string(f.code) {
		t.Errorf("%s: code %q, want %q", i.Name(), r.Code, f.code)
	}
	if !strings.Contains(r.Title, worker(f.title)) {
		t.Errorf("%s: title %q, want %q", i.Name(), r.Title, worker(f.title))
	}
	for _, want := range f.lines {
		if !strings.Contains(texts, worker(want)) {
			t.Errorf("%s: %q is missing in\n%s", i.Name(), worker(want), texts)
		}
	}
	for _, want := range f.next {
		if !strings.Contains(r.Next, worker(want)) {
			t.Errorf("%s: next is %q, want %q", i.Name(), r.Next, worker(want))
		}
	}
}

// overridden is the disconnected lab with some steps' options set otherwise.
func overridden(t *testing.T, override string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, disconnected))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if override != "" {
		text = append(text, "override:\n  "+override+"\n"...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (o outcome) failed() []*event.Instance {
	var all []*event.Instance
	for _, i := range o.instances() {
		if i.Result != nil && i.Result.Status == event.Failed {
			all = append(all, i)
		}
	}
	return all
}

// shown is when an instance first showed a text while it waited, zero for never.
func (o outcome) shown(i *event.Instance, text string) time.Time {
	for _, e := range o.events {
		if e.Type == event.StepProgress && e.Step == i.Step && e.Key == i.Key && strings.Contains(e.Report.Title, text) {
			return e.Time
		}
	}
	return time.Time{}
}

// since is when a condition took its status, of the object that a failure names.
func (l *lab) since(t *testing.T, i *event.Instance, version, resource, namespace, condition, status string) time.Time {
	t.Helper()
	client, err := dynamic.NewForConfig(l.Hub().Config())
	if err != nil {
		t.Fatal(err)
	}
	gv, err := schema.ParseGroupVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.Resource(gv.WithResource(resource)).Namespace(namespace).List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.Items {
		if !strings.Contains(i.Result.Report.Title, u.GetName()+" ") {
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		for _, c := range conditions {
			if c, ok := c.(map[string]any); ok && c["type"] == condition && c["status"] == status {
				at, err := time.Parse(time.RFC3339, c["lastTransitionTime"].(string))
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
		}
	}
	t.Fatalf("none of %d %s has %s %s", len(list.Items), resource, condition, status)
	return time.Time{}
}

// within checks a duration; the servers' times are whole seconds.
func within(t *testing.T, what string, took, from, to time.Duration) {
	t.Helper()
	if took < from || took > to+time.Second {
		t.Errorf("the step ended %s %s, want %s to %s", took, what, from, to)
	}
	t.Logf("the step ended %s %s", took.Round(100*time.Millisecond), what)
}
