package openshift

import (
	"context"
	"errors"
	"fmt"

	"github.com/labrun/labrun/internal/sim/players/obj"
	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// SeedOptions say what a fresh hub is like. The zero value is a connected IPv4 hub of three nodes.
type SeedOptions struct {
	Version      string     // of OpenShift; default "4.20.3"
	Image        string     // release image; default quay.io's, by digest
	Domain       string     // cluster's domain, "hub.hypershiftbm.lab": the API is api.DOMAIN, routes are *.apps.DOMAIN
	Disconnected bool       // no telemetry: Secret telemeter-client is not there
	PullSecret   []byte     // content of openshift-config/pull-secret; default "{"auths":{}}"
	StorageClass string     // the default class; default "lvms-vg1", NoStorageClass for none
	Nodes        []SeedNode // default three: hub-ctlplane-0 to -2 at 192.168.126.20 to .22
	Catalogs     []Catalog  // CatalogSources in openshift-marketplace; default redhat-operators of registry.redhat.io
	Clusters     []string   // pod CIDRs; default 10.128.0.0/14
	Services     []string   // service CIDRs; default 172.30.0.0/16
}

// NoStorageClass, as SeedOptions.StorageClass, is a hub without any.
const NoStorageClass = "-"

// SeedNode is one control plane node that also runs workloads.
type SeedNode struct {
	Name string
	IPs  []string // without prefix length
}

// Catalog is a CatalogSource and its index image.
type Catalog struct{ Name, Image string }

func (o *SeedOptions) complete() {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&o.Version, "4.20.3")
	set(&o.Image, "quay.io/openshift-release-dev/ocp-release@sha256:0d21cdf0b1ff0bb3b5b4a2b5ab0a6d5d1b5b8d9b7c5b3c1d9f8b6a4c2e0d1f3a")
	set(&o.Domain, "hub.hypershiftbm.lab")
	set(&o.StorageClass, "lvms-vg1")
	if len(o.PullSecret) == 0 {
		o.PullSecret = []byte(`{"auths":{}}`)
	}
	if len(o.Nodes) == 0 {
		for i := range 3 {
			o.Nodes = append(o.Nodes, SeedNode{Name: fmt.Sprintf("hub-ctlplane-%d", i), IPs: []string{fmt.Sprintf("192.168.126.%d", 20+i)}})
		}
	}
	if o.Catalogs == nil {
		o.Catalogs = []Catalog{{"redhat-operators", "registry.redhat.io/redhat/redhat-operator-index:v4.20"}}
	}
	if len(o.Clusters) == 0 {
		o.Clusters = []string{"10.128.0.0/14"}
	}
	if len(o.Services) == 0 {
		o.Services = []string{"172.30.0.0/16"}
	}
}

// Seed makes a fresh OpenShift hub of an API server that has the definitions and nothing else. Objects that are there
// already stay as they are, so that seeding again harms nothing.
func Seed(ctx context.Context, c client.Client, o SeedOptions) error {
	o.complete()
	for _, part := range []func(SeedOptions) []client.Object{seedNamespaces, seedCore, seedNodes, seedStorage, seedConfig, seedOperators, seedPools, seedCatalogs} {
		for _, object := range part(o) {
			if err := plant(ctx, c, object); err != nil {
				return fmt.Errorf("seeding the hub with %T %s: %w", object, client.ObjectKeyFromObject(object), err)
			}
		}
	}
	return nil
}

// plant creates the object, and writes its status where it has one.
func plant(ctx context.Context, c client.Client, object client.Object) error {
	with := object.DeepCopyObject().(client.Object)
	err := c.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch o := with.(type) {
	case *unstructured.Unstructured:
		if o.Object["status"] == nil || object.(*unstructured.Unstructured).Object["status"] != nil {
			return nil // none, or it was taken at once: the kind has no status of its own address
		}
	case *core.Node:
	default:
		return nil
	}
	with.SetResourceVersion(object.GetResourceVersion())
	with.SetUID(object.GetUID())
	if err := c.Status().Update(ctx, with); err != nil {
		return errors.Join(errors.New("its status was refused"), err)
	}
	return nil
}

func seedNamespaces(SeedOptions) []client.Object {
	var all []client.Object
	for _, name := range []string{
		"openshift-config", "openshift-config-managed", "openshift-machine-api", "openshift-ingress", "openshift-ingress-operator",
		"openshift-marketplace", "openshift-monitoring", "openshift-storage", "openshift-image-registry", "openshift-operators",
	} {
		all = append(all, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}})
	}
	return all
}

func seedCore(o SeedOptions) []client.Object {
	all := []client.Object{
		&core.Secret{
			ObjectMeta: meta.ObjectMeta{Namespace: "openshift-config", Name: "pull-secret"},
			Type:       core.SecretTypeDockerConfigJson,
			Data:       map[string][]byte{core.DockerConfigJsonKey: o.PullSecret},
		},
		&core.ConfigMap{
			ObjectMeta: meta.ObjectMeta{Namespace: "openshift-config-managed", Name: "default-ingress-cert"},
			Data:       map[string]string{"ca-bundle.crt": "# the ingress operator's certificate\n"},
		},
	}
	if !o.Disconnected {
		all = append(all, &core.Secret{
			ObjectMeta: meta.ObjectMeta{Namespace: "openshift-monitoring", Name: "telemeter-client"},
			Data:       map[string][]byte{"token": []byte("simulated"), "salt": []byte("simulated")},
		})
	}
	return all
}

func seedStorage(o SeedOptions) []client.Object {
	if o.StorageClass == NoStorageClass {
		return nil
	}
	return []client.Object{&storage.StorageClass{
		ObjectMeta:        meta.ObjectMeta{Name: o.StorageClass, Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner:       "topolvm.io",
		VolumeBindingMode: ptr(storage.VolumeBindingWaitForFirstConsumer),
	}}
}

func seedCatalogs(o SeedOptions) []client.Object {
	var all []client.Object
	for _, c := range o.Catalogs {
		u := obj.New(obj.OLM, "CatalogSource", "openshift-marketplace", c.Name)
		obj.Set(u, map[string]any{"sourceType": "grpc", "image": c.Image, "displayName": c.Name, "publisher": "Red Hat"}, "spec")
		all = append(all, u)
	}
	return all
}
