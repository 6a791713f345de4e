package labs

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// enough is, as bits, more workers than anybody has.
const enough = 20

// families says which address families the lab has.
func (f *Facts) families() (v4, v6 bool) { return f.Stack != IPv6, f.Stack != IPv4 }

// Has says whether an address is of one of the lab's families.
func (f *Facts) Has(a netip.Addr) bool {
	v4, v6 := f.families()
	return a.Is4() && v4 || a.Is6() && v6
}

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
			for j, o := range n.list[:i] {
				if cidr.Overlaps(o.Prefix) {
					c.fail(path, "", "%s overlaps %s of the same list, item %d", cidr, o, j)
				}
			}
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
	c.room(f)
	c.shares(f)
}

// room checks that the machine networks of each family have an address for every
// worker and one for their gateway.
func (c *checker) room(f *Facts) {
	for _, is4 := range []bool{true, false} {
		usable, first := 0, -1
		for i, n := range f.Networks.Machine {
			if !n.IsValid() || n.Addr().Is4() != is4 {
				continue
			}
			if first < 0 {
				first = i
			}
			usable += max(0, 1<<min(n.Addr().BitLen()-n.Bits(), enough)-1) // without the subnet's own address
			if is4 {
				usable = max(0, usable-1) // and without that of broadcasts
			}
		}
		if need := len(f.Workers) + 1; first >= 0 && usable < need {
			c.fail(fmt.Sprintf("networks.machine[%d]", first), roomy(f.Networks.Machine[first], need),
				"%s has %d usable addresses, %d are needed: one for each worker and one for their gateway", f.Networks.Machine[first], usable, need)
		}
	}
}

// HostPrefix is the prefix length of what each node gets of a cluster network for
// its pods: OpenShift's defaults.
func (c CIDR) HostPrefix() int {
	if c.Addr().Is4() {
		return 23
	}
	return 64
}

// shares checks that the cluster networks of each family have a subnet for every
// worker: OVN leaves a node without one NotReady, after the installation.
func (c *checker) shares(f *Facts) {
	for _, is4 := range []bool{true, false} {
		subnets, first, names := 0, -1, []string{}
		for i, n := range f.Networks.Cluster {
			if !n.IsValid() || n.Addr().Is4() != is4 {
				continue
			}
			if first < 0 {
				first = i
			}
			names = append(names, n.String())
			if n.Bits() <= n.HostPrefix() {
				subnets += 1 << min(n.HostPrefix()-n.Bits(), enough)
				continue
			}
			c.fail(fmt.Sprintf("networks.cluster[%d]", i), spacious(n, len(f.Workers)), "%s is smaller than the /%d that each worker gets for its pods", n, n.HostPrefix())
			subnets = len(f.Workers) // told already
		}
		if first >= 0 && subnets < len(f.Workers) {
			n := f.Networks.Cluster[first]
			c.fail(fmt.Sprintf("networks.cluster[%d]", first), spacious(n, len(f.Workers)),
				"subnets of /%d in %s: %d; needed: %d, each worker gets one for its pods", n.HostPrefix(), strings.Join(names, ", "), subnets, len(f.Workers))
		}
	}
}

// spacious names the smallest network with a subnet for each worker.
func spacious(n CIDR, workers int) string {
	return fmt.Sprintf("a /%d is the smallest that has one for each worker", n.HostPrefix()-bits.Len(uint(max(workers, 1)-1)))
}

// roomy names the smallest network about n that has room for so many addresses.
func roomy(n CIDR, need int) string {
	length := n.Addr().BitLen()
	for prefix := n.Bits() - 1; prefix > 0; prefix-- {
		usable := 1<<(length-prefix) - 1
		if n.Addr().Is4() {
			usable--
		}
		if usable >= need {
			return fmt.Sprintf("a /%d is the smallest that has room for them; give the network that the servers are really in", prefix)
		}
	}
	return "give the network that the servers are really in"
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
			c.fail(fmt.Sprintf("%s[%d]", path, i), "", "%s is an %s network in %s lab", cidr, familyName(is4), stack.aTitle())
		}
	}
	if stack == Dual && (v4 == 0 || v6 == 0) {
		c.fail(path, "", "a dual lab has an IPv4 and an IPv6 network here")
	}
	if len(list) == 0 {
		c.fail(path, "", "at least one network is needed")
	}
	if stack == Dual && len(list) > 0 && !list[0].Addr().Is4() {
		c.fail(path, "put the IPv4 network first", "the list begins with %s, an IPv6 network: in a dual lab the first network of each list is IPv4", list[0])
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
