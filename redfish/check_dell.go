package redfish

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// askDellType judges the address once the machine behind it is known: redfish-virtualmedia is Metal3's type for all but Dells,
// which it tells by their Manufacturer. It is false where there is nothing to say.
func (p *probe) askDellType(ctx context.Context) (finding, bool) {
	kind, transport, _ := strings.Cut(p.address.Type, "+")
	if p.system == nil || kind != "redfish-virtualmedia" || !slices.Contains(strings.Fields(orEmpty(p.system.text("Manufacturer"))), "Dell") {
		return finding{}, false
	}
	proper := p.address
	proper.Type = "idrac-virtualmedia"
	if transport != "" {
		proper.Type += "+" + transport
	}
	if proper.System == "" {
		proper.System = p.system.path
	}
	remedy := "write " + proper.String()
	version := ""
	if manager, err := p.readManager(ctx); err == nil {
		version = strings.TrimSpace(orEmpty(manager.text("FirmwareVersion")))
	}
	first, _, _ := strings.Cut(version, ".")
	switch major, err := strconv.Atoi(first); {
	case err != nil:
		return warn(remedy, "%s is not for a Dell: Ironic refuses one whose firmware is before 6.00.00.00, and this one's is not known", kind), true
	case major < 6:
		return fail(remedy, "%s is not for a Dell: Ironic refuses one whose firmware is before 6.00.00.00, and this one's is %s", kind, version), true
	}
	return warn(remedy, "%s is not for a Dell: Metal3 has a type of its own for it", kind), true
}
