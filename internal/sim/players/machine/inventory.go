package machine

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/labrun/labrun/internal/sim/world"
)

// inventory is what the live image's agent finds in the server, as an Agent's status.inventory.
func inventory(m world.Machine) map[string]any {
	var v4, v6 []any
	for _, ip := range m.IPs {
		if prefix, err := netip.ParsePrefix(ip); err == nil && prefix.Addr().Is4() {
			v4 = append(v4, ip)
		} else {
			v6 = append(v6, ip)
		}
	}
	found := map[string]any{
		"hostname": "localhost",
		"cpu":      map[string]any{"architecture": "x86_64", "count": m.Cores, "modelName": "Simulated CPU"},
		"memory":   map[string]any{"physicalBytes": m.MemoryGB << 30, "usableBytes": m.MemoryGB << 30},
		"disks":    disks(m),
		"boot":     map[string]any{"currentBootMode": "uefi"},
		"systemVendor": map[string]any{
			"manufacturer": "labsim", "productName": "Simulated server", "serialNumber": m.UUID, "virtual": true,
		},
		"interfaces": []any{map[string]any{
			"name": "enp1s0", "macAddress": m.MAC, "hasCarrier": true, "speedMbps": int64(10000), "mtu": int64(1500),
			"flags": []any{"up", "broadcast", "multicast"}, "ipV4Addresses": orEmpty(v4), "ipV6Addresses": orEmpty(v6),
		}},
	}
	if at, err := url.Parse(m.BMC); err == nil {
		if addr, err := netip.ParseAddr(at.Hostname()); err == nil && addr.Is6() {
			found["bmcV6Address"] = at.Hostname()
		} else {
			found["bmcAddress"] = at.Hostname()
		}
	}
	return found
}

func orEmpty(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

func disks(m world.Machine) []any {
	list := []any{}
	for i, gb := range m.DiskGB {
		name := fmt.Sprintf("sd%c", 'a'+i)
		if m.NVMe {
			name = fmt.Sprintf("nvme%dn1", i)
		}
		list = append(list, map[string]any{
			"id": "/dev/disk/by-path/pci-0000:00:1f.2-ata-" + fmt.Sprint(i+1), "name": name, "path": "/dev/" + name,
			"byPath": "/dev/disk/by-path/pci-0000:00:1f.2-ata-" + fmt.Sprint(i+1), "hctl": fmt.Sprintf("%d:0:0:0", i),
			"driveType": "SSD", "sizeBytes": gb * 1_000_000_000, "bootable": false, "vendor": "labsim", "model": "Simulated disk",
			"serial":                  fmt.Sprintf("labsim-%s", name),
			"installationEligibility": map[string]any{"eligible": true, "notEligibleReasons": []any{}},
		})
	}
	return list
}
