package labs

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// dnsPort is a name server's where none is given.
const dnsPort = "53"

// withPort adds the port of a name server that is given without one. What is
// neither is left for the check.
func withPort(server string) string {
	if server == "" {
		return ""
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(server, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil || isDomain(strings.ToLower(server)) {
		return net.JoinHostPort(bare, dnsPort)
	}
	return server
}

// addresses checks what must be an address, or name one.
func (c *checker) addresses(f *Facts) {
	if server := f.DNS.Server; server != "" && !isHostPort(server) {
		c.fail("dns.server", "192.168.1.1:53, [fd00::1]:53 or ns.lab.example:53", "%q is no name server: expected host:port", server)
	}
	if a := f.Hosted.NodePort.Address; strings.ContainsAny(a, "[]") {
		c.fail("hosted_cluster.node_port.address", "write "+strings.Trim(a, "[]"), "%q has brackets: HyperShift takes the bare address, and adds them where they belong", a)
	}
	for i, w := range f.Workers {
		c.bare(fmt.Sprintf("workers[%d].network.gateways", i), w.Network.Gateways)
		c.bare(fmt.Sprintf("workers[%d].network.dns", i), w.Network.DNS)
	}
}

func (c *checker) bare(path string, list []string) {
	for i, a := range list {
		if _, err := netip.ParseAddr(a); err != nil {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "a bare address, without brackets, port or prefix length", "%q is no address", a)
		}
	}
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil || isDomain(strings.ToLower(host))
}
