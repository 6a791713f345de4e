package labs

import (
	"fmt"
	"net"
	"strings"
)

// workers checks each worker, and that no two share what must be their own.
func (c *checker) workers(f *Facts) {
	if len(f.Workers) == 0 {
		c.fail("workers", "", "a lab has at least one worker")
	}
	names, macs, bmcs := map[string]int{}, map[string]int{}, map[string]int{}
	for i, w := range f.Workers {
		at := fmt.Sprintf("workers[%d]", i)
		c.label(at+".name", w.Name)
		c.unique(names, w.Name, i, f, at+".name", "name")
		c.unique(macs, string(w.BootMAC), i, f, at+".boot_mac", "boot MAC")
		c.unique(bmcs, strings.ToLower(strings.TrimSuffix(w.BMC.Address, "/")), i, f, at+".bmc.address", "BMC")
		c.mac(at+".boot_mac", w.BootMAC)
		c.password(at+".bmc.credentials.password", w.BMC.Credentials.Password)
		c.static(at+".network", w.Network, f)
	}
	c.password("pull_secret", f.PullSecret)
}

func (c *checker) unique(seen map[string]int, value string, i int, f *Facts, path, what string) {
	if value == "" {
		return
	}
	if first, ok := seen[value]; ok {
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

func (c *checker) password(path string, ref SecretRef) {
	given := 0
	for _, set := range []bool{ref.File != "", ref.Env != "", len(ref.Command) > 0, ref.Secret != ClusterRef{}} {
		if set {
			given++
		}
	}
	if given != 1 {
		c.fail(path, "one of file, env, command, secret", "a secret is found in exactly one place, %d are named", given)
	}
}

func (c *checker) static(path string, n StaticNetwork, f *Facts) {
	v4, v6 := f.families()
	for i, a := range n.Addresses {
		if is4 := a.Addr().Is4(); (is4 && !v4) || (!is4 && !v6) {
			c.fail(fmt.Sprintf("%s.addresses[%d]", path, i), "", "%s is an %s address in an %s lab", a, familyName(is4), f.Stack.title())
		}
	}
}
