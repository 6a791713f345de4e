package hypershift

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"github.com/openshift/hypershift/api/util/ipnet"
	corev1 "k8s.io/api/core/v1"
)

// sound is a HostedCluster that the operator has nothing against.
func sound() *hyperv1.HostedCluster {
	hc := typed()
	hc.Spec.Platform = hyperv1.PlatformSpec{Type: hyperv1.AgentPlatform, Agent: &hyperv1.AgentPlatformSpec{AgentNamespace: "clusters-lab"}}
	hc.Spec.Networking = hyperv1.ClusterNetworking{
		ClusterNetwork: []hyperv1.ClusterNetworkEntry{{CIDR: *ipnet.MustParseCIDR("fd03::/48")}},
		ServiceNetwork: []hyperv1.ServiceNetworkEntry{{CIDR: *ipnet.MustParseCIDR("fd04::/112")}},
		MachineNetwork: []hyperv1.MachineNetworkEntry{{CIDR: *ipnet.MustParseCIDR("2620:52:0:1305::/64")}},
	}
	for _, service := range []hyperv1.ServiceType{hyperv1.APIServer, hyperv1.OAuthServer, hyperv1.Konnectivity, hyperv1.Ignition} {
		hc.Spec.Services = append(hc.Spec.Services, hyperv1.ServicePublishingStrategyMapping{Service: service, ServicePublishingStrategy: hyperv1.ServicePublishingStrategy{
			Type: hyperv1.NodePort, NodePort: &hyperv1.NodePortPublishingStrategy{Address: "api.lab.example"},
		}})
	}
	hc.Spec.AdditionalTrustBundle = &corev1.LocalObjectReference{Name: "user-ca-bundle"}
	hc.Spec.SSHKey.Name = "ssh"
	hc.Spec.SecretEncryption = &hyperv1.SecretEncryptionSpec{Type: hyperv1.AESCBC, AESCBC: &hyperv1.AESCBCSpec{ActiveKey: corev1.LocalObjectReference{Name: "etcd"}}}
	return hc
}

func TestConfigurationsThatHyperShiftRefuses(t *testing.T) {
	for _, c := range []struct {
		trap string
		take func(*hyperv1.HostedCluster, *around)
		want string // in ValidConfiguration False/InvalidConfiguration; "" for True
	}{
		{"all is well", func(*hyperv1.HostedCluster, *around) {}, ""},
		{"agentNamespace missing", func(_ *hyperv1.HostedCluster, a *around) { a.AgentNamespace = false }, `failed to get agent namespace: namespaces "clusters-lab" not found`},
		{"trust bundle missing", func(_ *hyperv1.HostedCluster, a *around) { a.ConfigMaps = nil }, `failed to get configMap user-ca-bundle: configmaps "user-ca-bundle" not found`},
		{"trust bundle with another key", func(_ *hyperv1.HostedCluster, a *around) {
			a.ConfigMaps = map[string]map[string]string{"user-ca-bundle": {"ca.crt": ""}}
		}, "configMap user-ca-bundle must have a ca-bundle.crt key"},
		{"families mixed", func(hc *hyperv1.HostedCluster, _ *around) {
			hc.Spec.Networking.ServiceNetwork[0].CIDR = *ipnet.MustParseCIDR("172.31.0.0/16")
		}, "declare multiple network stacks as primary network"},
		{"CIDRs overlap", func(hc *hyperv1.HostedCluster, _ *around) {
			hc.Spec.Networking.ServiceNetwork[0].CIDR = *ipnet.MustParseCIDR("fd03::/112")
		}, "spec.networking.ServiceNetwork and spec.networking.ClusterNetwork overlap"},
		{"fd00::1 inside", func(hc *hyperv1.HostedCluster, _ *around) {
			hc.Spec.Networking.MachineNetwork[0].CIDR = *ipnet.MustParseCIDR("fd00::/64")
		}, "overlaps with the defined AdvertiseAddress fd00::1"},
		{"172.20.0.1 inside", func(hc *hyperv1.HostedCluster, _ *around) {
			hc.Spec.Networking.ClusterNetwork[0].CIDR = *ipnet.MustParseCIDR("10.132.0.0/14")
			hc.Spec.Networking.ServiceNetwork[0].CIDR = *ipnet.MustParseCIDR("172.20.0.0/16")
			hc.Spec.Networking.MachineNetwork[0].CIDR = *ipnet.MustParseCIDR("192.0.2.0/24")
		}, "overlaps with the defined AdvertiseAddress 172.20.0.1"},
		{"bracketed node port address", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Services[0].NodePort.Address = "[fd00::5]" }, "without brackets"},
		{"node port in the service network", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Services[0].NodePort.Address = "fd04::5" }, "Nodeport IP is within the service network range"},
		{"node port out of range", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Services[0].NodePort.Port = 6443 }, "port must be within the configured range 30000-32767"},
		{"ignition by load balancer", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Services[3].Type = hyperv1.LoadBalancer }, "unknown service strategy type for ignition service: LoadBalancer"},
		{"a service not published", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Services = hc.Spec.Services[:3] }, "Ignition service strategy not specified"},
		{"no agent platform", func(hc *hyperv1.HostedCluster, _ *around) { hc.Spec.Platform.Agent = nil }, "agentcluster needs .spec.platform.agent to be filled"},
	} {
		hc, seen := sound(), around{AgentNamespace: true, ConfigMaps: map[string]map[string]string{"user-ca-bundle": {"ca-bundle.crt": "pem"}}}
		c.take(hc, &seen)
		err := judgeConfiguration(hc, seen)
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: ValidConfiguration says %v, want %q", c.trap, err, c.want)
		}
	}
}

func TestSecretsThatHyperShiftRefuses(t *testing.T) {
	good := func() secrets {
		return secrets{
			"pull": secret("pull", corev1.SecretTypeDockerConfigJson, ".dockerconfigjson", "{}"),
			"ssh":  secret("ssh", corev1.SecretTypeOpaque, "id_rsa.pub", "ssh-ed25519"),
			"etcd": secret("etcd", corev1.SecretTypeOpaque, "key", strings.Repeat("k", etcdKeyBytes)),
		}
	}
	pull := func(s secrets) error { _, err := judgePullSecret("pull", s); return err }
	sync := func(s secrets) error { return judgeSync(sound(), s) }
	etcd := func(s secrets) error { return judgeEtcdKey(sound(), s) }
	for _, c := range []struct {
		trap  string
		judge func(secrets) error
		take  func(secrets)
		want  string
	}{
		{"no pull secret", pull, func(s secrets) { delete(s, "pull") }, `pull secret unavailable: secrets "pull" not found`},
		{"pull secret with another key", pull, func(s secrets) { s["pull"].Data = nil }, `pull secret unavailable: expected .dockerconfigjson key in secret "pull"`},
		{"pull secret of another type", pull, func(s secrets) { s["pull"].Type = corev1.SecretTypeOpaque }, `is of type Opaque, not kubernetes.io/dockerconfigjson`},
		{"no SSH key", sync, func(s secrets) { delete(s, "ssh") }, `failed to get hostedcluster SSHKey secret ssh: secrets "ssh" not found`},
		{"SSH key under another key", sync, func(s secrets) { s["ssh"].Data = nil }, `hostedcluster SSHKey secret "ssh" must have a id_rsa.pub key`},
		{"no etcd key", sync, func(s secrets) { delete(s, "etcd") }, `failed to get active aescbc secret etcd: secrets "etcd" not found`},
		{"etcd key under another key", sync, func(s secrets) { s["etcd"].Data = nil }, "no key field key specified for aescbc active key secret etcd"},
		{"etcd key of 16 bytes", etcd, func(s secrets) { s["etcd"].Data["key"] = []byte(strings.Repeat("k", 16)) }, "got 16, expected 32"},
	} {
		s := good()
		if err := c.judge(s); err != nil {
			t.Errorf("%s: refused before anything was taken away: %v", c.trap, err)
		}
		c.take(s)
		if err := c.judge(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: HyperShift says %v, want %q", c.trap, err, c.want)
		}
	}
}

func TestOtherRules(t *testing.T) {
	for _, c := range []struct{ trap, got, want string }{
		{"no Role", judgeRole(false).Error(), `roles.rbac.authorization.k8s.io "capi-provider-role" not found`},
		{"no default StorageClass", judgeStorage("", map[string]bool{"a": false}), "no storage class is set"},
		{"default StorageClass", judgeStorage("", map[string]bool{"a": true}), ""},
		{"unknown StorageClass", judgeStorage("b", map[string]bool{"a": true}), `storageclass.storage.k8s.io "b" not found`},
		{"release too new", judgeVersion("4.22.1", []string{"4.20", "4.19"}, hyperv1.OVNKubernetes).Error(), `the latest version supported is: "4.20.0". Attempting to use: "4.22.1"`},
		{"release too old", judgeVersion("4.12.1", []string{"4.20", "4.19"}, hyperv1.OVNKubernetes).Error(), `the minimum version supported for platform Agent is: "4.19.0". Attempting to use: "4.12.1"`},
	} {
		if !strings.Contains(c.got, c.want) || (c.want == "" && c.got != "") {
			t.Errorf("%s: HyperShift says %q, want %q", c.trap, c.got, c.want)
		}
	}
	if err := judgeVersion("4.20.3", []string{"4.20"}, hyperv1.OVNKubernetes); err != nil {
		t.Errorf("a supported release is refused: %v", err)
	}
}

func TestCatalogsOnTheManagementCluster(t *testing.T) {
	hc := sound()
	hc.Spec.OLMCatalogPlacement = hyperv1.ManagementOLMCatalogPlacement
	if got := judgeCatalogs(hc); got != "" {
		t.Errorf("a connected lab's catalogs: %s", got)
	}
	hc.Spec.ImageContentSources = []hyperv1.ImageContentSource{{Source: "quay.io/a", Mirrors: []string{"mirror/a"}}}
	if got := judgeCatalogs(hc); !strings.Contains(got, "unavailable replicas") {
		t.Errorf("a disconnected lab's catalogs: %q", got)
	}
}

func TestIngress(t *testing.T) {
	node := netip.MustParseAddr("2620:52:0:1305::5")
	view := ingress{Domain: "apps.lab.example", Server: "127.0.0.1:53", Routers: map[netip.Addr]string{node: "worker-a"}}
	for _, c := range []struct {
		trap    string
		answers []netip.Addr
		err     error
		want    string
	}{
		{"no record", nil, errors.New("no such host"), `lookup console-openshift-console.apps.lab.example on 127.0.0.1:53: no such host`},
		{"another node", []netip.Addr{netip.MustParseAddr("2620:52:0:1305::6")}, nil, "dial tcp [2620:52:0:1305::6]:443: connect: connection refused"},
		{"the router's node", []netip.Addr{node}, nil, ""},
	} {
		view.Answers, view.Err = c.answers, c.err
		_, console := judgeIngress(view)
		if !strings.Contains(console, c.want) || (c.want == "" && console != "") {
			t.Errorf("%s: console says %q, want %q", c.trap, console, c.want)
		}
	}
}

func TestWhereAnImageIsLookedFor(t *testing.T) {
	mirrors := []hyperv1.ImageContentSource{{Source: "quay.io/release", Mirrors: []string{"mirror:5000/release"}}, {Source: "quay.io/rel", Mirrors: []string{"wrong"}}}
	got := strings.Join(candidates("quay.io/release@sha256:0", mirrors), " ")
	if want := "mirror:5000/release@sha256:0 quay.io/release@sha256:0"; got != want {
		t.Errorf("looked for at %s, want %s", got, want)
	}
}

func TestAPlanesConditions(t *testing.T) {
	for _, c := range []struct {
		trap         string
		plane        plane
		reason, text string
	}{
		{"at first", plane{}, hyperv1.WaitingOnInfrastructureReadyReason, "Cluster infrastructure is still provisioning"},
		{"no storage class", plane{infrastructure: true, etcdMessage: judgeStorage("", nil)}, hyperv1.EtcdWaitingForQuorumReason, "Etcd volume claim data-etcd-0 pending"},
		{"the API server does not start", plane{infrastructure: true, etcd: true}, hyperv1.WaitingForAvailableReason, "Waiting for Kube APIServer deployment to become available"},
		{"all is well", plane{infrastructure: true, etcd: true, kubeAPI: true, kubeconfig: true}, hyperv1.AsExpectedReason, "The hosted control plane is available"},
	} {
		notes := c.plane.notes()
		available := notes[len(notes)-1]
		if available.reason != c.reason || !strings.Contains(available.message, c.text) {
			t.Errorf("%s: Available says %s: %s, want %s: %s", c.trap, available.reason, available.message, c.reason, c.text)
		}
	}
}

// The newest version of a history is the one that is rolled out; those that were stay behind it.
func TestHistoryOfVersions(t *testing.T) {
	first := begun(nil, "quay.io/x@sha256:1", release{Version: "4.20.3"})
	first[0].State = configv1.CompletedUpdate
	if again := begun(first, "quay.io/x@sha256:1", release{Version: "4.20.3"}); len(again) != 1 || again[0].State != configv1.CompletedUpdate {
		t.Errorf("the same release again: %v", again)
	}
	next := begun(first, "quay.io/x@sha256:2", release{Version: "4.20.4"})
	if len(next) != 2 || next[0].State != configv1.PartialUpdate || next[0].Version != "4.20.4" || next[1].Version != "4.20.3" {
		t.Errorf("the next release: %v", next)
	}
}
