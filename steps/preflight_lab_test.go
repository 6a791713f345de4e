package steps

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/redfish/bmctest"
)

// present creates objects with their status on the hub, and takes them away again.
func present(t *testing.T, text string) {
	t.Helper()
	client, err := dynamic.NewForConfig(hub.Get(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects(t, text) {
		gvk := o.GroupVersionKind()
		resource := strings.TrimSuffix(strings.ToLower(gvk.Kind), "s") + "s"
		if gvk.Kind == "Provisioning" {
			resource = "provisionings"
		}
		at := client.Resource(schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: resource}).Namespace(o.GetNamespace())
		made, err := at.Create(t.Context(), o, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if gvk.Kind != "Namespace" { // nobody here finishes the removal of one
			t.Cleanup(func() {
				if err := at.Delete(context.WithoutCancel(t.Context()), o.GetName(), metav1.DeleteOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		if status, ok := o.Object["status"]; ok {
			made.Object["status"] = status
			if _, err := at.UpdateStatus(t.Context(), made, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAskBMCsOfAFinishedLab asks, outside of a run, the BMC of a worker that is
// powered on, with the image in its drive that Ironic made of it, and one that has
// no host yet. What is right of the first is told by the hub alone.
func TestAskBMCsOfAFinishedLab(t *testing.T) {
	const id = "14b5025e-81d5-4a17-93b9-3eb58dc610d0"
	present(t, `{apiVersion: v1, kind: Namespace, metadata: {name: asked-hosted-ipv4}}
---
{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: worker0, namespace: asked-hosted-ipv4}, spec: {online: true}, status: {provisioning: {ID: `+id+`, state: provisioned, image: {url: "http://x/"}}, errorMessage: "", errorCount: 0, hardwareProfile: unknown, operationalStatus: OK, poweredOn: true}}
---
{apiVersion: v1, kind: Node, metadata: {name: ctlplane-0, labels: {node-role.kubernetes.io/control-plane: ""}}, status: {addresses: [{type: InternalIP, address: 192.168.125.20}]}}
---
{apiVersion: metal3.io/v1alpha1, kind: Provisioning, metadata: {name: provisioning-configuration}, spec: {provisioningNetwork: Disabled}}
`)
	kubeconfig := filepath.Join(t.TempDir(), "hub")
	if err := os.WriteFile(kubeconfig, hub.Get(t).Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RIGHT", "right")
	bmcs, macs := twoBMCs(t, func(tree bmctest.Tree) {
		tree.Set(bmctest.System, "On", "PowerState").Set(bmctest.Slot, true, "Inserted").
			Set(bmctest.Slot, "https://192.168.125.20:6183/redfish/boot-"+id+".iso", "Image")
	})
	f := factsOf(t, ipv4, "lab.hosted_cluster.namespace=asked")
	f.Workers = workersAt("RIGHT", bmcs...)
	f.Workers[0].BootMAC, f.Workers[1].BootMAC = labs.MAC(macs[0]), labs.MAC(macs[1])

	for _, c := range []struct {
		name, kubeconfig string
		power, busy      []redfish.Status
		image            string
	}{
		{"with its hub", kubeconfig, []redfish.Status{redfish.Pass, redfish.Warn}, []redfish.Status{redfish.Pass, redfish.Warn},
			"assumed: no pod of Ironic is found, and control plane node ctlplane-0 has this address"},
		{"without", kubeconfig + "-none", []redfish.Status{redfish.Warn, redfish.Warn}, []redfish.Status{redfish.Warn, redfish.Warn}, ""},
	} {
		l := NewLab(f, LabOptions{Kubeconfig: c.kubeconfig})
		defer l.Close()
		reports, err := l.AskBMCs(t.Context(), nil, &redfish.Active{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var power, busy []redfish.Status
		for _, r := range reports {
			power, busy = append(power, r.Check("power").Status), append(busy, r.Check("media-busy").Status)
		}
		if !slices.Equal(power, c.power) || !slices.Equal(busy, c.busy) {
			t.Errorf("%s: power is %v, media-busy %v: %+v", c.name, power, busy, reports)
		}
		if seen := reports[0].Check("image-url").Seen; !strings.Contains(seen, c.image) {
			t.Errorf("%s: of the image it says %q", c.name, seen)
		}
		if aside := reports[0].Check("insert").Seen; c.image != "" && !strings.Contains(aside, "the host has its BareMetalHost") {
			t.Errorf("%s: the active probe of a host says %q", c.name, aside)
		}
	}
	for _, b := range bmcs {
		if n := b.Count("POST", bmctest.Slot+"/Actions/VirtualMedia.InsertMedia"); n > 0 {
			t.Errorf("%d images were put into a drive that was taken", n)
		}
	}
}

// TestProbeIsActive has step redfish/preflight put its image into a drive and take
// it out, and leave alone the worker that has its host; a run's first pre-flight is
// never active.
func TestProbeIsActive(t *testing.T) {
	t.Setenv("RIGHT", "right")
	bmcs, macs := twoBMCs(t)
	set := []string{"lab.preflight.active=true", "lab.preflight.image_server=127.0.0.1"}
	first, _ := step[Preflight](t, ipv4, "preflight", set...)
	second, f := step[Preflight](t, ipv4, "probe_bmcs", set...)
	if usual, _ := step[Preflight](t, ipv4, "probe_bmcs"); first.Active || usual.Active || !second.Active || second.Listen != "127.0.0.1" {
		t.Fatalf("active are: the first %v, the second %v at %q, by default %v", first.Active, second.Active, second.Listen, usual.Active)
	}
	second.Hosts, second.Managed, second.Require = workersAt("RIGHT", bmcs...), []string{"worker1"}, 0
	second.Hosts[0].BootMAC, second.Hosts[1].BootMAC = labs.MAC(macs[0]), labs.MAC(macs[1])
	env, heard := anEnv(t, f, LabOptions{})
	out, err := second.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Usable, []string{"worker0", "worker1"})
	for n, want := range []int{1, 0} {
		inserted := bmcs[n].Count("POST", bmctest.Slot+"/Actions/VirtualMedia.InsertMedia")
		ejected := bmcs[n].Count("POST", bmctest.Slot+"/Actions/VirtualMedia.EjectMedia")
		if inserted != want || ejected != want {
			t.Errorf("worker%d: inserted %d times, ejected %d times, want %d", n, inserted, ejected, want)
		}
		if bmcs[n].Property(bmctest.Slot, "Inserted") != false || bmcs[n].Property(bmctest.System, "Boot", "BootSourceOverrideEnabled") != "Disabled" {
			t.Errorf("worker%d is left as %v", n, bmcs[n].Resources()[bmctest.Slot])
		}
	}
	if asked := heard.progress(); asked[len(asked)-1] != "2 of 2 BMCs asked" {
		t.Errorf("it told %q", asked)
	}
}

// TestProbeIsFollowed: a BMC counts as asked once its last check is heard of, which
// is another one where the probe is active.
func TestProbeIsFollowed(t *testing.T) {
	for active, last := range map[bool]string{false: "latency", true: "eject"} {
		env, heard := anEnv(t, factsOf(t, ipv4), LabOptions{})
		hear := Preflight{Hosts: []labs.Worker{{Name: "worker0"}}, Active: active}.following(t.Context(), env)
		for _, id := range []string{"insert", "latency", "eject"} {
			before := len(heard.progress())
			hear("worker0", redfish.Result{ID: id, Status: redfish.Pass})
			if told := heard.progress(); (len(told) > before) != (id == last) || id == last && told[before] != "1 of 1 BMC asked" {
				t.Errorf("active is %v, after %s it told %q", active, id, told)
			}
		}
	}
}
