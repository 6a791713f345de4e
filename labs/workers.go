package labs

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// workers checks each worker, and that no two share what must be their own.
func (c *checker) workers(f *Facts) {
	if len(f.Workers) == 0 {
		c.fail("workers", "", "a lab has at least one worker")
	}
	names, macs, bmcs, addresses := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i, w := range f.Workers {
		at := fmt.Sprintf("workers[%d]", i)
		c.label(at+".name", w.Name)
		c.unique(names, w.Name, i, f, at+".name", "name")
		c.unique(macs, string(w.BootMAC), i, f, at+".boot_mac", "boot MAC")
		c.unique(bmcs, strings.ToLower(strings.TrimSuffix(w.BMC.Address, "/")), i, f, at+".bmc.address", "BMC")
		c.mac(at+".boot_mac", w.BootMAC)
		c.static(at+".network", w.Network, f)
		for j, a := range w.Network.Addresses {
			c.unique(addresses, a.Addr().String(), i, f, fmt.Sprintf("%s.network.addresses[%d]", at, j), "address")
		}
	}
}

func (c *checker) unique(seen map[string]int, value string, i int, f *Facts, path, what string) {
	if value == "" {
		return
	}
	first, ok := seen[value]
	switch {
	case ok && what == "name":
		c.fail(path, "each worker has a name of its own", "workers[%d] is called %s, too", first, value)
		return
	case ok:
		c.fail(path, "", "%s has the same %s as %s: %s", f.Workers[i].Name, what, f.Workers[first].Name, value)
		return
	}
	seen[value] = i
}

func (c *checker) mac(path string, mac MAC) {
	hw, err := net.ParseMAC(string(mac))
	switch {
	case err != nil:
	case hw[0]&1 == 1:
		c.fail(path, "an interface's own address has an even first byte", "%s is a multicast address", mac)
	case hw.String() == "00:00:00:00:00:00":
		c.fail(path, "", "%s is no interface's address", mac)
	}
}

func (c *checker) static(path string, n StaticNetwork, f *Facts) {
	v4, v6 := f.families()
	for i, a := range n.Addresses {
		if is4 := a.Addr().Is4(); (is4 && !v4) || (!is4 && !v6) {
			c.fail(fmt.Sprintf("%s.addresses[%d]", path, i), "", "%s is an %s address in %s lab", a, familyName(is4), f.Stack.aTitle())
		} else if !f.inMachineNetwork(a.Addr()) {
			c.fail(fmt.Sprintf("%s.addresses[%d]", path, i), "lab.networks.machine lists them", "%s is in no machine network", a.Addr())
		}
	}
}

func (f *Facts) inMachineNetwork(a netip.Addr) bool {
	return slices.ContainsFunc(f.Networks.Machine, func(n CIDR) bool { return n.Contains(a) })
}
