package assisted_test

import (
	"context"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/assisted"
	"github.com/labrun/labrun/internal/sim/players/machine"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestFailures shows, as `oc get` would, what agent-lost, install-pending-user-action, root-device-hints and
// infraenv-image look like.
func TestFailures(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"openshift", "olm", "assisted", "metal3"}})
	c := playtest.Client(t, cp.Config())
	if err := openshift.Seed(context.Background(), c, openshift.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	w := playtest.World(cp.Config())
	w.Faults["install-pending-user-action"], w.Faults["infraenv-image"] = true, true
	playtest.Run(t, w, assisted.Player(), openshift.Workloads())
	config := obj.New(obj.AgentInstall, "AgentServiceConfig", "", "agent")
	obj.Set(config, map[string]any{
		"databaseStorage": storage("1Gi"), "filesystemStorage": storage("1Gi"), "imageStorage": storage("10Gi"),
		"osImages": []any{map[string]any{"openshiftVersion": "4.20", "version": "9.6.1", "url": "http://web/rhcos.iso", "cpuArchitecture": "x86_64"}},
	}, "spec")
	playtest.Create(t, c, operator(), config)

	t.Run("agent-lost", func(t *testing.T) {
		agent := newAgent(t, c, "lost", "52:54:00:aa:bb:11", 200)
		playtest.Patch(t, c, agent, `{"metadata":{"annotations":{"`+machine.Contact+`":"false"}}}`)
		playtest.Until(t, c, agent, playtest.Field("disconnected-unbound", "status", "debugInfo", "state"))
		playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "Connected", Status: "False", Reason: "AgentIsDisconnected",
			Message: "The agent has not contacted the installation service in some time, user action should be taken"}))
	})
	t.Run("install-pending-user-action", func(t *testing.T) {
		agent := newAgent(t, c, "pending", "52:54:00:aa:bb:12", 200)
		playtest.Patch(t, c, agent, `{"spec":{"hostname":"worker1","approved":true,"clusterDeploymentName":{"name":"hosted","namespace":"`+ns+`"}}}`)
		playtest.Until(t, c, agent, playtest.Field("installing-pending-user-action", "status", "debugInfo", "state"))
		seen := playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "Installed", Status: "False", Reason: "InstallationInProgress",
			Message: "The installation is in progress: Expected the host to boot from disk, but it booted the installation image - " +
				"please reboot and fix boot order to boot from disk (sda, /dev/disk/by-id/a)"}))
		if stage := obj.String(seen, "status", "progress", "currentStage"); stage != "Rebooting" {
			t.Errorf("the host is at stage %q, want Rebooting", stage)
		}
	})
	t.Run("root-device-hints", func(t *testing.T) {
		h := host("worker2", "52:54:00:aa:bb:13")
		obj.Set(h, map[string]any{"deviceName": "/dev/nvme0n1"}, "spec", "rootDeviceHints")
		infraEnv := obj.New(obj.AgentInstall, "InfraEnv", ns, "hosted")
		obj.Set(infraEnv, map[string]any{"pullSecretRef": map[string]any{"name": "pull-secret"}, "cpuArchitecture": "x86_64"}, "spec")
		playtest.Create(t, c, infraEnv, h)
		agent := newAgent(t, c, "hints", "52:54:00:aa:bb:13", 200)
		playtest.Until(t, c, agent, playtest.Has(obj.Condition{Type: "SpecSynced", Status: "False", Reason: "InputError",
			Message: "The Spec could not be synced due to an input error: Requested installation disk is not part of the host's valid disks"}))
	})
	t.Run("infraenv-image", func(t *testing.T) {
		playtest.Create(t, c, &core.Secret{ObjectMeta: meta.ObjectMeta{Namespace: ns, Name: "pull-secret"}, Type: core.SecretTypeDockerConfigJson,
			Data: map[string][]byte{core.DockerConfigJsonKey: []byte(`{"auths":{"registry.redhat.io":{"auth":"dTpw"},"quay.io":{"auth":"dTpw"}}}`)}})
		playtest.Until(t, c, obj.New(obj.AgentInstall, "InfraEnv", ns, "hosted"), playtest.Has(obj.Condition{Type: "ImageCreated", Status: "False", Reason: "ImageCreationError",
			Message: "Failed to create image due to an internal error: invalid pull secret data in secret pull-secret: " +
				`pull secret must contain auth for "registry.stage.redhat.io/multicluster-engine/assisted-installer-agent-rhel9"`}))
	})
}
