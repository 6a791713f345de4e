package openshift_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var hub = cptest.Shared{Options: controlplane.Options{CRDs: []string{"openshift", "metal3", "olm"}, WithControllerManager: true}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

func TestHub(t *testing.T) {
	config := hub.Get(t).Config()
	c := playtest.Client(t, config)
	for range 2 { // the second time changes nothing
		if err := openshift.Seed(context.Background(), c, openshift.SeedOptions{Disconnected: true}); err != nil {
			t.Fatal(err)
		}
	}
	playtest.Run(t, playtest.World(config), openshift.Workloads(), openshift.Provisioning(), openshift.ImageConfig())

	t.Run("the seeded version is completed", func(t *testing.T) {
		v := playtest.Until(t, c, obj.New(obj.Config, "ClusterVersion", "", "version"), playtest.Has(obj.Condition{Type: "Available", Status: "True"}))
		history, _, _ := unstructured.NestedSlice(v.Object, "status", "history")
		if len(history) != 1 || history[0].(map[string]any)["state"] != "Completed" {
			t.Errorf("history is %v, want one that is Completed", history)
		}
	})
	t.Run("without a Provisioning the operator waits for one", func(t *testing.T) {
		playtest.Until(t, c, obj.New(obj.Config, "ClusterOperator", "", "baremetal"),
			playtest.Has(obj.Condition{Type: "Available", Status: "True", Reason: "WaitingForProvisioningCR", Message: "Waiting for Provisioning CR"}))
	})
	t.Run("a Provisioning of another name is refused", func(t *testing.T) {
		p := obj.New(obj.Metal3, "Provisioning", "", "mine")
		obj.Set(p, "Disabled", "spec", "provisioningNetwork")
		playtest.Refuses(t, c, p)
		refused(t, c.Create(context.Background(), p), `admission webhook "vprovisioning.kb.io" denied the request: Provisioning object is a singleton and must be named "provisioning-configuration"`)
	})
	t.Run("metal3 follows the Provisioning", func(t *testing.T) {
		p := obj.New(obj.Metal3, "Provisioning", "", "provisioning-configuration")
		obj.Set(p, "Disabled", "spec", "provisioningNetwork")
		playtest.Create(t, c, p)
		done := playtest.Has(obj.Condition{Type: "Available", Status: "True", Reason: "DeployComplete"})
		playtest.Until(t, c, obj.New(obj.Config, "ClusterOperator", "", "baremetal"), done)
		playtest.Patch(t, c, p, `{"spec":{"watchAllNamespaces":true}}`)
		playtest.Until(t, c, obj.New("apps/v1", "Deployment", "openshift-machine-api", "metal3"), func(u *unstructured.Unstructured) string {
			seen, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
			if u.GetGeneration() != 2 || seen != 2 {
				return "not rolled out anew"
			}
			return playtest.Has(obj.Condition{Type: "Available", Status: "True"})(u)
		})
		playtest.Until(t, c, obj.New(obj.Config, "ClusterOperator", "", "baremetal"), done)
	})
	t.Run("a change of images.config takes the pools through Updating", func(t *testing.T) {
		image := obj.New(obj.Config, "Image", "", "cluster")
		updating := make(chan struct{})
		go func() {
			defer close(updating)
			playtest.Until(t, c, obj.New(obj.MachineConf, "MachineConfigPool", "", "master"), playtest.Has(obj.Condition{Type: "Updating", Status: "True"}))
		}()
		playtest.Patch(t, c, image, `{"spec":{"additionalTrustedCA":{"name":"registry-config"}}}`)
		<-updating
		playtest.Until(t, c, obj.New(obj.MachineConf, "MachineConfigPool", "", "master"), playtest.Has(obj.Condition{Type: "Updated", Status: "True"}))
	})
}

func TestPodsThatCannotStart(t *testing.T) {
	config := hub.Get(t).Config()
	c := playtest.Client(t, config)
	playtest.Run(t, playtest.World(config), openshift.Workloads())
	ns := hub.Namespace(t, "pods")
	labels := map[string]string{"app": "x"}
	d := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: ns, Name: "x"}, Spec: apps.DeploymentSpec{
		Selector: &meta.LabelSelector{MatchLabels: labels},
		Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: core.PodSpec{
			Containers: []core.Container{{Name: "x", Image: "x", EnvFrom: []core.EnvFromSource{{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "settings"}}}}}},
			Volumes:    []core.Volume{{Name: "data", VolumeSource: core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}},
		}},
	}}
	playtest.Create(t, c, d)
	seen := obj.New("apps/v1", "Deployment", ns, "x")
	playtest.Until(t, c, seen, playtest.Has(obj.Condition{Type: "Available", Status: "False", Reason: "MinimumReplicasUnavailable"}))

	class := "nowhere"
	claim := &core.PersistentVolumeClaim{ObjectMeta: meta.ObjectMeta{Namespace: ns, Name: "data"}, Spec: core.PersistentVolumeClaimSpec{
		StorageClassName: &class, AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteOnce},
		Resources: core.VolumeResourceRequirements{Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("1Gi")}},
	}}
	playtest.Create(t, c, &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Namespace: ns, Name: "settings"}}, claim)
	playtest.Until(t, c, obj.New("v1", "PersistentVolumeClaim", ns, "data"), playtest.Field("Pending", "status", "phase"))
	playtest.Create(t, c, &storage.StorageClass{ObjectMeta: meta.ObjectMeta{Name: class}, Provisioner: "topolvm.io"})
	playtest.Until(t, c, seen, playtest.Has(obj.Condition{Type: "Available", Status: "True", Reason: "MinimumReplicasAvailable"}))
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the answer is %v, want %s", err, want)
	}
}
