package kube

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openshift/hypershift/api/hypershift/v1beta1"
	"github.com/openshift/hypershift/api/util/ipnet"
	olm "github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func named(namespace, name string) meta.ObjectMeta {
	return meta.ObjectMeta{Namespace: namespace, Name: name}
}

func typed(apiVersion, kind string) meta.TypeMeta {
	return meta.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func aHostedCluster(namespace string) *v1beta1.HostedCluster {
	size := quantity.MustParse("8Gi")
	return &v1beta1.HostedCluster{TypeMeta: typed("hypershift.openshift.io/v1beta1", "HostedCluster"), ObjectMeta: named(namespace, "lab"),
		Spec: v1beta1.HostedClusterSpec{
			Release:    v1beta1.Release{Image: "quay.io/x@sha256:1"},
			Platform:   v1beta1.PlatformSpec{Type: v1beta1.AgentPlatform, Agent: &v1beta1.AgentPlatformSpec{AgentNamespace: "lab"}},
			PullSecret: corev1.LocalObjectReference{Name: "pull"}, SSHKey: corev1.LocalObjectReference{Name: "ssh"},
			Networking: v1beta1.ClusterNetworking{NetworkType: v1beta1.OVNKubernetes,
				ClusterNetwork: []v1beta1.ClusterNetworkEntry{{CIDR: *ipnet.MustParseCIDR("fd03::/48"), HostPrefix: 64}}},
			Services: []v1beta1.ServicePublishingStrategyMapping{published(v1beta1.APIServer), published(v1beta1.OAuthServer),
				published(v1beta1.Konnectivity), published(v1beta1.Ignition)},
			Etcd: v1beta1.EtcdSpec{ManagementType: v1beta1.Managed, Managed: &v1beta1.ManagedEtcdSpec{Storage: v1beta1.ManagedEtcdStorageSpec{
				Type: v1beta1.PersistentVolumeEtcdStorage, PersistentVolume: &v1beta1.PersistentVolumeEtcdStorageSpec{Size: &size}}}},
		}}
}

func published(s v1beta1.ServiceType) v1beta1.ServicePublishingStrategyMapping {
	return v1beta1.ServicePublishingStrategyMapping{Service: s, ServicePublishingStrategy: v1beta1.ServicePublishingStrategy{
		Type: v1beta1.NodePort, NodePort: &v1beta1.NodePortPublishingStrategy{Address: "api.lab"}}}
}

func TestPlainHoldsWhatIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		object runtime.Object
		want   string
	}{
		"ConfigMap: an empty value is one": {
			&corev1.ConfigMap{TypeMeta: typed("v1", "ConfigMap"), ObjectMeta: named("a", "b"), Data: map[string]string{"k": ""}},
			`{apiVersion: v1, kind: ConfigMap, metadata: {namespace: a, name: b}, data: {k: ""}}`},
		"Pod: a pointer to an empty struct, a zero number behind a pointer": {
			&corev1.Pod{TypeMeta: typed("v1", "Pod"), ObjectMeta: named("a", "b"), Spec: corev1.PodSpec{
				TerminationGracePeriodSeconds: new(int64),
				Volumes:                       []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}}},
			`{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: b}, spec: {terminationGracePeriodSeconds: 0, volumes: [{name: v, emptyDir: {}}]}}`},
		"Subscription": {
			&olm.Subscription{TypeMeta: typed("operators.coreos.com/v1alpha1", "Subscription"), ObjectMeta: named("mce", "mce"),
				Spec: &olm.SubscriptionSpec{Package: "mce", Channel: "stable-2.10", CatalogSource: "redhat", CatalogSourceNamespace: "openshift-marketplace"}},
			`{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {namespace: mce, name: mce},
			  spec: {name: mce, channel: stable-2.10, source: redhat, sourceNamespace: openshift-marketplace}}`},
		"NodePool": {
			&v1beta1.NodePool{TypeMeta: typed("hypershift.openshift.io/v1beta1", "NodePool"), ObjectMeta: named("a", "b"), Spec: v1beta1.NodePoolSpec{
				ClusterName: "b", Release: v1beta1.Release{Image: "i"}, Platform: v1beta1.NodePoolPlatform{Type: v1beta1.AgentPlatform},
				Management: v1beta1.NodePoolManagement{UpgradeType: v1beta1.UpgradeTypeInPlace}}},
			`{apiVersion: hypershift.openshift.io/v1beta1, kind: NodePool, metadata: {namespace: a, name: b},
			  spec: {clusterName: b, release: {image: i}, platform: {type: Agent}, management: {upgradeType: InPlace, autoRepair: false}}}`},
		"HostedCluster": {aHostedCluster("a"),
			`{apiVersion: hypershift.openshift.io/v1beta1, kind: HostedCluster, metadata: {namespace: a, name: lab}, spec: {fips: false,
			  release: {image: "quay.io/x@sha256:1"}, platform: {type: Agent, agent: {agentNamespace: lab}}, pullSecret: {name: pull}, sshKey: {name: ssh},
			  networking: {networkType: OVNKubernetes, clusterNetwork: [{cidr: "fd03::/48", hostPrefix: 64}]},
			  services: [{service: APIServer, servicePublishingStrategy: {type: NodePort, nodePort: {address: api.lab}}},
			    {service: OAuthServer, servicePublishingStrategy: {type: NodePort, nodePort: {address: api.lab}}},
			    {service: Konnectivity, servicePublishingStrategy: {type: NodePort, nodePort: {address: api.lab}}},
			    {service: Ignition, servicePublishingStrategy: {type: NodePort, nodePort: {address: api.lab}}}],
			  etcd: {managementType: Managed, managed: {storage: {type: PersistentVolume, persistentVolume: {size: 8Gi}}}}}}`},
		"unstructured: ints, no status": {
			&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "X", "metadata": map[string]any{"name": "x"}, "spec": map[string]any{"count": 3}, "status": map[string]any{}}},
			`{apiVersion: v1, kind: X, metadata: {name: x}, spec: {count: 3}}`},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := plain(c.object)
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(u.Object)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPlainRefusesWhatHasNoName(t *testing.T) {
	_, err := plain(&corev1.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "x"}})
	wantError(t, err, "needs apiVersion, kind and a name")
}

// The operator owns what labrun did not say.
func TestTypedObjectsAreAccepted(t *testing.T) {
	l := newLab(t, "typed")
	ns := hub.Namespace(t, "typed")
	s := stub{intents: []Intent{{Object: aHostedCluster(ns)}}}
	l.must("hosted", s)
	ref := Ref{APIVersion: "hypershift.openshift.io/v1beta1", Kind: "HostedCluster", Namespace: ns, Name: "lab"}
	l.set(ref, "by-the-operator", "spec", "infraID")
	if r := l.must("hosted", s); r.changed {
		t.Error("the second run changed something")
	}
	if id, _, _ := unstructured.NestedString(l.get(ref).Object, "spec", "infraID"); id != "by-the-operator" {
		t.Errorf("infraID %q", id)
	}
	for _, f := range l.get(ref).GetManagedFields() {
		if f.Manager == "labrun/typed/hosted" {
			for _, not := range []string{"f:status", "f:infraID", "f:clusterID", "f:creationTimestamp", "f:issuerURL"} {
				if containsField(f.FieldsV1.GetRawBytes(), not) {
					t.Errorf("labrun owns %s", not)
				}
			}
		}
	}
}

func containsField(raw []byte, field string) bool {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return true
	}
	var in func(map[string]any) bool
	in = func(m map[string]any) bool {
		for k, v := range m {
			if below, ok := v.(map[string]any); k == field || ok && in(below) {
				return true
			}
		}
		return false
	}
	return in(fields)
}

func TestMergePatch(t *testing.T) {
	target := map[string]any{"a": map[string]any{"b": int64(1), "c": []any{"x"}}, "gone": "x"}
	mergePatch(target, map[string]any{"a": map[string]any{"c": []any{"y"}, "d": map[string]any{"e": nil, "f": true}}, "gone": nil})
	want := map[string]any{"a": map[string]any{"b": int64(1), "c": []any{"y"}, "d": map[string]any{"f": true}}}
	if d := cmp.Diff(want, target); d != "" {
		t.Error(d)
	}
}
