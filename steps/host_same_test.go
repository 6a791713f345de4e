package steps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/redfish/bmctest"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

// onHub is a lab whose control plane's namespace is on the test's API server.
func onHub(t *testing.T, namespace string) (*labs.Facts, LabOptions) {
	t.Helper()
	f := factsOf(t, ipv4, "lab.hosted_cluster.namespace="+namespace)
	client := kubernetes.NewForConfigOrDie(hub.Get(t).Config())
	plane := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: f.ControlPlaneNamespace()}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), plane, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "hub")
	if err := os.WriteFile(kubeconfig, hub.Get(t).Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, LabOptions{Kubeconfig: kubeconfig}
}

// A worker whose lab file names another server by now: the one that its BareMetalHost
// has is switched off, by the login of its own Secret, and the new one stays on.
func TestPowerOffOfReplacedServer(t *testing.T) {
	t.Setenv("RIGHT", "right")
	f, o := onHub(t, hub.Namespace(t, "replaced"))
	old := leftOnWith(t, "former", "https://hub:6183/redfish/boot-3c1f.iso")
	new := leftOn(t, "https://hub:6183/redfish/boot-3c20.iso")
	f.Workers = workersAt("RIGHT", new)
	host := destroy.HostOutput{Name: "worker0", Address: old.Address(bmctest.System), Secret: "worker0-bmc", Insecure: true}
	client := kubernetes.NewForConfigOrDie(hub.Get(t).Config()).CoreV1().Secrets(f.ControlPlaneNamespace())
	login := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: host.Secret}, Data: map[string][]byte{"username": []byte("admin"), "password": []byte("former")}}
	if _, err := client.Create(t.Context(), login, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	env, heard := anEnv(t, f, o)
	if out, err := (BMCLogins{Hosts: []destroy.HostOutput{host}}).Run(t.Context(), env); err != nil || out.Known != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	out, err := PowerOff{Host: host}.Run(t.Context(), env)
	if err != nil || out.Seen != "switched off, image ejected" {
		t.Errorf("%+v, %v: %+v", out, err, heard.events)
	}
	if was, is := old.Property(bmctest.System, "PowerState"), new.Property(bmctest.System, "PowerState"); was != "Off" || is != "On" {
		t.Errorf("the old server is %v, the new one %v", was, is)
	}

	// Without the Secret nobody knows the old one, and the new one is still left alone.
	if err := client.Delete(t.Context(), host.Secret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	env, heard = anEnv(t, f, o)
	if out, err := (BMCLogins{Hosts: []destroy.HostOutput{host}}).Run(t.Context(), env); err != nil || out.Known != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err := (PowerOff{Host: host}).Run(t.Context(), env); err != nil || out.Seen != "not known any more" || len(heard.events) != 1 || !strings.Contains(heard.events[0].Report.Title, "nobody knows how to reach the BMC of worker0 any more") {
		t.Errorf("%+v, %v: %+v", out, err, heard.events)
	}
	if is := new.Property(bmctest.System, "PowerState"); is != "On" {
		t.Errorf("the new server is %v", is)
	}
}

// What Metal3 lets nobody change is told, and nothing that it takes.
func TestUnlikes(t *testing.T) {
	const mac, bmc = "boot_mac", "bmc.address"
	for _, c := range []struct {
		mac, address, state, operational string
		want                             []string
	}{
		{"52:54:00:00:00:01", "redfish://a", "provisioned", "OK", nil},
		{"52:54:00:00:00:02", "redfish://a", "provisioned", "detached", []string{mac}},
		{"52:54:00:00:00:01", "redfish://b", "provisioned", "OK", []string{bmc}},
		{"52:54:00:00:00:01", "redfish://b", "provisioned", "detached", nil},
		{"52:54:00:00:00:01", "redfish://b", "registering", "error", nil},
		{"52:54:00:00:00:02", "redfish://b", "registering", "OK", []string{mac, bmc}},
		{"", "", "provisioned", "OK", nil}, // of somebody who sets them elsewhere
	} {
		host := &crd.BareMetalHost{}
		host.Spec.BootMACAddress, host.Spec.BMC.Address = c.mac, c.address
		host.Status.Provisioning.State, host.Status.OperationalStatus = c.state, c.operational
		w := labs.Worker{BootMAC: "52:54:00:00:00:01", BMC: labs.BMC{Address: "redfish://a"}}
		var got []string
		for _, u := range unlikes(w, host) {
			got = append(got, u.fact)
		}
		equal(t, got, c.want)
	}
}

// Before a run each fact is told in which a host is another server; of a host that is
// to go first nothing is.
func TestOtherServers(t *testing.T) {
	t.Setenv("BMC_PASSWORD", "x")
	f, o := onHub(t, hub.Namespace(t, "others"))
	env, _ := anEnv(t, f, o)
	if found := env.otherServers(t.Context()); len(found) > 0 {
		t.Errorf("without a host: %+v", found)
	}
	hosts := dynamic.NewForConfigOrDie(hub.Get(t).Config()).Resource(schema.GroupVersionResource{Group: "metal3.io", Version: "v1alpha1", Resource: "baremetalhosts"}).Namespace(f.ControlPlaneNamespace())
	document := strings.NewReplacer("ADDRESS", f.Workers[0].BMC.Address, "LABEL", kube.LabelKey).Replace(`
apiVersion: metal3.io/v1alpha1
kind: BareMetalHost
metadata: {name: worker0, labels: {LABEL: worker0}}
spec: {online: true, bootMACAddress: "52:54:00:ff:ff:ff", bmc: {address: "ADDRESS", credentialsName: worker0-bmc}}
`)
	if _, err := hosts.Create(t.Context(), objects(t, document)[0], metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	found := env.otherServers(t.Context())
	if len(found) != 1 || found[0].Path != "workers[0].boot_mac" || !strings.Contains(found[0].Message, "52:54:00:ff:ff:ff") || !strings.Contains(found[0].Hint, "labrun rebuild LAB --worker worker0") {
		t.Errorf("%+v", found)
	}
	_, err := Host{Worker: f.Workers[0]}.Objects(f, sees(t, f, Host{Worker: f.Workers[0]}, nil, strings.Replace(document, "name: worker0", "name: worker0, namespace: "+f.ControlPlaneNamespace(), 1)))
	wantError(t, err, "is another server than the lab file's worker, boot MAC 52:54:00:ff:ff:ff there and "+string(f.Workers[0].BootMAC)+" in the file")

	o.Keeps = func(_, key string) string { return map[bool]string{true: "", false: "kept"}[key == "worker0"] }
	env, _ = anEnv(t, f, o)
	if found := env.otherServers(t.Context()); len(found) > 0 {
		t.Errorf("of a host that goes: %+v", found)
	}
	o.Keeps = nil
	wantLeftOn(t, f, o)
	env, _ = anEnv(t, f, LabOptions{Kubeconfig: "no-such-file"})
	if found := env.otherServers(t.Context()); len(found) > 0 {
		t.Errorf("without a cluster: %+v", found)
	}
}

// wantLeftOn enters a host that an undo deleted, whose server it has not come to.
func wantLeftOn(t *testing.T, f *labs.Facts, o LabOptions) {
	t.Helper()
	entry := func(address string) string {
		return `{"step": "host", "key": "worker1", "lab": "x", "apiVersion": "metal3.io/v1alpha1", "kind": "BareMetalHost", "namespace": "n", "name": "worker1",
			"note": {"name": "worker1", "address": "` + address + `"}}`
	}
	for address, want := range map[string]int{"redfish://old/1": 1, f.Workers[1].BMC.Address: 0} {
		leave := enter(t, hub.Get(t), f, map[string]string{"host": entry(address)})
		env, _ := anEnv(t, f, o)
		found := env.otherServers(t.Context())
		found = slices.DeleteFunc(found, func(p pipeline.FactProblem) bool { return p.Path == "workers[0].boot_mac" })
		if len(found) != want || want == 1 && (found[0].Path != "workers[1].bmc.address" || !strings.Contains(found[0].Message, "redfish://old/1, has not been switched off yet") ||
			found[0].Hint != "labrun destroy LAB --worker worker1 goes on with it") {
			t.Errorf("%s: %+v", address, found)
		}
		leave()
	}
}
