package steps

import (
	"fmt"
	"net/netip"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// NMState gives one worker its static network in the discovery image.
type NMState struct {
	kube.Patched
	Worker labs.Worker `yaml:"worker" doc:"the worker"`
}

// networkLabel is what the InfraEnv selects NMStateConfigs by. The selector looks
// into all namespaces: the value is the control plane's namespace, which no two
// labs of a hub share.
const networkLabel = "hypershift-lab/control-plane"

// Objects are one NMStateConfig.
func (s NMState) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	config, err := nmState(s.Worker.Network)
	if err != nil {
		return nil, fmt.Errorf("network of %s: %w", s.Worker.Name, err)
	}
	o := &crd.NMStateConfig{
		TypeMeta: typeMeta(crd.AgentInstallVersion, "NMStateConfig"), ObjectMeta: meta(f.ControlPlaneNamespace(), s.Worker.Name),
		Spec: crd.NMStateConfigSpec{
			Interfaces: []crd.NMStateInterface{{Name: s.Worker.Network.Interface, MACAddress: string(s.Worker.BootMAC)}},
			Config:     config,
		},
	}
	o.Labels = map[string]string{networkLabel: f.ControlPlaneNamespace()}
	return []kube.Intent{{Object: o}}, nil
}

// nmState is NMState's document for one interface.
func nmState(n labs.StaticNetwork) (map[string]any, error) {
	link := map[string]any{"name": n.Interface, "type": "ethernet", "state": "up"}
	var v4, v6 []any
	for _, a := range n.Addresses {
		entry := map[string]any{"ip": a.Addr().String(), "prefix-length": int64(a.Bits())}
		if a.Addr().Is4() {
			v4 = append(v4, entry)
		} else {
			v6 = append(v6, entry)
		}
	}
	link["ipv4"], link["ipv6"] = addressing(v4, nil), addressing(v6, map[string]any{"autoconf": false})
	config := map[string]any{"interfaces": []any{link}}
	var routes []any
	for _, g := range n.Gateways {
		addr, err := netip.ParseAddr(g)
		if err != nil {
			return nil, fmt.Errorf("gateway %q is no address", g)
		}
		everywhere := "::/0"
		if addr.Is4() {
			everywhere = "0.0.0.0/0"
		}
		routes = append(routes, map[string]any{"destination": everywhere, "next-hop-address": addr.String(), "next-hop-interface": n.Interface})
	}
	if len(routes) > 0 {
		config["routes"] = map[string]any{"config": routes}
	}
	if len(n.DNS) > 0 {
		servers := make([]any, len(n.DNS))
		for i, d := range n.DNS {
			servers[i] = d
		}
		config["dns-resolver"] = map[string]any{"config": map[string]any{"server": servers}}
	}
	return config, nil
}

func addressing(addresses []any, more map[string]any) map[string]any {
	if len(addresses) == 0 {
		return map[string]any{"enabled": false}
	}
	m := map[string]any{"enabled": true, "dhcp": false, "address": addresses}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// Judge is satisfied by the object; InfraEnv sees how it is taken.
func (s NMState) Judge(*labs.Facts, kube.Seen) kube.Verdict {
	return done("%s on %s", s.Worker.Network.Interface, s.Worker.BootMAC)
}
