package site

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// hubOf is a site whose management cluster is connected to so.
func hubOf(t *testing.T, config *rest.Config) Site {
	t.Helper()
	s, _ := aSite(t)
	s.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(s.Kubeconfig, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := kube.NewCluster(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s.Hub = func(context.Context) (*kube.Cluster, error) { return c, nil }
	return s
}

// A management cluster that is still to be built is not known; one that refuses is a failure.
func TestHub(t *testing.T) {
	s, _ := aSite(t)
	want(t, "no kubeconfig", one(t, s, "hub"), redfish.Unknown, "there is no kubeconfig /nowhere")
	want(t, "below it", one(t, s, "hub-rights"), redfish.Skip, "not asked: hub is not known")

	s.Kubeconfig = t.TempDir()
	want(t, "a kubeconfig that is none", one(t, s, "hub"), redfish.Fail, "no hub")

	want(t, "nobody there", one(t, hubOf(t, &rest.Config{Host: "http://127.0.0.1:1"}), "hub"), redfish.Unknown, "http://127.0.0.1:1 does not answer: connection refused")

	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401,"message":"Unauthorized"}`))
	}))
	defer refuses.Close()
	want(t, "the user is refused", one(t, hubOf(t, &rest.Config{Host: refuses.URL}), "hub"), redfish.Fail, "asking for rights failed; Unauthorized")

	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	want(t, "another CA", one(t, hubOf(t, &rest.Config{Host: untrusted.URL}), "hub"), redfish.Fail, "x509")
}

// TestCluster takes a real API server from an empty one to a hub as labrun needs it.
func TestCluster(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"openshift"}})
	s := hubOf(t, cp.Config())
	s.Facts.MCE.Namespace = "multicluster-engine"
	s.Facts.Hosted.StorageClass = ""
	client, err := dynamic.NewForConfig(cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	make := func(group, version, resource, kind, name string, more map[string]any) *unstructured.Unstructured {
		t.Helper()
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": schema.GroupVersion{Group: group, Version: version}.String(), "kind": kind}}
		u.SetName(name)
		for k, v := range more {
			u.Object[k] = v
		}
		made, err := client.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource}).Create(t.Context(), u, meta.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}

	want(t, "real", one(t, s, "hub"), redfish.Pass, "answers and accepts the user")
	want(t, "no OpenShift", one(t, s, "hub-version"), redfish.Fail, "there is no ClusterVersion version")
	version := make("config.openshift.io", "v1", "clusterversions", "ClusterVersion", "version", map[string]any{"spec": map[string]any{"clusterID": "f0d3a9a4-0000-4000-8000-000000000001"}})
	want(t, "not installed", one(t, s, "hub-version"), redfish.Fail, "no version of ClusterVersion version is completed")
	version.Object["status"] = map[string]any{"desired": map[string]any{"version": "4.20.3", "image": "x"}, "observedGeneration": int64(1), "versionHash": "x", "availableUpdates": nil,
		"history": []any{map[string]any{"state": "Completed", "version": "4.20.3", "image": "x", "verified": true, "startedTime": "2026-11-23T12:00:00Z", "completionTime": "2026-11-23T13:00:00Z"}}}
	if _, err := client.Resource(schema.GroupVersionResource{Group: "config.openshift.io", Version: "v1", Resource: "clusterversions"}).UpdateStatus(t.Context(), version, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	want(t, "installed", one(t, s, "hub-version"), redfish.Pass, "OpenShift 4.20.3")

	want(t, "no operators", one(t, s, "hub-crds"), redfish.Fail, "missing: baremetalhosts.metal3.io, provisionings.metal3.io, subscriptions.operators.coreos.com")
	want(t, "below it", one(t, s, "watch-all-namespaces"), redfish.Skip, "not asked: hub-crds failed")
	definitions, err := controlplane.ReadCRDs(cptest.Need(t, "crds"), "metal3", "olm")
	if err != nil {
		t.Fatal(err)
	}
	if err := cp.Install(t.Context(), definitions...); err != nil {
		t.Fatal(err)
	}
	want(t, "all there", one(t, s, "hub-crds"), redfish.Pass, "all 4 are there")

	want(t, "no Provisioning", one(t, s, "watch-all-namespaces"), redfish.Pass, "a run makes it")
	p := make("metal3.io", "v1alpha1", "provisionings", "Provisioning", "provisioning-configuration", map[string]any{"spec": map[string]any{"provisioningNetwork": "Disabled"}})
	want(t, "not set", one(t, s, "watch-all-namespaces"), redfish.Warn, "is not true: a run sets it, and Metal3 restarts")
	p.Object["spec"].(map[string]any)["watchAllNamespaces"] = true
	if _, err := client.Resource(schema.GroupVersionResource{Group: "metal3.io", Version: "v1alpha1", Resource: "provisionings"}).Update(t.Context(), p, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	want(t, "set", one(t, s, "watch-all-namespaces"), redfish.Pass, "true")

	want(t, "no class", one(t, s, "storage-class"), redfish.Fail, "the cluster has no storage class")
	class := func(name, standard string) {
		make("storage.k8s.io", "v1", "storageclasses", "StorageClass", name, map[string]any{"provisioner": "topolvm.io",
			"metadata": map[string]any{"name": name, "annotations": map[string]any{"storageclass.kubernetes.io/is-default-class": standard}}})
	}
	class("slow", "false")
	want(t, "no default", one(t, s, "storage-class"), redfish.Fail, "no storage class is the default")
	class("lvms", "true")
	want(t, "a default", one(t, s, "storage-class"), redfish.Pass, "the cluster has lvms, slow")
	s.Facts.Hosted.StorageClass = "fast"
	want(t, "one that is not there", one(t, s, "storage-class"), redfish.Fail, "there is no storage class fast (lab.hosted_cluster.storage_class)")
	s.Facts.Hosted.StorageClass = "slow"
	want(t, "a named one", one(t, s, "storage-class"), redfish.Pass, "slow")
	class("other", "true")
	want(t, "two defaults", one(t, s, "storage-class"), redfish.Warn, "lvms, other are all the default")

	want(t, "administrator", one(t, s, "hub-rights"), redfish.Pass, "may do everything")
	rules := map[string]any{"rules": []any{
		map[string]any{"apiGroups": []any{"*"}, "resources": []any{"*"}, "verbs": []any{"get", "list", "watch"}},
		map[string]any{"apiGroups": []any{"", "operators.coreos.com", "hypershift.openshift.io"}, "resources": []any{"*"}, "verbs": []any{"create", "patch", "update"}},
	}}
	make("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "half", rules)
	make("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "half", map[string]any{
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "half"},
		"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "half"}}})
	half := hubOf(t, cp.ConfigFor("half"))
	half.Facts.MCE.Namespace = "multicluster-engine"
	want(t, "half an administrator", one(t, half, "hub-rights"), redfish.Fail, "rights that a run needs are missing: create, update, delete leases.coordination.k8s.io in labrun; create, patch, update multiclusterengines.multicluster.openshift.io")
}
