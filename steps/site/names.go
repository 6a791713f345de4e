package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// errNoName is the error of a name that a name server does not know, or knows no address of.
var errNoName = errors.New("no address")

// lookup gives all addresses of a name. The lab's own server is asked itself: a resolver would look into this machine's
// hosts file first, which the workers do not have.
func (s Site) lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	server := s.Facts.DNS.Server
	if server == "" {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		for i, a := range found {
			found[i] = a.Unmap()
		}
		return found, err
	}
	var found []netip.Addr
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		answer, err := exchange(ctx, server, name, kind)
		if err != nil {
			return nil, err
		}
		for _, record := range answer.Answer {
			switch r := record.(type) {
			case *dns.A:
				found = appendIP(found, r.A)
			case *dns.AAAA:
				found = appendIP(found, r.AAAA)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the name server %s knows %w of %s", server, errNoName, name)
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

func appendIP(list []netip.Addr, ip net.IP) []netip.Addr {
	if a, ok := netip.AddrFromSlice(ip); ok {
		return append(list, a.Unmap())
	}
	return list
}

// exchange asks one question, over TCP where the answer does not fit a datagram. An answer that the name does not exist is
// one without records.
func exchange(ctx context.Context, server, name string, kind uint16) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(name), kind)
	answer, _, err := (&dns.Client{}).ExchangeContext(ctx, question, server)
	if err == nil && answer.Truncated {
		answer, _, err = (&dns.Client{Net: "tcp"}).ExchangeContext(ctx, question, server)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the name server %s does not answer: %s", server, reason(err))
	case answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("the name server %s answers %s for %s", server, dns.RcodeToString[answer.Rcode], name)
	}
	return answer, nil
}

// resolved are the addresses of a name that are of a family of the lab, and all of them in words.
func (s Site) resolved(ctx context.Context, name string) (mine []netip.Addr, told string, err error) {
	all, err := s.lookup(ctx, name)
	if err != nil {
		return nil, "", err
	}
	for _, a := range all {
		if s.Facts.Stack == labs.Dual || a.Is4() == (s.Facts.Stack == labs.IPv4) {
			mine = append(mine, a)
		}
	}
	told = name + " is " + join(all)
	if len(mine) == 0 {
		return nil, told, fmt.Errorf("%s, and the lab is %s", told, map[labs.Stack]string{labs.IPv4: "IPv4: there is no A record", labs.IPv6: "IPv6: there is no AAAA record"}[s.Facts.Stack])
	}
	return mine, told, nil
}

func join(addresses []netip.Addr) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

func askServer(ctx context.Context, s Site) finding {
	server := s.Facts.DNS.Server
	if server == "" {
		return pass("the system's resolver is asked: lab.dns.server is not given")
	}
	if _, err := exchange(ctx, server, s.apiName(), dns.TypeA); err != nil {
		return fail("", "%v", err)
	}
	return pass("%s answers", server)
}

// hostedName is a name of the hosted cluster.
func (s Site) hostedName(first string) string {
	return first + "." + s.Facts.Hosted.Name + "." + s.Facts.Domain
}

// apiName is the name under which the hosted API server is reached.
func (s Site) apiName() string {
	if a := s.Facts.Hosted.NodePort.Address; a != "" {
		if _, err := netip.ParseAddr(a); err != nil {
			return a
		}
	}
	return s.hostedName("api")
}

func askAPI(ctx context.Context, s Site) finding {
	mine, told, err := s.resolved(ctx, s.apiName())
	_, bare := netip.ParseAddr(s.Facts.Hosted.NodePort.Address)
	switch {
	case err != nil && s.Facts.Hosted.Services.APIServer == "NodePort" && bare != nil:
		return fail("", "%v", err)
	case err != nil:
		return warn("", "%v", err)
	}
	nodes := s.nodeAddresses(ctx)
	if len(nodes) == 0 {
		return pass("%s", told)
	}
	for _, a := range mine {
		if slices.Contains(nodes, a) {
			return pass("%s, a management node's", told)
		}
	}
	return unknown("", "%s; the management nodes are %s: right where a load balancer stands before them", told, join(nodes))
}

// nodeAddresses are those of the management cluster's nodes, none where it does not tell.
func (s Site) nodeAddresses(ctx context.Context) []netip.Addr {
	hub, err := s.Hub(ctx)
	if err != nil {
		return nil
	}
	nodes := kube.Ref{APIVersion: "v1", Kind: "Node"}
	seen, err := hub.Look(ctx, nodes)
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, n := range seen.List(nodes) {
		for _, text := range internalAddresses(n) {
			if a, err := netip.ParseAddr(text); err == nil {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

func askAPIInt(ctx context.Context, s Site) finding {
	_, told, err := s.resolved(ctx, s.hostedName("api-int"))
	if err != nil {
		return warn("", "%v", err)
	}
	return pass("%s", told)
}

func askApps(ctx context.Context, s Site) finding {
	mine, told, err := s.resolved(ctx, s.hostedName("console-openshift-console.apps"))
	if err != nil {
		return warn("", "%v", err)
	}
	if want, err := netip.ParseAddr(s.Facts.Hosted.Ingress.Address); err == nil {
		if slices.Contains(mine, want.Unmap()) {
			return pass("%s", told)
		}
		return fail("let *.apps name "+want.String()+", or correct lab.hosted_cluster.ingress.address", "%s, not %s (lab.hosted_cluster.ingress.address)", told, want)
	}
	if s.Facts.Hosted.Ingress.Mode != "HostNetwork" {
		return pass("%s", told)
	}
	for _, a := range mine {
		if !slices.ContainsFunc(s.Facts.Networks.Machine, func(n labs.CIDR) bool { return n.Contains(a) }) {
			return fail("", "%s: %s is in no machine network, so no worker has it", told, a)
		}
	}
	return pass("%s", told)
}

func askRegistryName(ctx context.Context, s Site) finding {
	_, told, err := s.resolved(ctx, s.Facts.Registry.Host)
	if err != nil {
		return fail("", "%v", err)
	}
	return pass("%s", told)
}
