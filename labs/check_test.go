package labs

import (
	"net/netip"
	"strings"
	"testing"
)

// sound gives the facts of a small disconnected IPv6 lab without a problem.
func sound() *Facts {
	cidr := func(s string) []CIDR { return []CIDR{{netip.MustParsePrefix(s)}} }
	f := &Facts{Stack: IPv6, Disconnected: true, Domain: "lab.example"}
	f.Networks = Networks{Machine: cidr("2001:db8::/64"), Cluster: cidr("fd03::/48"), Service: cidr("fd04::/112")}
	f.Registry = Registry{Host: "registry.lab.example", Port: 5000, CA: PEM{File: site("ca.pem")}, Mirrors: []Mirror{{Source: "quay.io/a/b", Mirrors: []string{"registry.lab.example:5000/a/b"}}}}
	f.Release = Release{Image: "quay.io/a/b@sha256:00", Version: "4.20.3", ControlPlaneImage: "registry.lab.example:5000/a/b@sha256:01"}
	f.PullSecret = SecretRef{File: site("pull-secret.json")}
	f.SSHKey = PublicKey{Text: "ssh-ed25519 AAAA"}
	f.MCE.Namespace = "multicluster-engine"
	f.Hosted = HostedCluster{Name: "hosted", Namespace: "clusters", Ingress: Ingress{Mode: "HostNetwork"}}
	f.Hosted.NodeDrainTimeout.Duration = 1
	f.Workers = []Worker{
		{Name: "worker0", BootMAC: "52:54:00:00:00:10", BMC: BMC{Address: "a", Credentials: BMCCredentials{Username: "u", Password: SecretRef{File: site("bmc-password")}}}},
		{Name: "worker1", BootMAC: "52:54:00:00:00:11", BMC: BMC{Address: "b", Credentials: BMCCredentials{Username: "u", Password: SecretRef{File: site("bmc-password")}}}},
	}
	return f
}

// site is a file of the lab that the broken labs are made of.
func site(name string) Path { return Path("../testdata/mistakes/site/" + name) }

func TestCompleteSound(t *testing.T) {
	f := sound()
	if problems := Complete("l", f); len(problems) > 0 {
		t.Fatalf("a sound lab has problems: %+v", problems)
	}
	if got, want := f.Hosted.NodePort.Address, "api.hosted.lab.example"; got != want {
		t.Errorf("node port address = %q, want %q", got, want)
	}
	if got, want := f.ControlPlaneNamespace(), "clusters-hosted"; got != want {
		t.Errorf("control plane namespace = %q, want %q", got, want)
	}
}

func TestCompleteFinds(t *testing.T) {
	prefix := netip.MustParsePrefix
	tests := []struct {
		name string
		harm func(*Facts)
		path string
		says string
	}{
		{"v4 in an IPv6 lab", func(f *Facts) { f.Networks.Machine[0].Prefix = prefix("192.168.1.0/24") }, "networks.machine[0]", "IPv4 network in an IPv6 lab"},
		{"host bits", func(f *Facts) { f.Networks.Machine[0].Prefix = prefix("2001:db8::1/64") }, "networks.machine[0]", "host bits"},
		{"overlap", func(f *Facts) { f.Networks.Service[0].Prefix = prefix("fd03::/112") }, "networks.service[0]", "overlaps fd03::/48"},
		{"reserved", func(f *Facts) { f.Networks.Cluster[0].Prefix = prefix("fd00::/48") }, "networks.cluster[0]", "fd00::1"},
		{"a subnet for one of two workers", func(f *Facts) { f.Networks.Cluster[0].Prefix = prefix("fd03::/64") }, "networks.cluster[0]", "subnets of /64 in fd03::/64: 1; needed: 2"},
		{"a subnet for two of three workers", func(f *Facts) {
			f.Networks.Cluster = []CIDR{{prefix("fd03::/64")}, {prefix("fd05::/64")}}
			f.Workers = append(f.Workers, Worker{Name: "worker2"})
		}, "networks.cluster[0]", "subnets of /64 in fd03::/64, fd05::/64: 2; needed: 3"},
		{"no subnet", func(f *Facts) {
			f.Stack, f.Networks.Cluster[0].Prefix = IPv4, prefix("10.132.0.0/24")
		}, "networks.cluster[0]", "smaller than the /23 that each worker gets"},
		{"none", func(f *Facts) { f.Networks.Cluster = nil }, "networks.cluster", "at least one"},
		{"dual lacks one", func(f *Facts) { f.Stack = Dual }, "networks.machine", "an IPv4 and an IPv6"},
		{"no registry", func(f *Facts) { f.Registry = Registry{} }, "registry.host", "needs its own registry"},
		{"no CA", func(f *Facts) { f.Registry.CA = PEM{} }, "registry.ca", "needs its registry's CA"},
		{"CA is no certificate", func(f *Facts) { f.Registry.CA = PEM{Text: "hello"} }, "registry.ca", "no certificate"},
		{"CA is missing", func(f *Facts) { f.Registry.CA.File = "/nonexistent/ca.pem" }, "registry.ca", "cannot be read"},
		{"registry by IPv6 address", func(f *Facts) { f.Registry.Host = "2620:52:0:1305::1" }, "registry.host", "is an IPv6 address"},
		{"registry by IPv6 address in brackets", func(f *Facts) { f.Registry.Host = "[2620:52:0:1305::1]" }, "registry.host", "is an IPv6 address"},
		{"no mirrors", func(f *Facts) { f.Registry.Mirrors = nil }, "registry.mirrors", "needs lab.registry.mirrors"},
		{"bare host", func(f *Facts) { f.Registry.Mirrors[0].Mirrors[0] = "registry.lab.example:5000" }, "registry.mirrors[0].mirrors[0]", "bare host"},
		{"release by tag", func(f *Facts) { f.Release.Image = "quay.io/a/b:4.20" }, "release.image", "by digest"},
		{"no operator image", func(f *Facts) { f.Release.ControlPlaneImage = "" }, "release.control_plane_operator_image", "control plane operator"},
		{"private key", func(f *Facts) { f.SSHKey.Text = "-----BEGIN OPENSSH PRIVATE KEY-----" }, "ssh_key", "private key"},
		{"no key", func(f *Facts) { f.SSHKey.Text = "hello" }, "ssh_key", "no SSH public key"},
		{"name", func(f *Facts) { f.Hosted.Name = "Hosted_1" }, "hosted_cluster.name", "no DNS label"},
		{"long namespace", func(f *Facts) { f.Hosted.Name = strings.Repeat("a", 60) }, "hosted_cluster.name", "63 are allowed"},
		{"domain", func(f *Facts) { f.Domain = "a..b" }, "domain", "no domain name"},
		{"long label", func(f *Facts) { f.Domain = strings.Repeat("a", 64) + ".example" }, "domain", "no domain name"},
		{"drain for ever", func(f *Facts) { f.Hosted.NodeDrainTimeout.Duration = 0 }, "hosted_cluster.node_drain_timeout", "for ever"},
		{"ingress outside", func(f *Facts) { f.Hosted.Ingress.Address = "2001:db8:1::1" }, "hosted_cluster.ingress.address", "no machine network"},
		{"ingress is a name", func(f *Facts) { f.Hosted.Ingress.Address = "apps" }, "hosted_cluster.ingress.address", "no address"},
		{"no workers", func(f *Facts) { f.Workers = nil }, "workers", "at least one worker"},
		{"same name", func(f *Facts) { f.Workers[1].Name = "worker0" }, "workers[1].name", "workers[0] is called worker0, too"},
		{"same MAC", func(f *Facts) { f.Workers[1].BootMAC = "52:54:00:00:00:10" }, "workers[1].boot_mac", "same boot MAC as worker0"},
		{"same BMC", func(f *Facts) { f.Workers[1].BMC.Address = "A/" }, "workers[1].bmc.address", "same BMC as worker0"},
		{"multicast", func(f *Facts) { f.Workers[0].BootMAC = "01:00:5e:00:00:01" }, "workers[0].boot_mac", "multicast"},
		{"zero", func(f *Facts) { f.Workers[0].BootMAC = "00:00:00:00:00:00" }, "workers[0].boot_mac", "no interface"},
		{"two places", func(f *Facts) { f.PullSecret.Env = "X" }, "pull_secret", "exactly one place"},
		{"name server", func(f *Facts) { f.DNS.Server = "ns.lab.example:dns" }, "dns.server", "no name server"},
		{"name server's port", func(f *Facts) { f.DNS.Server = "[fd00::1]:70000" }, "dns.server", "expected host:port"},
		{"gateway", func(f *Facts) { f.Workers[1].Network.Gateways = []string{"fd00::1", "fd00::1/64"} }, "workers[1].network.gateways[1]", `"fd00::1/64" is no address`},
		{"worker's name server", func(f *Facts) { f.Workers[0].Network.DNS = []string{"[fd00::1]"} }, "workers[0].network.dns[0]", "no address"},
		{"brackets", func(f *Facts) { f.Hosted.NodePort.Address = "[fd00::1]" }, "hosted_cluster.node_port.address", "has brackets"},
		{"static v4", func(f *Facts) { f.Workers[0].Network.Addresses = []CIDR{{prefix("10.0.0.1/24")}} }, "workers[0].network.addresses[0]", "IPv4 address in an IPv6 lab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sound()
			tt.harm(f)
			problems := Complete("l", f)
			for _, p := range problems {
				if p.Path == tt.path && strings.Contains(p.Message, tt.says) {
					return
				}
			}
			t.Errorf("no problem at %s that says %q in %+v", tt.path, tt.says, problems)
		})
	}
}

// A subnet of a cluster network for each worker is enough.
func TestCompleteShares(t *testing.T) {
	for _, list := range [][]string{{"fd03::/63"}, {"fd03::/64", "fd05::/64"}, {"fd03::/20"}} {
		f := sound()
		f.Networks.Cluster = nil
		for _, n := range list {
			f.Networks.Cluster = append(f.Networks.Cluster, CIDR{netip.MustParsePrefix(n)})
		}
		if problems := Complete("l", f); len(problems) > 0 {
			t.Errorf("%v for two workers: %+v", list, problems)
		}
	}
	for workers, want := range map[int]string{1: "a /64 ", 2: "a /63 ", 3: "a /62 ", 4: "a /62 ", 5: "a /61 "} {
		if got := spacious(CIDR{netip.MustParsePrefix("fd03::/64")}, workers); !strings.HasPrefix(got, want) {
			t.Errorf("for %d workers %q, want %q", workers, got, want)
		}
	}
}

// An IPv4 address is a key that a ConfigMap takes.
func TestCompleteRegistryByAddress(t *testing.T) {
	f := sound()
	f.Registry.Host = "192.168.1.10"
	for _, p := range Complete("l", f) {
		if p.Path == "registry.host" {
			t.Errorf("a registry at an IPv4 address is refused: %+v", p)
		}
	}
}

func TestCompleteDNSPort(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "192.168.1.1": "192.168.1.1:53", "fd00::1": "[fd00::1]:53", "[fd00::1]": "[fd00::1]:53", "NS.lab.example": "NS.lab.example:53",
		"192.168.1.1:5353": "192.168.1.1:5353", "[fd00::1]:5353": "[fd00::1]:5353", "ns.lab.example:53": "ns.lab.example:53",
	} {
		f := sound()
		f.DNS.Server = given
		if problems := Complete("l", f); len(problems) > 0 || f.DNS.Server != want {
			t.Errorf("name server %q is %q, want %q: %+v", given, f.DNS.Server, want, problems)
		}
	}
}
