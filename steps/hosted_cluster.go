package steps

import (
	"fmt"
	"strings"

	configv1 "github.com/openshift/api/config/v1"
	"github.com/openshift/hypershift/api/hypershift/v1beta1"
	"github.com/openshift/hypershift/api/util/ipnet"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// hyperShiftVersion is HyperShift's API.
const hyperShiftVersion = "hypershift.openshift.io/v1beta1"

// etcdSize is the claim that the reference labs give etcd.
const etcdSize = "8Gi"

func hostedClusterRef(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: hyperShiftVersion, Kind: "HostedCluster", Namespace: f.Hosted.Namespace, Name: f.Hosted.Name}
}

// Reads the HostedCluster, of which some fields can never change.
func (HostedCluster) Reads(f *labs.Facts) []kube.Ref {
	ref := hostedClusterRef(f)
	ref.Optional = true
	return []kube.Ref{ref}
}

// fixed refuses to change what HyperShift would let pass although it breaks the
// cluster; what it refuses itself, it names.
func fixed(f *labs.Facts, there *unstructured.Unstructured, wanted *v1beta1.HostedCluster) error {
	for _, field := range []struct {
		path []string
		want string
	}{
		{[]string{"spec", "networking", "networkType"}, string(wanted.Spec.Networking.NetworkType)},
		{[]string{"spec", "platform", "agent", "agentNamespace"}, wanted.Spec.Platform.Agent.AgentNamespace},
	} {
		if have := text(there, field.path...); have != "" && have != field.want {
			return &pipeline.Report{Report: event.Report{
				Title: fmt.Sprintf("%s has %s %s, and the lab wants %s: it cannot change while the cluster lives", what(hostedClusterRef(f)), strings.Join(field.path, "."), have, field.want),
				Next:  "delete the HostedCluster first, or keep the former value (patch)",
			}}
		}
	}
	return nil
}

// Objects are the HostedCluster. Fields that the operator fills (clusterID,
// infraID) stay the operator's.
func (s HostedCluster) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	networking, err := networking(f)
	if err != nil {
		return nil, err
	}
	hc := &v1beta1.HostedCluster{
		TypeMeta:   typeMeta(hyperShiftVersion, "HostedCluster"),
		ObjectMeta: meta(f.Hosted.Namespace, f.Hosted.Name),
		Spec: v1beta1.HostedClusterSpec{
			Release:                          v1beta1.Release{Image: f.Release.Image},
			Platform:                         v1beta1.PlatformSpec{Type: v1beta1.AgentPlatform, Agent: &v1beta1.AgentPlatformSpec{AgentNamespace: f.ControlPlaneNamespace()}},
			PullSecret:                       corev1.LocalObjectReference{Name: pullSecretName(f)},
			SSHKey:                           corev1.LocalObjectReference{Name: sshKeyName(f)},
			Networking:                       networking,
			Services:                         services(f),
			DNS:                              v1beta1.DNSSpec{BaseDomain: f.Domain},
			Etcd:                             etcd(f),
			SecretEncryption:                 &v1beta1.SecretEncryptionSpec{Type: v1beta1.AESCBC, AESCBC: &v1beta1.AESCBCSpec{ActiveKey: corev1.LocalObjectReference{Name: etcdKeyName(f)}}},
			ControllerAvailabilityPolicy:     v1beta1.AvailabilityPolicy(f.Hosted.Availability),
			InfrastructureAvailabilityPolicy: v1beta1.AvailabilityPolicy(f.Hosted.InfrastructureAvailability),
			OLMCatalogPlacement:              v1beta1.OLMCatalogPlacement(f.Hosted.OLMCatalogs),
		},
	}
	if f.Disconnected {
		disconnect(hc, f)
	}
	if err := fixed(f, seen.Get(hostedClusterRef(f)), hc); err != nil {
		return nil, err
	}
	return []kube.Intent{{Object: hc}}, nil
}

// disconnect points a HostedCluster at the lab's registry.
func disconnect(hc *v1beta1.HostedCluster, f *labs.Facts) {
	for _, m := range f.Registry.Mirrors {
		hc.Spec.ImageContentSources = append(hc.Spec.ImageContentSources, v1beta1.ImageContentSource{Source: m.Source, Mirrors: m.Mirrors})
	}
	hc.Spec.AdditionalTrustBundle = &corev1.LocalObjectReference{Name: trustBundleName(f)}
	hc.Annotations = map[string]string{v1beta1.ControlPlaneOperatorImageAnnotation: f.Release.ControlPlaneImage}
	if f.Hosted.OLMCatalogs == string(v1beta1.GuestOLMCatalogPlacement) {
		hc.Spec.Configuration = &v1beta1.ClusterConfiguration{OperatorHub: &configv1.OperatorHubSpec{DisableAllDefaultSources: true}}
		return
	}
	var overrides []string
	for _, m := range f.Registry.Mirrors {
		if len(m.Mirrors) > 0 {
			overrides = append(overrides, m.Source+"="+m.Mirrors[0])
		}
	}
	hc.Annotations[v1beta1.OLMCatalogsISRegistryOverridesAnnotation] = strings.Join(overrides, ",")
}

// networking gives the lists of networks, in the order of the lab file.
func networking(f *labs.Facts) (v1beta1.ClusterNetworking, error) {
	n := v1beta1.ClusterNetworking{NetworkType: v1beta1.OVNKubernetes}
	parse := func(c labs.CIDR) (ipnet.IPNet, error) {
		p, err := ipnet.ParseCIDR(c.String())
		if err != nil {
			return ipnet.IPNet{}, fmt.Errorf("network %s: %w", c, err)
		}
		return *p, nil
	}
	for _, c := range f.Networks.Machine {
		p, err := parse(c)
		if err != nil {
			return n, err
		}
		n.MachineNetwork = append(n.MachineNetwork, v1beta1.MachineNetworkEntry{CIDR: p})
	}
	for _, c := range f.Networks.Cluster {
		p, err := parse(c)
		if err != nil {
			return n, err
		}
		n.ClusterNetwork = append(n.ClusterNetwork, v1beta1.ClusterNetworkEntry{CIDR: p, HostPrefix: int32(c.HostPrefix())})
	}
	for _, c := range f.Networks.Service {
		p, err := parse(c)
		if err != nil {
			return n, err
		}
		n.ServiceNetwork = append(n.ServiceNetwork, v1beta1.ServiceNetworkEntry{CIDR: p})
	}
	return n, nil
}

func services(f *labs.Facts) []v1beta1.ServicePublishingStrategyMapping {
	publish := func(service v1beta1.ServiceType, how string) v1beta1.ServicePublishingStrategyMapping {
		strategy := v1beta1.ServicePublishingStrategy{Type: v1beta1.PublishingStrategyType(how)}
		if strategy.Type == v1beta1.NodePort {
			strategy.NodePort = &v1beta1.NodePortPublishingStrategy{Address: f.Hosted.NodePort.Address}
		}
		return v1beta1.ServicePublishingStrategyMapping{Service: service, ServicePublishingStrategy: strategy}
	}
	s := f.Hosted.Services
	return []v1beta1.ServicePublishingStrategyMapping{
		publish(v1beta1.APIServer, s.APIServer),
		publish(v1beta1.OAuthServer, s.OAuthServer),
		publish(v1beta1.Konnectivity, s.Konnectivity),
		publish(v1beta1.Ignition, s.Ignition),
	}
}

func etcd(f *labs.Facts) v1beta1.EtcdSpec {
	volume := &v1beta1.PersistentVolumeEtcdStorageSpec{Size: new(resource.MustParse(etcdSize))}
	if f.Hosted.StorageClass != "" {
		volume.StorageClassName = &f.Hosted.StorageClass
	}
	return v1beta1.EtcdSpec{ManagementType: v1beta1.Managed, Managed: &v1beta1.ManagedEtcdSpec{
		Storage: v1beta1.ManagedEtcdStorageSpec{Type: v1beta1.PersistentVolumeEtcdStorage, PersistentVolume: volume},
	}}
}
