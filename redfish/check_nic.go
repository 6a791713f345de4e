package redfish

import (
	"context"
	"strings"
)

// nic is one of the system's EthernetInterfaces, with the MAC addresses that it states.
type nic struct {
	*resource
	macs []string
}

// nics reads the system's interfaces. The error says why the list is not known at all; unread counts those that it names
// and that could not be read.
func (p *probe) nics(ctx context.Context) (found []nic, unread int, err error) {
	link, err := p.system.link("EthernetInterfaces")
	if err != nil {
		return nil, 0, err
	}
	collection, err := p.service.conn.withMembers(ctx, link)
	if err != nil {
		return nil, 0, err
	}
	members, err := collection.links("Members")
	if err != nil {
		return nil, 0, err
	}
	for _, member := range members {
		r, err := p.service.conn.get(ctx, member)
		if err != nil {
			unread++
			continue
		}
		n := nic{resource: r}
		for _, property := range []string{"MACAddress", "PermanentMACAddress"} {
			if s, err := r.text(property); err == nil && normalMAC(s) != "" && !contains(n.macs, normalMAC(s)) {
				n.macs = append(n.macs, normalMAC(s))
			}
		}
		found = append(found, n)
	}
	return found, unread, nil
}

// bootNIC gives the interface with the host's boot MAC, and the MACs of all.
func (p *probe) bootNIC(ctx context.Context) (boot *nic, macs []string, unread int, err error) {
	want := normalMAC(p.host.BootMAC)
	found, unread, err := p.nics(ctx)
	for i := range found {
		macs = append(macs, found[i].macs...)
		if boot == nil && contains(found[i].macs, want) {
			boot = &found[i]
		}
	}
	return boot, macs, unread, err
}

func askBootMAC(ctx context.Context, p *probe) finding {
	if p.host.BootMAC == "" {
		return skip("no boot MAC is given")
	}
	if normalMAC(p.host.BootMAC) == "" {
		return fail("write it as six pairs of hexadecimal digits", "boot MAC %q is no MAC address", printable(p.host.BootMAC))
	}
	boot, macs, unread, err := p.bootNIC(ctx)
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case boot != nil:
		return pass("%s is %s", p.host.BootMAC, printable(boot.path))
	case unread > 0:
		return unknown("%d of the interfaces could not be read", unread)
	case len(macs) == 0:
		return unknown("the BMC lists no interface with a MAC")
	}
	return fail("", "%s is not among %s", p.host.BootMAC, strings.ToLower(listed(macs)))
}

func askLink(ctx context.Context, p *probe) finding {
	if p.host.BootMAC == "" {
		return skip("no boot MAC is given")
	}
	boot, _, _, err := p.bootNIC(ctx)
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case boot == nil:
		return unknown("the interface with the boot MAC is not known")
	}
	status, err := boot.text("LinkStatus")
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case status == "LinkUp":
		return pass("LinkStatus LinkUp")
	case status == "LinkDown", status == "NoLink":
		return warn("check cable and switch port; a machine that is off may show no link", "LinkStatus %s", status)
	}
	return unknown("LinkStatus %q, which the standard does not know", printable(status))
}
