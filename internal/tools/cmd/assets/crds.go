package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// source is one folder of CustomResourceDefinitions in a published module.
type source struct {
	set     string // folder below bin/crds, by which the simulator selects
	module  string // module@version
	pattern string // files below the module
}

const (
	hypershift  = "github.com/openshift/hypershift@v0.1.81"
	hyperAssets = "cmd/install/assets/crds/"
	hyperCRDs   = hyperAssets + "hypershift-operator/zz_generated.crd-manifests/"
	openshift   = "github.com/openshift/api@v0.0.0-20260805160557-b61243060d5f"
	configCRDs  = "config/v1/zz_generated.crd-manifests/"
	backplane   = "github.com/stolostron/backplane-operator@v0.0.0-20240209003542-4def396a0ac1"
	ocm         = "open-cluster-management.io/api@v1.1.0"
)

// sources lists what is collected: of objects that exist once a feature set, the one of the default set.
func sources() []source {
	return []source{
		{"openshift", openshift, configCRDs + "*_clusteroperators.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_clusterversions-Default.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_proxies.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_operatorhubs.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_dnses-Default.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_ingresses-Default.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_networks-Default.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_infrastructures-Default.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_images.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_imagedigestmirrorsets.crd.yaml"},
		{"openshift", openshift, configCRDs + "*_imagetagmirrorsets.crd.yaml"},
		{"openshift", openshift, "operator/v1alpha1/zz_generated.crd-manifests/*_imagecontentsourcepolicies.crd.yaml"},
		{"openshift", openshift, "route/v1/zz_generated.crd-manifests/routes.crd.yaml"},
		{"openshift", openshift, "machineconfiguration/v1/zz_generated.crd-manifests/*_machineconfigpools-SelfManagedHA.crd.yaml"},
		{"hypershift", hypershift, hyperCRDs + "*-Default.crd.yaml"},
		{"hypershift", hypershift, hyperCRDs + "certificatesigningrequestapprovals.crd.yaml"},
		{"hypershift", hypershift, hyperCRDs + "controlplanecomponents.crd.yaml"},
		{"capi", hypershift, hyperAssets + "cluster-api/cluster.x-k8s.io_clusters.yaml"},
		{"capi", hypershift, hyperAssets + "cluster-api/cluster.x-k8s.io_machine[ds]*.yaml"},
		{"capi", hypershift, hyperAssets + "cluster-api/cluster.x-k8s.io_machinehealthchecks.yaml"},
		{"capi", hypershift, hyperAssets + "cluster-api/cluster.x-k8s.io_machines.yaml"},
		{"capi", hypershift, hyperAssets + "cluster-api-provider-agent/*.yaml"},
		{"mce", backplane, "config/crd/bases/*.yaml"},
		{"assisted", backplane, "pkg/templates/crds/assisted-service/*.yaml"},
		{"hive", backplane, "pkg/templates/crds/hive-operator/hive.openshift.io_clusterdeployments.yaml"},
		{"hive", backplane, "pkg/templates/crds/hive-operator/hive.openshift.io_clusterimagesets.yaml"},
		{"metal3", "github.com/metal3-io/baremetal-operator@v0.6.0", "config/base/crds/bases/*.yaml"},
		{"metal3", "github.com/openshift/cluster-baremetal-operator@v0.0.0-20240207191432-82df158cd2e9", "manifests/*_metal3provisioning.crd.yaml"},
		{"ocm", ocm, "cluster/v1/*_managedclusters.crd.yaml"},
		{"ocm", ocm, "addon/v1alpha1/*_clustermanagementaddons.crd.yaml"},
		{"ocm", ocm, "addon/v1alpha1/*_managedclusteraddons.crd.yaml"},
		{"olm", "github.com/operator-framework/api@v0.45.0", "crds/*.yaml"},
	}
}

func crds() step {
	return step{
		name:  "crds",
		stamp: digest(fmt.Sprint("2", sources())),
		why:   "CustomResourceDefinitions: taking the real ones out of the operators' modules (downloads them; seconds to a minute)",
		make:  collect,
	}
}

// collect writes every definition as bin/crds/SET/NAME.json. JSON, as an API server starts from them many times
// and reading it is ten times as fast as reading YAML.
func collect(ctx context.Context, into string) error {
	fresh := into + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	for _, s := range sources() {
		dir, err := moduleDir(ctx, s.module)
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(s.pattern)))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s holds no file %s", s.module, s.pattern)
		}
		for _, f := range files {
			if err := convert(f, filepath.Join(fresh, s.set)); err != nil {
				return fmt.Errorf("%s: %w", f, err)
			}
		}
	}
	if err := os.RemoveAll(into); err != nil {
		return err
	}
	return os.Rename(fresh, into)
}

// convert reads one definition and writes it as an API server alone accepts it: without conversion webhook (no
// operator is there to answer it) and without the status that generators leave.
func convert(file, dir string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var object map[string]any
	if err := yaml.Unmarshal(raw, &object); err != nil {
		return err
	}
	if object["kind"] != "CustomResourceDefinition" {
		return fmt.Errorf("kind is %v, not CustomResourceDefinition", object["kind"])
	}
	delete(object, "status")
	spec, _ := object["spec"].(map[string]any)
	delete(spec, "conversion")
	metadata, _ := object["metadata"].(map[string]any)
	delete(metadata, "creationTimestamp")
	name, _ := metadata["name"].(string)
	if name == "" || strings.ContainsAny(name, "/{") {
		return fmt.Errorf("metadata.name is %q", name)
	}
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), text, 0o644)
}

// moduleDir is the folder of a module in the module cache, which is filled where needed.
func moduleDir(ctx context.Context, module string) (string, error) {
	var said, failed bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Stdout, cmd.Stderr = &said, &failed
	err := cmd.Run()
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(said.Bytes(), &got); jsonErr != nil {
		return "", fmt.Errorf("downloading %s: %w: %s", module, err, failed.String())
	}
	if got.Error != "" {
		return "", fmt.Errorf("downloading %s: %s", module, got.Error)
	}
	return got.Dir, err
}
