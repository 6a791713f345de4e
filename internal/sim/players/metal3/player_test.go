package metal3_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/machine"
	"github.com/labrun/labrun/internal/sim/players/metal3"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/internal/sim/sushy/sushytest"
	"github.com/labrun/labrun/internal/sim/world"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const patience = 2 * time.Minute

// ironic serves what it is given under its own address, as a real one does.
type ironic struct {
	image []byte
	url   string
}

// Serve refuses what does not look like an image.
func (i *ironic) Serve(_ context.Context, url, node string) (string, error) {
	if !strings.HasSuffix(url, ".iso") {
		return "", &missing{}
	}
	return i.url + "/redfish/boot-" + node + ".iso", nil
}

// Remove does nothing.
func (*ironic) Remove(string) {}

type missing struct{}

// Error is what Ironic says of a missing image.
func (*missing) Error() string {
	return "Got HTTP code 404 instead of 200 in response to HEAD request."
}

type lab struct {
	t      *testing.T
	client client.Client
	bmc    *sushy.Emulator
	system sushy.System
	ironic *ironic
}

func newLab(t *testing.T, faults world.Faults) *lab {
	t.Helper()
	bmc := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{sushytest.System(0)}, User: "admin", Password: "secret", QuickPower: true})
	hub := cptest.ForTest(t, controlplane.Options{CRDs: []string{"metal3", "assisted"}, ReadyIn: 4 * time.Minute})
	l := &lab{t: t, bmc: bmc, system: sushytest.System(0), ironic: &ironic{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(l.ironic.image) }))
	t.Cleanup(server.Close)
	l.ironic.url = server.URL
	var to io.Writer = io.Discard
	if os.Getenv("LABSIM_TEST_LOG") != "" {
		to = os.Stderr
	}
	logger := slog.New(slog.NewTextHandler(to, nil))
	w := &world.World{
		Hub: hub.Config(), Log: logger, Faults: faults, Ironic: l.ironic,
		Pace: world.Pace{Speed: 600, Delays: map[string]time.Duration{"metal3.backoff": 2 * time.Second}},
		Machines: []world.Machine{{
			Name: "worker0", UUID: l.system.UUID, MAC: l.system.MAC, BMC: bmc.URL(), User: "admin", Password: "secret",
			IPs: []string{"2620:52:0:1305::5/64"}, Cores: 8, MemoryGB: 16, DiskGB: []int64{120},
		}},
	}
	log.SetLogger(logr.FromSlogHandler(logger.Handler()))
	skip := true
	mgr, err := ctrl.NewManager(hub.Config(), ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: &skip}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []world.Player{metal3.Player(), machine.Player()} {
		if err := p.Setup(mgr, w); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if l.client, err = client.New(hub.Config(), client.Options{}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) make(o client.Object) {
	l.t.Helper()
	if err := l.client.Create(context.Background(), o); err != nil {
		l.t.Fatalf("creating %s: %v", o.GetName(), err)
	}
}

func (l *lab) until(o *unstructured.Unstructured, what func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := l.client.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		if err == nil && what() {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%s never came to what was waited for (%v): %v", o.GetName(), err, o.Object["status"])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (l *lab) patch(o client.Object, patch string) {
	l.t.Helper()
	if err := l.client.Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		l.t.Fatal(err)
	}
}

func provisioning() *unstructured.Unstructured {
	p := obj.New(obj.Metal3, "Provisioning", "", "provisioning-configuration")
	p.Object["spec"] = map[string]any{"provisioningNetwork": "Disabled", "watchAllNamespaces": true}
	return p
}

func (l *lab) secret(password string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "hosts", Name: "worker0-bmc"}, Data: map[string][]byte{"username": []byte("admin"), "password": []byte(password)}}
}

func (l *lab) host() *unstructured.Unstructured {
	h := obj.New(obj.Metal3, "BareMetalHost", "hosts", "worker0")
	h.SetAnnotations(map[string]string{"inspect.metal3.io": "disabled"})
	h.Object["spec"] = map[string]any{
		"online": true, "bootMACAddress": l.system.MAC, "automatedCleaningMode": "disabled",
		"bmc": map[string]any{
			"address":         strings.Replace(l.bmc.URL(), "http://", "redfish-virtualmedia+http://", 1) + "/redfish/v1/Systems/" + l.system.UUID,
			"credentialsName": "worker0-bmc",
		},
	}
	return h
}

func state(h *unstructured.Unstructured) string {
	return obj.String(h, "status", "provisioning", "state")
}

// From a wrong password to an Agent, and away again: the player refuses, retries when the Secret is corrected, boots
// the machine from the image, and takes it down.
func TestAHostsLife(t *testing.T) {
	l := newLab(t, nil)
	l.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hosts"}})
	env := obj.New(obj.AgentInstall, "InfraEnv", "hosts", "lab")
	env.Object["spec"] = map[string]any{"pullSecretRef": map[string]any{"name": "pull-secret"}}
	l.make(env)
	l.ironic.image = machine.DiscoveryISO(string(env.GetUID()))
	h := l.host()
	l.make(l.secret("wrong"))
	l.make(h)
	l.make(provisioning()) // until now, nobody looked at the host
	l.until(h, func() bool { return obj.String(h, "status", "errorType") == "registration error" })
	if got := obj.String(h, "status", "errorMessage"); !strings.Contains(got, "returned code 401. Base.1.0.GeneralError") || !strings.HasPrefix(got, "Failed to get power state for node ") {
		t.Errorf("errorMessage is %q", got)
	}
	l.patch(l.secret(""), `{"stringData":{"password":"secret"}}`)
	l.until(h, func() bool { return state(h) == "available" })
	l.until(h, func() bool { on, _, _ := unstructured.NestedBool(h.Object, "status", "poweredOn"); return on })
	l.patch(h, `{"spec":{"image":{"url":"http://images.example/lab.iso","format":"live-iso"}}}`)
	l.until(h, func() bool { return state(h) == "provisioned" })
	if got := obj.String(h, "status", "provisioning", "image", "url"); got != "http://images.example/lab.iso" {
		t.Errorf("status.provisioning.image.url is %q", got)
	}
	agent := obj.New(obj.AgentInstall, "Agent", "hosts", l.system.UUID)
	l.until(agent, func() bool {
		_, found, _ := unstructured.NestedMap(agent.Object, "status", "inventory")
		return found && agent.GetLabels()["infraenvs.agent-install.openshift.io"] == "lab"
	})
	if err := l.client.Delete(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for !apierrors.IsNotFound(l.client.Get(context.Background(), client.ObjectKeyFromObject(h), h)) {
		if time.Now().After(deadline) {
			t.Fatalf("the host does not go: %v", h.Object["status"])
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.until(agent, func() bool { return agent.GetAnnotations()[machine.Contact] == "false" })
}

// The failure that --fail bmh-registration asks for, where nobody can change the BMC's password.
func TestABMCThatBreaksAfterThePreflight(t *testing.T) {
	l := newLab(t, world.Faults{"bmh-registration": true})
	l.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hosts"}})
	l.make(provisioning())
	l.make(l.secret("secret"))
	h := l.host()
	l.make(h)
	l.until(h, func() bool {
		count, _, _ := unstructured.NestedInt64(h.Object, "status", "errorCount")
		return count >= 2
	})
	l.until(h, func() bool { return strings.Contains(obj.String(h, "status", "errorMessage"), "returned code 401.") })
}

// The failure that --fail bmh-power asks for: the BMC answers, and changes no power.
func TestABMCThatChangesNoPower(t *testing.T) {
	l := newLab(t, world.Faults{"bmh-power": true})
	l.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hosts"}})
	l.make(provisioning())
	l.make(l.secret("secret"))
	h := l.host()
	l.make(h)
	l.until(h, func() bool {
		count, _, _ := unstructured.NestedInt64(h.Object, "status", "errorCount")
		return count >= 2 && obj.String(h, "status", "errorType") == "power management error"
	})
	text := obj.String(h, "status", "errorMessage")
	for _, part := range []string{"Failed to change power state to 'power on' by 'power on': ", "Redfish set power state failed for node ", "ComputerSystem.Reset returned code 500."} {
		if !strings.Contains(text, part) {
			t.Errorf("the host says %q, want %q in it", text, part)
		}
	}
	if state := obj.String(h, "status", "provisioning", "state"); state != "available" {
		t.Errorf("the host is %s, want available", state)
	}
}

// The failure that --fail bmh-media-lost asks for: Metal3 has done its part, the drive is empty, and no Agent appears.
func TestABMCThatLosesItsMedia(t *testing.T) {
	l := newLab(t, world.Faults{"bmh-media-lost": true})
	l.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hosts"}})
	env := obj.New(obj.AgentInstall, "InfraEnv", "hosts", "lab")
	env.Object["spec"] = map[string]any{"pullSecretRef": map[string]any{"name": "pull-secret"}}
	l.make(env)
	l.ironic.image = machine.DiscoveryISO(string(env.GetUID()))
	l.make(provisioning())
	l.make(l.secret("secret"))
	h := l.host()
	h.Object["spec"].(map[string]any)["image"] = map[string]any{"url": "http://images.example/lab.iso", "format": "live-iso"}
	l.make(h)
	l.until(h, func() bool { return state(h) == "provisioned" && obj.String(h, "status", "operationalStatus") == "OK" })
	l.until(h, func() bool {
		text, err := os.ReadFile(l.bmc.Log())
		return err == nil && strings.Contains(string(text), "VirtualMedia.EjectMedia")
	})
	agent := obj.New(obj.AgentInstall, "Agent", "hosts", l.system.UUID)
	if err := l.client.Get(context.Background(), client.ObjectKeyFromObject(agent), agent); !apierrors.IsNotFound(err) {
		t.Errorf("an Agent appeared, though its machine has nothing to boot: %v", err)
	}
}
