package destroy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// sees is what was seen of objects, which the lab's inventory holds where they are
// labelled.
func sees(keep func(kube.Entry) string, objects ...*unstructured.Unstructured) kube.Seen {
	found := map[kube.Ref][]*unstructured.Unstructured{}
	var entries []kube.Entry
	for _, u := range objects {
		ref := kube.RefTo(u)
		found[ref] = []*unstructured.Unstructured{u}
		all := ref
		all.Name = ""
		found[all] = append(found[all], u)
		if u.GetLabels()[kube.LabelLab] == lab {
			e := entryOf(u)
			e.UID, e.Step, e.Lab = string(u.GetUID()), "s", lab
			if keep != nil {
				e.Kept = keep(e)
			}
			entries = append(entries, e)
		}
	}
	return kube.NewSeen(time.Unix(0, 0), found, nil).WithEntries(entries, nil).WithKeeper(keep)
}

func with(u *unstructured.Unstructured, value any, path ...string) *unstructured.Unstructured {
	if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
		panic(err)
	}
	return u
}

func pool(replicas int64) *unstructured.Unstructured {
	u := object(hyperShift, "NodePool", "clusters", "h", "pool", labelled(lab))
	u.SetManagedFields([]meta.ManagedFieldsEntry{{Manager: "labrun/night/scale", Operation: meta.ManagedFieldsOperationApply,
		FieldsType: "FieldsV1", FieldsV1: &meta.FieldsV1{Raw: []byte(`{"f:spec":{"f:replicas":{}}}`)}}})
	return with(with(u, "h", "spec", "clusterName"), replicas, "spec", "replicas")
}

func cluster(available string) *unstructured.Unstructured {
	u := object(hyperShift, "HostedCluster", "clusters", "h", "hc", labelled(lab))
	return with(u, []any{map[string]any{"type": "Available", "status": available}}, "status", "conditions")
}

func machine(n int) *unstructured.Unstructured {
	name := fmt.Sprintf("m%d", n)
	u := object(clusterAPI, "Machine", "clusters-h", name, name, map[string]any{"annotations": map[string]any{poolOfMachine: "clusters/h"}})
	return with(u, "a"+name, "spec", "infrastructureRef", "name")
}

func agentMachine(n int) *unstructured.Unstructured {
	name := fmt.Sprintf("am%d", n)
	return object(agentAPI, "AgentMachine", "clusters-h", name, name, nil)
}

func agent(n int, bound bool) *unstructured.Unstructured {
	u := object(crd.AgentInstallVersion, "Agent", "clusters-h", fmt.Sprintf("agent%d", n), "", map[string]any{
		"labels": map[string]any{hostOfAgent: fmt.Sprintf("w%d", n), machineOf: fmt.Sprintf("am%d", n)}})
	if bound {
		with(u, "h", "spec", "clusterDeploymentName", "name")
	}
	return u
}

func host(n int, annotations map[string]any) *unstructured.Unstructured {
	metadata := labelled(lab)
	if annotations != nil {
		metadata["annotations"] = annotations
	}
	return object(crd.Metal3Version, "BareMetalHost", "clusters-h", fmt.Sprintf("w%d", n), fmt.Sprintf("w%d", n), metadata)
}

func replicasOf(u *unstructured.Unstructured) int64 {
	n, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
	return n
}

// did are the intents of a step in short, with what they make of the objects.
func did(t *testing.T, intents []kube.Intent, seen kube.Seen) []string {
	t.Helper()
	var all []string
	for _, i := range intents {
		ref := kube.RefTo(i.Object.(*unstructured.Unstructured))
		verb := map[kube.How]string{kube.Delete: "delete", kube.Restore: cmp.Or(i.Verb, "restore"), kube.Forget: "forget"}[i.How]
		line := verb + " " + ref.Kind + " " + ref.Name
		if i.How == kube.Apply {
			line = "apply " + ref.Kind + " " + ref.Name + fmt.Sprintf(" replicas=%d as %q", replicasOf(i.Object.(*unstructured.Unstructured)), i.Manager)
		}
		if u := seen.Get(ref); i.Change != nil && u != nil {
			u = u.DeepCopy()
			if err := i.Change(u); err != nil {
				t.Fatal(err)
			}
			for _, path := range [][]string{{"spec", "replicas"}, {"spec", "nodeDrainTimeout"}, {"metadata", "annotations", keepsPlane}} {
				if v, there, _ := unstructured.NestedFieldNoCopy(u.Object, path...); there {
					line += fmt.Sprintf(" %s=%v", path[len(path)-1], v)
				}
			}
			if _, marked := u.GetAnnotations()[deleteFirst]; marked {
				line += " marked"
			}
		}
		all = append(all, line)
	}
	return all
}

func TestHost(t *testing.T) {
	away := map[string]any{detached: "assisted-service-controller"}
	for _, c := range []struct {
		name   string
		seen   kube.Seen
		want   []string
		notYet bool
	}{
		{"attached", sees(nil, host(1, nil), agent(1, false)), []string{"delete BareMetalHost w1"}, false},
		{"detached, with its Agent", sees(nil, host(1, away), agent(1, false)), nil, true},
		{"detached, and its Agent is gone", sees(nil, host(1, away), agent(2, false)), []string{"delete BareMetalHost w1"}, false},
		{"gone", sees(nil, agent(1, false)), nil, false},
		{"somebody else's", sees(nil, object(crd.Metal3Version, "BareMetalHost", "clusters-h", "w1", "x", nil)), nil, false},
	} {
		intents, err := Host{Host: HostOutput{Name: "w1"}}.Objects(facts(), c.seen)
		var notYet *kube.NotYet
		if errors.As(err, &notYet) != c.notYet || !c.notYet && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := did(t, intents, c.seen); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, i := range intents {
			if !i.Enter {
				t.Errorf("%s: the inventory forgets a host whose server may be on", c.name)
			}
		}
	}
}

// The Agents of a host that is gone go, and nobody else's.
func TestAgent(t *testing.T) {
	for _, c := range []struct {
		name string
		seen kube.Seen
		want []string
		told string // and the only warning, where one Agent stays
	}{
		{"gone", sees(nil, agent(1, false), agent(2, false)), []string{"delete Agent agent1"}, ""},
		{"bound still", sees(nil, agent(1, true)), nil, "1 Agent of w1 left: still bound to a cluster"},
		{"made anew", sees(nil, host(1, nil), agent(1, false)), nil, "BareMetalHost w1 is there again: its Agents are left"},
		{"all are gone", sees(nil, agent(2, true)), nil, "no Agent of w1 is left"},
	} {
		intents, err := Agent{Host: HostOutput{Name: "w1"}}.Objects(facts(), c.seen)
		if got := did(t, intents, c.seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		v := Agent{Host: HostOutput{Name: "w1"}}.Judge(facts(), c.seen)
		if c.told != "" && v.Summary != c.told || (len(v.Warnings) == 1) != (c.name == "bound still") {
			t.Errorf("%s: told %q, warned of %+v", c.name, v.Summary, v.Warnings)
		}
	}
}

// An undo that is cut off once a host is deleted knows the server still; the login of
// its BMC goes last.
func TestNoted(t *testing.T) {
	u := host(1, nil)
	_ = unstructured.SetNestedMap(u.Object, map[string]any{"address": "redfish://old", "credentialsName": "w1-bmc", "disableCertificateVerification": true}, "spec", "bmc")
	found := Survey{}.Outputs(facts(), sees(nil, u)).Hosts
	want := HostOutput{Name: "w1", Address: "redfish://old", Secret: "w1-bmc", Insecure: true}
	if len(found) != 1 || found[0] != want {
		t.Fatalf("hosts are %+v", found)
	}
	intents, err := Host{Host: found[0]}.Objects(facts(), sees(nil, u))
	if err != nil || len(intents) != 1 || len(intents[0].Note) == 0 {
		t.Fatalf("%+v, %v", intents, err)
	}
	e := entryOf(u)
	e.UID, e.Step, e.Key, e.Lab, e.Note = "w1", "host", "w1", lab, intents[0].Note
	login := e
	login.APIVersion, login.Kind, login.Name, login.UID, login.Note = "v1", "Secret", "w1-bmc", "s", nil
	secret := object("v1", "Secret", "clusters-h", "w1-bmc", "s", labelled(lab))
	seen := kube.NewSeen(time.Unix(0, 0), map[kube.Ref][]*unstructured.Unstructured{login.Ref(): {secret}}, nil).WithEntries([]kube.Entry{e, login}, nil)
	if found := (Survey{}).Outputs(facts(), seen).Hosts; len(found) != 1 || found[0] != want {
		t.Errorf("once it is gone, hosts are %+v", found)
	}
	if intents, err := (Objects{}).Objects(facts(), seen); err != nil || len(intents) > 0 {
		t.Errorf("the login goes before the server is off: %q, %v", did(t, intents, seen), err)
	}
	seen = seen.WithEntries([]kube.Entry{login}, nil)
	if intents, err := (Objects{}).Objects(facts(), seen); err != nil || !slices.Equal(did(t, intents, seen), []string{"delete Secret w1-bmc"}) {
		t.Errorf("the login stays: %q, %v", did(t, intents, seen), err)
	}
}

// A host is entered before it is made: where its creation was refused, or the run was
// killed there, the server that the lab file names is none of labrun's. One that was
// made, and that somebody has deleted, still is.
func TestHostThatWasNeverMade(t *testing.T) {
	login := object("v1", "Secret", "clusters-h", "w1-bmc", "s", labelled(lab))
	for _, c := range []struct {
		name  string
		uid   string
		note  string
		hosts []string
		want  []string // of the objects' step
	}{
		{"refused", "", "", nil, []string{"forget BareMetalHost w1", "delete Secret w1-bmc"}},
		{"deleted by somebody", "w1", "", []string{"w1"}, nil},
		{"deleted by an undo that was cut off, before its UID was known", "", `{"address": "redfish://old"}`, []string{"w1"}, nil},
	} {
		e := entryOf(host(1, nil))
		e.UID, e.Step, e.Key, e.Lab, e.Note = c.uid, "host", "w1", lab, []byte(c.note)
		s := entryOf(login)
		s.UID, s.Step, s.Key, s.Lab = "s", "host", "w1", lab
		seen := kube.NewSeen(time.Unix(0, 0), map[kube.Ref][]*unstructured.Unstructured{s.Ref(): {login}}, nil).WithEntries([]kube.Entry{e, s}, nil)
		var hosts []string
		for _, h := range (Survey{}).Outputs(facts(), seen).Hosts {
			hosts = append(hosts, h.Name)
		}
		if !slices.Equal(hosts, c.hosts) {
			t.Errorf("%s: servers to switch off are %q, want %q", c.name, hosts, c.hosts)
		}
		v := Survey{}.Judge(facts(), seen)
		if told := len(v.Warnings) == 1 && strings.Contains(v.Warnings[0].Title, "w1 was about to be made"); told != (c.hosts == nil) {
			t.Errorf("%s: told %+v", c.name, v.Warnings)
		}
		intents, err := Objects{}.Objects(facts(), seen)
		if got := did(t, intents, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
	}
}

// A host that somebody else had made, or made anew, keeps its server as it is, and the
// inventory forgets it: the undo ends.
func TestHostOfSomebodyElse(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry func(*kube.Entry)
		want  []string
	}{
		{"adopted", func(e *kube.Entry) { e.Found = true }, []string{"restore BareMetalHost w1", "forget BareMetalHost w1"}},
		{"made anew", func(e *kube.Entry) { e.UID = "former" }, []string{"forget BareMetalHost w1"}},
		{"the lab's own", func(*kube.Entry) {}, nil},
	} {
		u := host(1, nil)
		e := entryOf(u)
		e.UID, e.Step, e.Key, e.Lab = "w1", "host", "w1", lab
		c.entry(&e)
		seen := kube.NewSeen(time.Unix(0, 0), map[kube.Ref][]*unstructured.Unstructured{e.Ref(): {u}}, nil).WithEntries([]kube.Entry{e}, nil)
		intents, err := Objects{}.Objects(facts(), seen)
		if got := did(t, intents, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
		if off := len(Survey{}.Outputs(facts(), seen).Hosts) > 0; off != (c.want == nil) {
			t.Errorf("%s: its server is switched off: %t", c.name, off)
		}
	}
}

func TestManagedCluster(t *testing.T) {
	imported := func(via string) *unstructured.Unstructured {
		return object("cluster.open-cluster-management.io/v1", "ManagedCluster", "", "h", "mc", map[string]any{"annotations": map[string]any{createdVia: via}})
	}
	keep := func(kube.Entry) string { return "kept" }
	for _, c := range []struct {
		name string
		seen kube.Seen
		want []string
	}{
		{"imported by the add-on", sees(nil, cluster("True"), imported("hypershift")), []string{"delete ManagedCluster h"}},
		{"imported by a person", sees(nil, cluster("True"), imported("other")), nil},
		{"of a cluster that is kept", sees(keep, cluster("True"), imported("hypershift")), nil},
		{"of somebody else's cluster", sees(nil, imported("hypershift")), nil},
	} {
		intents, err := ManagedCluster{}.Objects(facts(), c.seen)
		if got := did(t, intents, c.seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What the hosted cluster's files are held against goes with it: they are looked after
// where it is to go, and where it is gone.
func TestSurveyTellsWhetherTheHostedClusterGoes(t *testing.T) {
	entry := entryOf(cluster("True"))
	entry.UID, entry.Step, entry.Lab = "hc", "s", lab
	keeps := entry
	keeps.Kept = "a phase"
	for _, c := range []struct {
		name string
		seen kube.Seen
		want bool
	}{
		{"the lab's", sees(nil, cluster("True")), true},
		{"kept", sees(func(kube.Entry) string { return "a phase" }, cluster("True")), false},
		{"somebody else's", sees(nil, object(hyperShift, "HostedCluster", "clusters", "h", "hc", labelled("day"))), false},
		{"gone, and in the inventory", sees(nil).WithEntries([]kube.Entry{entry}, nil), true},
		{"gone, and in no inventory", sees(nil), true},
		{"gone, and kept", sees(nil).WithEntries([]kube.Entry{keeps}, nil), false},
	} {
		if got := (Survey{}).Outputs(facts(), c.seen).Hosted; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
