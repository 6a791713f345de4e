package labs

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Problem is one thing wrong with the facts of a lab.
type Problem struct {
	Path    string // the fact, workers[1].bmc.address; "" for the lab as a whole
	Message string
	Hint    string
	Warning bool // told, and nothing more
	ForRun  bool // a run is refused for it, for others it is a warning
	AtKey   bool // it is told at the fact\'s key, not at its value
}

// dnsLabel leaves the length to isLabel: counted repetition makes a large pattern,
// which each start of labrun would pay for.
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func isLabel(name string) bool { return len(name) <= 63 && dnsLabel.MatchString(name) }

func isDomain(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// Complete names the lab, reads the files that public facts refer to, fills what
// follows from other facts, and checks the facts as a whole.
func Complete(name string, f *Facts) []Problem {
	f.Name = name
	c := checker{now: time.Now()}
	c.authority(f)
	c.sshKey(f)
	fill(f)
	c.names(f)
	c.networks(f)
	c.registryName(f)
	c.disconnected(f)
	c.hosted(f)
	c.workers(f)
	c.preflight(f)
	c.virtualMedia(f.Management.VirtualMedia)
	c.references(f)
	c.addresses(f)
	return c.problems
}

// fill sets what an absent fact follows from.
func fill(f *Facts) {
	f.DNS.Server = withPort(f.DNS.Server)
	if f.Hosted.NodePort.Address == "" {
		f.Hosted.NodePort.Address = "api." + f.Hosted.Name + "." + f.Domain
	}
	for i := range f.Workers {
		if len(f.Workers[i].Network.Addresses) > 0 && f.Workers[i].Network.Interface == "" {
			f.Workers[i].Network.Interface = "eno1"
		}
	}
}

// checker gathers problems.
type checker struct {
	now      time.Time
	problems []Problem
}

func (c *checker) add(p Problem) { c.problems = append(c.problems, p) }

func (c *checker) fail(path, hint, format string, args ...any) {
	c.add(Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checker) warn(path, hint, format string, args ...any) {
	c.add(Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

func (c *checker) sshKey(f *Facts) {
	text, err := f.SSHKey.Read()
	switch {
	case err != nil:
		c.fail("ssh_key", "", "the SSH key cannot be read: %v", err)
	case strings.Contains(text, "PRIVATE KEY"):
		c.fail("ssh_key", "name the file that ends in .pub", "this is a private key: the workers get the public one")
		text = ""
	case !strings.HasPrefix(text, "ssh-") && !strings.HasPrefix(text, "ecdsa-") && !strings.HasPrefix(text, "sk-"):
		c.fail("ssh_key", "ssh-ed25519 AAAA… or {file: PATH}", "this is no SSH public key")
	}
	f.SSHKey.Text = text
}

func (c *checker) names(f *Facts) {
	c.label("hosted_cluster.name", f.Hosted.Name)
	c.label("hosted_cluster.namespace", f.Hosted.Namespace)
	c.label("mce.namespace", f.MCE.Namespace)
	if n := len(f.ControlPlaneNamespace()); n > 63 {
		c.fail("hosted_cluster.name", "", "the control plane's namespace %s would have %d characters, 63 are allowed", f.ControlPlaneNamespace(), n)
	}
	if !isDomain(f.Domain) {
		c.fail("domain", "", "%q is no domain name", f.Domain)
	}
}

func (c *checker) label(path, value string) {
	if !isLabel(value) {
		c.fail(path, "lower-case letters, digits and hyphens, at most 63", "%q is no DNS label", value)
	}
}

func (s Stack) title() string {
	switch s {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "dual-stack"
}

// aTitle is the title with its article.
func (s Stack) aTitle() string {
	if s == Dual {
		return "a dual-stack"
	}
	return "an " + s.title()
}

// Title tells the lab in a few words, "IPv6 · disconnected".
func (f *Facts) Title() string {
	if f.Disconnected {
		return f.Stack.title() + " · disconnected"
	}
	return f.Stack.title() + " · connected"
}

func (c *checker) disconnected(f *Facts) {
	if !f.Disconnected {
		return
	}
	if f.Registry.Host == "" {
		c.fail("registry.host", "add registry: {host: …, port: …, ca: …, mirrors: …}", "a disconnected lab needs its own registry")
	} else {
		c.registry(f)
	}
	if !strings.Contains(f.Release.Image, "@sha256:") {
		c.fail("release.image", "quay.io/openshift-release-dev/ocp-release@sha256:…; oc adm release info shows the digest", "a disconnected lab names its release by digest: mirrors are by digest")
	}
	if f.Release.ControlPlaneImage == "" {
		c.fail("release.control_plane_operator_image", "oc adm release info --image-for=hypershift", "a disconnected lab names the control plane operator's image in the mirror, by digest")
	}
}

// mirrorExample shows the entries of a registry.
func mirrorExample(f *Facts) string {
	at := f.Registry.Address()
	return "registry: {mirrors: [{source: quay.io/openshift-release-dev/ocp-release, mirrors: [" + at + "/openshift/release-images]}, " +
		"{source: quay.io/openshift-release-dev/ocp-v4.0-art-dev, mirrors: [" + at + "/openshift/release]}, …]}: each repository by itself, a registry root is not inferred"
}

// registry checks what a disconnected lab needs of its registry.
func (c *checker) registry(f *Facts) {
	if f.Registry.CA.IsZero() {
		c.fail("registry.ca", "ca: {file: …}, or the PEM text itself", "a disconnected lab needs its registry's CA")
	}
	if len(f.Registry.Mirrors) == 0 {
		c.fail("registry.mirrors", mirrorExample(f), "a disconnected lab needs lab.registry.mirrors: where the release's and the operators' images are in its registry")
	}
	for i, m := range f.Registry.Mirrors {
		for j, to := range append([]string{m.Source}, m.Mirrors...) {
			if !strings.Contains(to, "/") {
				path := fmt.Sprintf("registry.mirrors[%d].source", i)
				if j > 0 {
					path = fmt.Sprintf("registry.mirrors[%d].mirrors[%d]", i, j-1)
				}
				c.fail(path, "name a repository: "+to+"/openshift/release", "%q is a bare host: assisted-service refuses it", to)
			}
		}
	}
}

// registryName checks the registry's name, where there is one.
func (c *checker) registryName(f *Facts) {
	host := f.Registry.Host
	if host == "" {
		return
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		c.fail("registry.host", fmt.Sprintf("write host: %s, port: %s", name, port), "%q holds a port, which stands under port", host)
	} else if f.Registry.atIPv6() {
		c.fail("registry.host", "give the registry a name: OpenShift's ConfigMap of CAs has the registry as its key, and a key takes no colon", "%q is an IPv6 address", host)
	} else if _, err := netip.ParseAddr(host); err != nil && !isDomain(host) {
		c.fail("registry.host", "a name such as registry.lab.example, without https:// and path", "%q is no name of a registry", host)
	}
	if p := f.Registry.Port; p < 0 || p > 65535 {
		c.fail("registry.port", "a port is a number from 1 to 65535; absent means 443", "there is no port %d", p)
	}
}

// atIPv6 says whether the registry is named by an IPv6 address.
func (r Registry) atIPv6() bool {
	addr, err := netip.ParseAddr(strings.Trim(r.Host, "[]"))
	return err == nil && addr.Is6()
}

func (c *checker) hosted(f *Facts) {
	if f.Hosted.NodeDrainTimeout.Duration == 0 {
		c.fail("hosted_cluster.node_drain_timeout", "10m", "0 means for ever: a node that cannot drain would hold the cluster's deletion")
	}
	if f.Hosted.Ingress.Mode != "HostNetwork" || f.Hosted.Ingress.Address == "" {
		return
	}
	addr, err := netip.ParseAddr(f.Hosted.Ingress.Address)
	if err != nil {
		c.fail("hosted_cluster.ingress.address", "", "%q is no address", f.Hosted.Ingress.Address)
		return
	}
	if f.inMachineNetwork(addr) {
		return
	}
	c.fail("hosted_cluster.ingress.address", "lab.networks.machine lists them", "%s is in no machine network: with HostNetwork it is a worker's own address", addr)
}
