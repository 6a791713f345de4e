package sim

import (
	"net/netip"
	"strings"
)

// tellNames gives the name server the lab's names. *.apps of the hosted cluster is the worker that will run the router,
// as a self-managed lab has it before anybody knows which one that is: the first (with two routers, the first two).
func (l *Lab) tellNames() {
	f := l.facts
	here := netip.MustParseAddr(l.ip)
	cluster := f.Hosted.Name + "." + f.Domain
	for _, name := range []string{"api." + cluster, "api-int." + cluster, "api." + l.hubDomain(), "api-int." + l.hubDomain(), "*.apps." + l.hubDomain()} {
		l.names.Set(name, here)
	}
	if f.Registry.Host != "" {
		l.names.Set(f.Registry.Host, here)
	}
	if node := f.Hosted.NodePort.Address; node != "" {
		if _, err := netip.ParseAddr(node); err != nil {
			l.names.Set(node, here)
		}
	}
	l.names.Set("*.apps."+cluster, l.ingress()...)
	if l.options.faults().On("router-unreachable") {
		l.names.Set("*.apps."+cluster, l.hubAddresses()...)
	}
}

func (l *Lab) ingress() []netip.Addr {
	f := l.facts
	if addr, err := netip.ParseAddr(f.Hosted.Ingress.Address); err == nil {
		return []netip.Addr{addr}
	}
	routers := 1
	if f.Hosted.InfrastructureAvailability == "HighlyAvailable" {
		routers = 2
	}
	var all []netip.Addr
	for i := 0; i < min(routers, len(l.machines)); i++ {
		for _, ip := range l.machines[i].IPs {
			text, _, _ := strings.Cut(ip, "/")
			if addr, err := netip.ParseAddr(text); err == nil {
				all = append(all, addr)
			}
		}
	}
	return all
}

// hubAddresses are those of the management cluster's first node: where no router of the hosted cluster runs.
func (l *Lab) hubAddresses() []netip.Addr {
	var all []netip.Addr
	for _, ip := range l.hubNodes()[0].IPs {
		if addr, err := netip.ParseAddr(ip); err == nil {
			all = append(all, addr)
		}
	}
	return all
}

func (l *Lab) hubDomain() string { return "hub." + l.facts.Domain }
