package redfish

import (
	"fmt"
	"net"
	"strings"
)

// peers knows what the hosts of one pre-flight have in common that they must not.
type peers struct {
	names, addresses, macs map[string][]string // value → names of the hosts that have it
}

func newPeers(hosts []Host) *peers {
	p := &peers{map[string][]string{}, map[string][]string{}, map[string][]string{}}
	for _, h := range hosts {
		p.names[h.Name] = append(p.names[h.Name], h.Name)
		if a, err := ParseAddress(h.Address); err == nil {
			p.addresses[sameBMC(a)] = append(p.addresses[sameBMC(a)], h.Name)
		}
		if mac := normalMAC(h.BootMAC); mac != "" {
			p.macs[mac] = append(p.macs[mac], h.Name)
		}
	}
	return p
}

// sameBMC is equal for two addresses of one system, however they are written.
func sameBMC(a Address) string {
	return strings.ToLower(a.Endpoint()) + strings.TrimSuffix(a.System, "/")
}

// normalMAC writes a MAC address in one way; empty where it is none.
func normalMAC(s string) string {
	mac, err := net.ParseMAC(strings.TrimSpace(s))
	if err != nil {
		return ""
	}
	return mac.String()
}

// shared lists what a host shares with others: "boot MAC 52:54:00:00:00:18 with worker2".
func (p *peers) shared(h Host, address Address) []string {
	var out []string
	note := func(what string, with []string) {
		if len(with) > 1 {
			out = append(out, fmt.Sprintf("%s of %s", what, strings.Join(with, ", ")))
		}
	}
	note("name "+h.Name, p.names[h.Name])
	if address.Host != "" {
		note("BMC and path "+address.String(), p.addresses[sameBMC(address)])
	}
	if mac := normalMAC(h.BootMAC); mac != "" {
		note("boot MAC "+mac, p.macs[mac])
	}
	return out
}

// sameUUID amends the duplicate check once all systems are known: two addresses that lead to one system.
func sameUUID(services []*service, reports []Report) {
	byUUID := map[string][]*probe{}
	for _, s := range services {
		for _, p := range s.probes {
			if p.system == nil {
				continue
			}
			if uuid, err := p.system.text("UUID"); err == nil && meaningful(uuid) {
				byUUID[strings.ToLower(uuid)] = append(byUUID[strings.ToLower(uuid)], p)
			}
		}
	}
	for uuid, probes := range byUUID {
		if len(probes) < 2 {
			continue
		}
		var names []string
		for _, p := range probes {
			names = append(names, p.host.Name)
		}
		for _, p := range probes {
			p.amend("duplicate", fail(duplicateRemedy, "system UUID %s of %s", printable(uuid), strings.Join(names, ", ")))
			reports[p.index] = p.report
		}
	}
}

// meaningful says whether a UUID tells machines apart: boards come with all zeros or all ones.
func meaningful(uuid string) bool {
	digits := strings.ReplaceAll(strings.ToLower(uuid), "-", "")
	return digits != "" && strings.Trim(digits, digits[:1]) != ""
}
