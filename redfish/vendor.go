package redfish

import (
	"context"
	"slices"
	"strings"
)

// vendor is who made the BMC, as far as a check depends on it.
type vendor string

const (
	dell       vendor = "Dell"
	lenovo     vendor = "Lenovo"
	otherMaker vendor = ""
)

// vendor is told by the vendor's own part of the Manager, else by name.
func (p *probe) vendor(ctx context.Context) vendor {
	known := []vendor{dell, lenovo}
	manager, err := p.readManager(ctx)
	if err != nil {
		manager = &resource{}
	}
	for _, v := range known {
		for _, names := range [][]string{{"Oem", string(v)}, {"Links", "Oem", string(v)}} {
			if _, err := manager.at(names...); err == nil {
				return v
			}
		}
	}
	names := []string{orEmpty(p.service.root.text("Vendor")), orEmpty(p.system.text("Manufacturer"))}
	for _, v := range known {
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(strings.ToLower(name), strings.ToLower(string(v))) }) {
			return v
		}
	}
	return otherMaker
}

// dellAttributes reads the iDRAC's own settings, which hold what the standard has no property for. Its Manager links to
// them; before iDRAC9 4.x they stood beside it.
func (p *probe) dellAttributes(ctx context.Context) (*resource, error) {
	manager, err := p.readManager(ctx)
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(manager.path, "/") + "/Attributes"
	listed, err := manager.links("Links", "Oem", "Dell", "DellAttributes")
	if i := slices.IndexFunc(listed, func(link string) bool { return strings.HasPrefix(lastOf(link), "iDRAC.") }); err == nil && i >= 0 {
		path = listed[i]
	}
	return p.service.conn.get(ctx, path)
}

// dellAttribute is one of the iDRAC's settings; the error says why it is not known.
func (p *probe) dellAttribute(ctx context.Context, name string) (string, error) {
	attributes, err := p.dellAttributes(ctx)
	if err != nil {
		return "", err
	}
	return attributes.text("Attributes", name)
}
