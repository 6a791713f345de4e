package assisted_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/assisted"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const ns = "clusters-hosted"

func storage(size string) map[string]any {
	return map[string]any{"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": size}}}
}

func operator() *apps.Deployment {
	labels := map[string]string{"app": "infrastructure-operator"}
	return &apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: "multicluster-engine", Name: "infrastructure-operator"}, Spec: apps.DeploymentSpec{
		Selector: &meta.LabelSelector{MatchLabels: labels},
		Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: core.PodSpec{Containers: []core.Container{{Name: "x", Image: "x"}}}},
	}}
}

func registries(location string) *core.ConfigMap {
	return &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{Namespace: "multicluster-engine", Name: "custom-registries", Labels: map[string]string{"app": "assisted-service"}},
		Data:       map[string]string{"registries.conf": "[[registry]]\nlocation = \"" + location + "\"\n[[registry.mirror]]\nlocation = \"registry.lab:5000/mce\"\n"},
	}
}

func host(name, mac string) *unstructured.Unstructured {
	h := obj.New(obj.Metal3, "BareMetalHost", ns, name)
	h.SetLabels(map[string]string{"infraenvs.agent-install.openshift.io": "hosted"})
	h.SetAnnotations(map[string]string{"bmac.agent-install.openshift.io/hostname": name, "bmac.agent-install.openshift.io/role": "worker"})
	obj.Set(h, map[string]any{"online": true, "bootMACAddress": mac, "rootDeviceHints": map[string]any{"deviceName": "/dev/sda"}}, "spec")
	return h
}

func provisioned(t *testing.T, c client.Client, h *unstructured.Unstructured, state string) {
	t.Helper()
	playtest.PatchStatus(t, c, h, `{"status":{"errorCount":0,"errorMessage":"","hardwareProfile":"","operationalStatus":"OK","poweredOn":false,"provisioning":{"ID":"","state":"`+state+`","image":{"url":""}}}}`)
}

func TestService(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"openshift", "olm", "assisted", "metal3"}, WithControllerManager: true})
	c := playtest.Client(t, cp.Config())
	ctx := context.Background()
	if err := openshift.Seed(ctx, c, openshift.SeedOptions{Disconnected: true}); err != nil {
		t.Fatal(err)
	}
	playtest.Run(t, playtest.World(cp.Config()), assisted.Player(), openshift.Workloads())
	playtest.Create(t, c, operator())

	config := obj.New(obj.AgentInstall, "AgentServiceConfig", "", "agent")
	config.SetAnnotations(map[string]string{"unsupported.agent-install.openshift.io/assisted-service-configmap": "assisted-service-config"})
	obj.Set(config, map[string]any{
		"databaseStorage": storage("1Gi"), "filesystemStorage": storage("1Gi"), "imageStorage": storage("1Gi"),
		"mirrorRegistryRef": map[string]any{"name": "custom-registries"},
		"osImages":          []any{map[string]any{"openshiftVersion": "4.20", "version": "9.6.1", "url": "http://web/rhcos.iso", "cpuArchitecture": "x86_64"}},
	}, "spec")
	playtest.Create(t, c, config)
	incomplete := func(reason, message string) {
		t.Helper()
		playtest.Until(t, c, config, playtest.Has(obj.Condition{Type: "ReconcileCompleted", Status: "False", Reason: reason, Message: message}))
	}
	incomplete("StorageFailure", "Image storage 1Gi is too small, it must be at least 10Gi.")
	playtest.Patch(t, c, config, `{"spec":{"imageStorage":{"resources":{"requests":{"storage":"10Gi"}}}}}`)
	incomplete("ConfigFailure", `Failed to generate definition for AssistedTrustedCAConfigMap: configmaps "custom-registries" not found`)
	bare := registries("registry.redhat.io")
	playtest.Create(t, c, bare)
	incomplete("ConfigFailure", `Failed to generate definition for AssistedServiceConfigMap: registries.conf of configmap custom-registries: invalid location "registry.redhat.io": a repository path is needed after the registry's host`)
	if err := c.Update(ctx, registries("registry.redhat.io/multicluster-engine")); err != nil {
		t.Fatal(err)
	}
	playtest.Until(t, c, config, playtest.Has(obj.Condition{Type: "ReconcileCompleted", Status: "True", Reason: "ReconcileSucceeded"}))
	playtest.Until(t, c, config, playtest.Has(obj.Condition{Type: "DeploymentsHealthy", Status: "False", Reason: "DeploymentFailure", Message: "Deployment assisted-service is not available"}))
	settings := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Namespace: "multicluster-engine", Name: "assisted-service-config"}, Data: map[string]string{"ALLOW_CONVERGED_FLOW": "false"}}
	playtest.Create(t, c, settings)
	playtest.Until(t, c, config, playtest.Has(obj.Condition{Type: "DeploymentsHealthy", Status: "True", Reason: "DeploymentSucceeded"}))

	infraEnv := obj.New(obj.AgentInstall, "InfraEnv", ns, "hosted")
	obj.Set(infraEnv, map[string]any{"pullSecretRef": map[string]any{"name": "pull-secret"}, "cpuArchitecture": "x86_64"}, "spec")
	playtest.Create(t, c, infraEnv)
	playtest.Until(t, c, infraEnv, playtest.Has(obj.Condition{Type: "ImageCreated", Status: "False", Reason: "ImageCreationError",
		Message: `Failed to create image due to an internal error: failed to find secret pull-secret: secrets "pull-secret" not found`}))
	playtest.Create(t, c, &core.Secret{ObjectMeta: meta.ObjectMeta{Namespace: ns, Name: "pull-secret"}, Type: core.SecretTypeDockerConfigJson,
		Data: map[string][]byte{core.DockerConfigJsonKey: []byte(`{"auths":{"registry.lab:5000":{"auth":"dTpw"}}}`)}})
	ready := playtest.Until(t, c, infraEnv, playtest.Has(obj.Condition{Type: "ImageCreated", Status: "True"}))
	iso := obj.String(ready, "status", "isoDownloadURL")
	if !strings.Contains(iso, string(ready.GetUID())+"/4.20/x86_64") {
		t.Errorf("the ISO is at %q, want the InfraEnv's UID, 4.20 and x86_64 in it", iso)
	}

	t.Run("not converged: the ISO, the Agent, the installation", func(t *testing.T) { install(t, c, iso) })
	t.Run("converged after a restart only", func(t *testing.T) { converge(t, c, settings) })
	t.Run("a changed InfraEnv has another ISO", func(t *testing.T) {
		playtest.Patch(t, c, infraEnv, `{"spec":{"additionalNTPSources":["ntp.lab"]}}`)
		playtest.Until(t, c, infraEnv, func(u *unstructured.Unstructured) string {
			if now := obj.String(u, "status", "isoDownloadURL"); now == "" || now == iso {
				return "the ISO is still at " + iso
			}
			return ""
		})
	})
	t.Run("Agents go with their InfraEnv", func(t *testing.T) {
		if err := c.Delete(ctx, infraEnv); err != nil {
			t.Fatal(err)
		}
		playtest.Gone(t, c, infraEnv)
		playtest.Gone(t, c, obj.New(obj.AgentInstall, "Agent", ns, "agent-worker0"))
	})
}

func install(t *testing.T, c client.WithWatch, iso string) {
	h := host("worker0", "52:54:00:AA:BB:01")
	playtest.Create(t, c, h)
	provisioned(t, c, h, "available")
	playtest.Until(t, c, h, playtest.Field(iso, "spec", "image", "url"))
	playtest.Until(t, c, h, playtest.Field("live-iso", "spec", "image", "format"))

	agent := newAgent(t, c, "agent-worker0", "52:54:00:aa:bb:01", 200)
	playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "RequirementsMet", Status: "True", Reason: "AgentIsReady"}))
	seen := playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "Bound", Status: "False", Reason: "Unbound"}))
	if seen.GetLabels()["agent-install.openshift.io/bmh"] != "worker0" || obj.String(seen, "spec", "hostname") != "worker0" || obj.String(seen, "spec", "installation_disk_id") != "/dev/disk/by-id/a" {
		t.Errorf("the Agent is not as its BareMetalHost says: %v %v", seen.GetLabels(), seen.Object["spec"])
	}
	playtest.Patch(t, c, h, `{"spec":{"rootDeviceHints":{"deviceName":"/dev/vda"}}}`)
	playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "SpecSynced", Status: "False", Reason: "InputError",
		Message: "The Spec could not be synced due to an input error: Requested installation disk is not part of the host's valid disks"}))
	playtest.Patch(t, c, h, `{"spec":{"rootDeviceHints":{"deviceName":"/dev/sda"}}}`)
	playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "SpecSynced", Status: "True", Reason: "SyncOK"}))
	playtest.Patch(t, c, agent, `{"spec":{"clusterDeploymentName":{"name":"hosted","namespace":"`+ns+`"}}}`)
	playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "Installed", Status: "True", Reason: "InstallationCompleted"}))
	playtest.Until(t, c, h, func(u *unstructured.Unstructured) string {
		if u.GetAnnotations()["baremetalhost.metal3.io/detached"] == "" {
			return "not detached"
		}
		return ""
	})
}

func converge(t *testing.T, c client.WithWatch, settings *core.ConfigMap) {
	playtest.Patch(t, c, settings, `{"data":{"ALLOW_CONVERGED_FLOW":"true"}}`)
	h := host("worker1", "52:54:00:aa:bb:02")
	playtest.Create(t, c, h)
	provisioned(t, c, h, "available")
	old := playtest.Until(t, c, h, playtest.Field("live-iso", "spec", "image", "format"))
	if obj.String(old, "spec", "customDeploy", "method") != "" {
		t.Error("the converged flow is used before the restart")
	}
	playtest.Patch(t, c, obj.New("apps/v1", "Deployment", "multicluster-engine", "assisted-service"),
		`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-11-23T12:00:00Z"}}}}}`)
	h2 := host("worker2", "52:54:00:aa:bb:03")
	image := obj.New(obj.Metal3, "PreprovisioningImage", ns, "worker2")
	image.SetLabels(h2.GetLabels())
	obj.Set(image, map[string]any{"acceptFormats": []any{"iso"}, "architecture": "x86_64"}, "spec")
	playtest.Create(t, c, image)
	playtest.Until(t, c, image, playtest.Has(obj.Condition{Type: "Ready", Status: "True", Reason: "ImageCreated"}))
	playtest.Create(t, c, h2)
	playtest.Until(t, c, h2, playtest.Field("start_assisted_install", "spec", "customDeploy", "method"))
}

// newAgent makes an Agent as a booted host's registration does.
func newAgent(t *testing.T, c client.Client, name, mac string, diskGB int64) *unstructured.Unstructured {
	t.Helper()
	a := obj.New(obj.AgentInstall, "Agent", ns, name)
	a.SetLabels(map[string]string{"infraenvs.agent-install.openshift.io": "hosted"})
	obj.Set(a, map[string]any{"approved": false, "role": ""}, "spec")
	playtest.Create(t, c, a)
	obj.Set(a, map[string]any{
		"hostname": "localhost", "cpu": map[string]any{"count": int64(8), "architecture": "x86_64"}, "memory": map[string]any{"physicalBytes": int64(16 << 30)},
		"interfaces": []any{map[string]any{"name": "eth0", "macAddress": mac, "flags": []any{}, "ipV4Addresses": []any{}, "ipV6Addresses": []any{"2620:52::5/64"}}},
		"disks": []any{map[string]any{"id": "/dev/disk/by-id/a", "path": "/dev/sda", "driveType": "HDD", "sizeBytes": diskGB * 1e9,
			"installationEligibility": map[string]any{"eligible": true, "notEligibleReasons": []any{}}}},
	}, "status", "inventory")
	text, err := json.Marshal(map[string]any{"status": a.Object["status"]})
	if err != nil {
		t.Fatal(err)
	}
	playtest.PatchStatus(t, c, a, string(text))
	return a
}

func TestFaultAgentValidation(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"openshift", "olm", "assisted", "metal3"}})
	c := playtest.Client(t, cp.Config())
	if err := openshift.Seed(context.Background(), c, openshift.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	w := playtest.World(cp.Config())
	w.Faults["agent-validation"] = true
	playtest.Run(t, w, assisted.Player(), openshift.Workloads())
	config := obj.New(obj.AgentInstall, "AgentServiceConfig", "", "agent")
	obj.Set(config, map[string]any{"databaseStorage": storage("1Gi"), "filesystemStorage": storage("1Gi")}, "spec")
	playtest.Create(t, c, operator(), config)
	agent := newAgent(t, c, "failing", "52:54:00:aa:bb:09", 200)
	playtest.Patch(t, c, agent, `{"spec":{"hostname":"worker9"}}`)
	playtest.Until(t, c, agent, playtest.Field("insufficient-unbound", "status", "debugInfo", "state"))
	playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "Validated", Status: "False", Reason: "ValidationsFailing",
		Message: "The agent's validations are failing: Host couldn't synchronize with any NTP server"}))
}
