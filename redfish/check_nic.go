package redfish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// nic is one of the system's EthernetInterfaces, or a function of a network adapter, with the MAC addresses that it states.
type nic struct {
	*resource
	macs []string
}

// nics reads the system's interfaces: its EthernetInterfaces, or, where those are missing or empty, what its network
// adapters say. The error says why the list is not known at all; unread counts those named that could not be read.
func (p *probe) nics(ctx context.Context) (found []nic, unread int, err error) {
	found, unread, err = p.ethernetInterfaces(ctx)
	var missing *PropertyError
	if len(found) > 0 || unread > 0 || err != nil && statusOf(err) != http.StatusNotFound && !errors.As(err, &missing) {
		return found, unread, err
	}
	found, unread, adapterErr := p.adapterFunctions(ctx)
	if err != nil && adapterErr != nil {
		return nil, 0, fmt.Errorf("%s, and %s", reasonOf(err), reasonOf(adapterErr))
	}
	if adapterErr != nil && statusOf(adapterErr) != http.StatusNotFound && !errors.As(adapterErr, &missing) {
		return nil, 0, adapterErr
	}
	return found, unread, nil
}

func (p *probe) ethernetInterfaces(ctx context.Context) (found []nic, unread int, err error) {
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
		r, err := p.item(ctx, member)
		if err != nil {
			unread++
			continue
		}
		found = append(found, newNIC(r))
	}
	return found, unread, nil
}

// adapterFunctions reads the ports of the network adapters in the system's first chassis, and stops at the one with the
// host's boot MAC: cards with many functions are common.
func (p *probe) adapterFunctions(ctx context.Context) (found []nic, unread int, err error) {
	chassis, err := p.system.links("Links", "Chassis")
	if err == nil && len(chassis) == 0 {
		err = &PropertyError{Path: p.system.path, Property: "Links.Chassis", Problem: "is empty"}
	}
	if err != nil {
		return nil, 0, err
	}
	collection, err := p.service.conn.get(ctx, strings.TrimSuffix(chassis[0], "/")+"/NetworkAdapters")
	if err != nil {
		return nil, 0, err
	}
	adapters, err := collection.links("Members")
	if err != nil {
		return nil, 0, err
	}
	for _, adapter := range adapters {
		functions, err := p.functionsOf(ctx, adapter)
		if err != nil {
			unread++
			continue
		}
		for _, function := range functions {
			r, err := p.item(ctx, function)
			if err != nil {
				unread++
				continue
			}
			n := newNIC(r, "Ethernet")
			found = append(found, n)
			if contains(n.macs, normalMAC(p.host.BootMAC)) {
				return found, unread, nil
			}
		}
	}
	return found, unread, nil
}

// functionsOf gives the links to an adapter's functions: most adapters list them themselves.
func (p *probe) functionsOf(ctx context.Context, adapter string) ([]string, error) {
	r, err := p.item(ctx, adapter)
	if err != nil {
		return nil, err
	}
	var out []string
	controllers, _ := r.body["Controllers"].([]any)
	for _, c := range controllers {
		body, _ := c.(map[string]any)
		links, _ := (&resource{path: r.path, body: body}).links("Links", "NetworkDeviceFunctions")
		out = append(out, links...)
	}
	if len(out) > 0 {
		return out, nil
	}
	link, err := r.link("NetworkDeviceFunctions")
	if err != nil {
		return nil, err
	}
	collection, err := p.item(ctx, link)
	if err != nil {
		return nil, err
	}
	return collection.links("Members")
}

// newNIC takes the MAC addresses that stand in a resource, or in an object within it.
func newNIC(r *resource, within ...string) nic {
	n := nic{resource: r}
	for _, property := range []string{"MACAddress", "PermanentMACAddress"} {
		if s, err := r.text(append(slices.Clone(within), property)...); err == nil && normalMAC(s) != "" && !contains(n.macs, normalMAC(s)) {
			n.macs = append(n.macs, normalMAC(s))
		}
	}
	return n
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
