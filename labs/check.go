package labs

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// Problem is one thing wrong with the facts of a lab.
type Problem struct {
	Path    string // the fact, workers[1].bmc.address; "" for the lab as a whole
	Message string
	Hint    string
	Warning bool // told, and nothing more
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
	var c checker
	c.readFiles(f)
	fill(f)
	c.names(f)
	c.networks(f)
	c.disconnected(f)
	c.hosted(f)
	c.workers(f)
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
type checker struct{ problems []Problem }

func (c *checker) fail(path, hint, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checker) readFiles(f *Facts) {
	if text, err := f.Registry.CA.Read(); err != nil {
		c.fail("registry.ca", "", "the registry's CA cannot be read: %v", err)
	} else if f.Registry.CA.Text = text; text != "" && !strings.Contains(text, "-----BEGIN CERTIFICATE-----") {
		c.fail("registry.ca", "give PEM text that begins with -----BEGIN CERTIFICATE-----", "the registry's CA holds no certificate")
	}
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

// families says which address families the lab has.
func (f *Facts) families() (v4, v6 bool) { return f.Stack != IPv6, f.Stack != IPv4 }

func (c *checker) networks(f *Facts) {
	type named struct {
		path string
		list []CIDR
	}
	all := []named{{"networks.machine", f.Networks.Machine}, {"networks.cluster", f.Networks.Cluster}, {"networks.service", f.Networks.Service}}
	var seen []named
	for _, n := range all {
		c.family(n.path, n.list, f.Stack)
		for i, cidr := range n.list {
			path := fmt.Sprintf("%s[%d]", n.path, i)
			if cidr.IsValid() && cidr.Masked() != cidr.Prefix {
				c.fail(path, "write "+cidr.Masked().String(), "%s has host bits set", cidr)
			}
			c.reserved(path, cidr)
			for _, other := range seen {
				for _, o := range other.list {
					if cidr.Overlaps(o.Prefix) {
						c.fail(path, "", "%s overlaps %s of %s", cidr, o, other.path)
					}
				}
			}
		}
		seen = append(seen, n)
	}
}

// family checks that a list of networks has one network of each family of the
// lab, with those of a dual lab in HyperShift's order.
func (c *checker) family(path string, list []CIDR, stack Stack) {
	var v4, v6 int
	for i, cidr := range list {
		is4 := cidr.Addr().Is4()
		if is4 {
			v4++
		} else {
			v6++
		}
		if (is4 && stack == IPv6) || (!is4 && stack == IPv4) {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "", "%s is an %s network in an %s lab", cidr, familyName(is4), stack.title())
		}
	}
	if stack == Dual && (v4 == 0 || v6 == 0) {
		c.fail(path, "", "a dual lab has an IPv4 and an IPv6 network here")
	}
	if len(list) == 0 {
		c.fail(path, "", "at least one network is needed")
	}
	if stack == Dual && len(list) > 0 && !list[0].Addr().Is4() {
		c.fail(path, "put the IPv4 network first", "the first networks of all lists share one family, in a dual lab IPv4")
	}
}

func (c *checker) reserved(path string, cidr CIDR) {
	for _, own := range []string{"172.20.0.1", "fd00::1"} {
		if cidr.IsValid() && cidr.Contains(netip.MustParseAddr(own)) {
			c.fail(path, "choose another network", "%s holds %s, the address of the API server on every worker", cidr, own)
		}
	}
}

func familyName(is4 bool) string {
	if is4 {
		return "IPv4"
	}
	return "IPv6"
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
		return
	}
	if f.Registry.CA.Text == "" {
		c.fail("registry.ca", "", "a disconnected lab needs its registry's CA")
	}
	if len(f.Registry.Mirrors) == 0 {
		c.fail("registry.mirrors", "list the release and the component repositories; a registry root is not inferred", "a disconnected lab needs mirrors")
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
	if !strings.Contains(f.Release.Image, "@sha256:") {
		c.fail("release.image", "quay.io/openshift-release-dev/ocp-release@sha256:…", "a disconnected lab names its release by digest: mirrors are by digest")
	}
	if f.Release.ControlPlaneImage == "" {
		c.fail("release.control_plane_operator_image", "oc adm release info --image-for=hypershift", "a disconnected lab names the control plane operator's image in the mirror, by digest")
	}
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
	for _, n := range f.Networks.Machine {
		if n.Contains(addr) {
			return
		}
	}
	c.fail("hosted_cluster.ingress.address", "", "%s is in no machine network: with HostNetwork it is a worker's own address", addr)
}
