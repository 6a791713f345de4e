package controlplane_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/proc"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func clientset(t *testing.T, cp *controlplane.ControlPlane) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every definition that is collected must be accepted, established and served by a real API server.
func TestAllDefinitions(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{controlplane.All}})
	client, err := dynamic.NewForConfig(cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}).List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := controlplane.ReadCRDs(cptest.Need(t), controlplane.All)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 50 || len(got.Items) != len(want) {
		t.Errorf("%d definitions collected, %d installed", len(want), len(got.Items))
	}
	for _, crd := range got.Items {
		if seen := badCondition(crd); seen != "" {
			t.Errorf("%s: %s", crd.GetName(), seen)
		}
	}
	for _, r := range usedResources() {
		if _, err := client.Resource(r).List(t.Context(), meta.ListOptions{}); err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

// usedResources are those that the workflow names.
func usedResources() []schema.GroupVersionResource {
	var list []schema.GroupVersionResource
	for _, r := range strings.Fields(`
		config.openshift.io/v1/images config.openshift.io/v1/imagedigestmirrorsets config.openshift.io/v1/imagetagmirrorsets
		config.openshift.io/v1/clusterversions config.openshift.io/v1/clusteroperators config.openshift.io/v1/proxies
		config.openshift.io/v1/infrastructures config.openshift.io/v1/operatorhubs operator.openshift.io/v1alpha1/imagecontentsourcepolicies
		route.openshift.io/v1/routes machineconfiguration.openshift.io/v1/machineconfigpools
		hypershift.openshift.io/v1beta1/hostedclusters hypershift.openshift.io/v1beta1/nodepools hypershift.openshift.io/v1beta1/hostedcontrolplanes
		cluster.x-k8s.io/v1beta1/clusters cluster.x-k8s.io/v1beta1/machines cluster.x-k8s.io/v1beta1/machinesets
		capi-provider.agent-install.openshift.io/v1beta1/agentmachines capi-provider.agent-install.openshift.io/v1beta1/agentclusters
		multicluster.openshift.io/v1/multiclusterengines agent-install.openshift.io/v1beta1/infraenvs agent-install.openshift.io/v1beta1/agents
		agent-install.openshift.io/v1beta1/agentserviceconfigs agent-install.openshift.io/v1beta1/nmstateconfigs
		hive.openshift.io/v1/clusterdeployments hive.openshift.io/v1/clusterimagesets
		metal3.io/v1alpha1/baremetalhosts metal3.io/v1alpha1/preprovisioningimages metal3.io/v1alpha1/hostfirmwaresettings metal3.io/v1alpha1/provisionings
		cluster.open-cluster-management.io/v1/managedclusters addon.open-cluster-management.io/v1alpha1/managedclusteraddons
		operators.coreos.com/v1alpha1/subscriptions operators.coreos.com/v1alpha1/clusterserviceversions
		operators.coreos.com/v1alpha1/catalogsources operators.coreos.com/v1/operatorgroups`) {
		p := strings.Split(r, "/")
		list = append(list, schema.GroupVersionResource{Group: p[0], Version: p[1], Resource: p[2]})
	}
	return list
}

func badCondition(crd unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	established := false
	for _, c := range conditions {
		c := c.(map[string]any)
		switch c["type"] {
		case "Established":
			established = c["status"] == "True"
		case "NonStructuralSchema", "KubernetesAPIApprovalPolicyConformant":
			if c["type"] == "NonStructuralSchema" && c["status"] == "True" {
				return "no structural schema: " + c["message"].(string)
			}
		}
	}
	if !established {
		return "not established"
	}
	return ""
}

// A hub and a hosted cluster side by side, of two families, do not meet; namespaces go and owned objects follow.
func TestTwoSideBySide(t *testing.T) {
	start := time.Now()
	var hub, hosted *controlplane.ControlPlane
	var both errgroup.Group
	assets := cptest.Need(t, "etcd", "kube-apiserver", "kube-controller-manager")
	hubDir, hostedDir := t.TempDir(), t.TempDir()
	both.Go(func() (err error) {
		hub, err = controlplane.Start(t.Context(), controlplane.Options{Dir: hubDir, Assets: assets, Name: "hub", WithControllerManager: true})
		return err
	})
	both.Go(func() (err error) {
		hosted, err = controlplane.Start(t.Context(), controlplane.Options{Dir: hostedDir, Assets: assets, Name: "hosted", Family: controlplane.IPv6})
		return err
	})
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("both started in %s", time.Since(start))
	defer func() {
		if err := errors.Join(hub.Stop(context.Background()), hosted.Stop(context.Background())); err != nil {
			t.Error(err)
		}
	}()
	if !strings.HasPrefix(hosted.URL(), "https://[::1]:") {
		t.Errorf("hosted cluster answers at %s", hosted.URL())
	}
	if _, err := clientset(t, hub).CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "only-hub"}}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := clientset(t, hosted).CoreV1().Namespaces().Get(t.Context(), "only-hub", meta.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the hosted cluster knows the hub's namespace: %v", err)
	}
	t.Run("garbage", func(t *testing.T) { ownedObjectFollows(t, hub) })
	t.Run("namespace", func(t *testing.T) { namespaceGoes(t, hub) })
}

func ownedObjectFollows(t *testing.T, cp *controlplane.ControlPlane) {
	maps := clientset(t, cp).CoreV1().ConfigMaps("only-hub")
	owner, err := maps.Create(t.Context(), &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "owner"}}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owned := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "owned", OwnerReferences: []meta.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID}}}}
	if _, err := maps.Create(t.Context(), owned, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	watch, err := maps.Watch(ctx, meta.ListOptions{FieldSelector: "metadata.name=owned"})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	start := time.Now()
	if err := maps.Delete(t.Context(), "owner", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for e := range watch.ResultChan() {
		if e.Type == "DELETED" {
			t.Logf("collected after %s", time.Since(start))
			return
		}
	}
	t.Error("the owned object is still there")
}

func namespaceGoes(t *testing.T, cp *controlplane.ControlPlane) {
	namespaces := clientset(t, cp).CoreV1().Namespaces()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	watch, err := namespaces.Watch(ctx, meta.ListOptions{FieldSelector: "metadata.name=only-hub"})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	start := time.Now()
	if err := namespaces.Delete(t.Context(), "only-hub", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for e := range watch.ResultChan() {
		if e.Type == "DELETED" {
			t.Logf("gone after %s", time.Since(start))
			return
		}
	}
	t.Error("the namespace is still there")
}

func TestUsersAndFiles(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{Name: "hub", Audit: true})
	t.Run("kubeconfig", func(t *testing.T) {
		config, err := clientcmd.RESTConfigFromKubeConfig(cp.Kubeconfig())
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		v, err := client.Discovery().ServerVersion()
		if err != nil || v.Major != "1" || v.Minor == "" || v.GitVersion == "v0.0.0" {
			t.Errorf("version %+v, %v", v, err)
		}
	})
	t.Run("a user without rights", func(t *testing.T) {
		client, err := kubernetes.NewForConfig(cp.ConfigFor("nobody", "nothing"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.CoreV1().Secrets("default").List(t.Context(), meta.ListOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `"nobody"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("modes", func(t *testing.T) { modes(t, cp.Dir()) })
	t.Run("writes", func(t *testing.T) { writes(t, cp) })
}

func modes(t *testing.T, dir string) {
	for name, want := range map[string]os.FileMode{"": 0o700, "kubeconfig": 0o600, "pki": 0o700, "pki/ca.key": 0o600, "audit.log": 0o600, "kube-apiserver.log": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%q has mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
}

// A first apply changes, the same once more and a dry run do not.
func writes(t *testing.T, cp *controlplane.ControlPlane) {
	config := cp.ConfigFor("labrun", "system:masters")
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	maps := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default")
	apply := func(value string, dry ...string) {
		t.Helper()
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x", "namespace": "default"}, "data": map[string]any{"k": value}}}
		if _, err := maps.Apply(t.Context(), "x", object, meta.ApplyOptions{FieldManager: "test", DryRun: dry}); err != nil {
			t.Fatal(err)
		}
	}
	apply("1")
	apply("1")
	apply("2", "All")
	apply("2")
	if err := maps.Delete(t.Context(), "x", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	all, err := cp.Writes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range all {
		if w.User == "labrun" && w.Resource == "configmaps" && w.Name == "x" {
			got = append(got, w.Verb+map[bool]string{true: " changed"}[w.Changed]+map[bool]string{true: " dry"}[w.DryRun])
		}
	}
	if s := strings.Join(got, ", "); s != "patch changed, patch, patch dry, patch changed, delete changed" {
		t.Errorf("writes: %s", s)
	}
}

// When its context ends the programs end too; started again on its folder it has its objects again.
func TestContextEndsItAndItStartsAgain(t *testing.T) {
	o := controlplane.Options{Dir: t.TempDir(), Assets: cptest.Need(t, "etcd", "kube-apiserver"), CRDs: []string{"mce"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cp, err := controlplane.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientset(t, cp).CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "kept"}}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := cp.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := clientset(t, cp).Discovery().ServerVersion(); err == nil {
		t.Error("the API server still answers")
	}
	again := cptest.ForTest(t, o)
	if _, err := clientset(t, again).CoreV1().Namespaces().Get(t.Context(), "kept", meta.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func TestFailures(t *testing.T) {
	t.Run("nothing built", func(t *testing.T) {
		_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: t.TempDir(), Assets: proc.Assets{Dir: t.TempDir()}})
		if !errors.Is(err, proc.ErrNoAssets) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a set that is none", func(t *testing.T) {
		cptest.Need(t, "crds")
		_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: t.TempDir(), CRDs: []string{"none"}})
		if err == nil || !strings.Contains(err.Error(), "CustomResourceDefinitions") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("etcd dies", func(t *testing.T) {
		assets := cptest.Need(t, "kube-apiserver")
		broken := t.TempDir()
		if err := os.WriteFile(filepath.Join(broken, "etcd"), []byte("#!/bin/sh\necho no space left >&2\nexit 3\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		path, _ := assets.Path("kube-apiserver")
		if err := os.Symlink(path, filepath.Join(broken, "kube-apiserver")); err != nil {
			t.Fatal(err)
		}
		_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: t.TempDir(), Assets: proc.Assets{Dir: broken}, ReadyIn: 20 * time.Second})
		if err == nil || strings.Count(err.Error(), "no space left") != 1 {
			t.Errorf("got %v", err)
		}
	})
}
