package steps

import (
	"net/netip"
	"net/url"

	"github.com/labrun/labrun/redfish"
)

// unregistered stands for the node's id in the name of a boot image: Ironic gives
// one when the host registers.
const unregistered = "UUID"

// bootImage says what the BMC at an address will fetch, "" where it is not known:
// the discovery image's own URL where its service serves it, else Ironic's copy,
// which is named by Ironic's id of the node, "" where it has none yet. Where Ironic
// has an address of each family, a BMC with an IPv6 address is handed the IPv6 one,
// as Metal3 does.
func bootImage(server ImageServerOutputs, iso, bmc, id string) string {
	switch {
	case server.ServedBy == imageService:
		return iso
	case server.ServedBy != ironic || len(server.URLs) == 0:
		return ""
	}
	chosen := server.URLs[0]
	if isIPv6BMC(bmc) {
		for _, each := range server.URLs {
			if u, err := url.Parse(each); err == nil && isIPv6(u.Hostname()) {
				chosen = each
				break
			}
		}
	}
	if id == "" {
		id = unregistered
	}
	return chosen + "/redfish/boot-" + id + ".iso"
}

func isIPv6(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.Is6() && !a.Is4In6()
}

// isIPv6BMC says whether a BMC's address names it by an IPv6 address.
func isIPv6BMC(address string) bool {
	a, err := redfish.ParseAddress(address)
	return err == nil && isIPv6(a.Host)
}
