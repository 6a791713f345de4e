package hypershift

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// resolver asks the lab's DNS server, and connects to loopback only.
type resolver struct{ server string }

// lookup gives the A and AAAA records of a name, an error worded as Go's where there is none.
func (r *resolver) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if host == "localhost" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, nil
	}
	notFound := &net.DNSError{Err: "no such host", Name: host, Server: r.server, IsNotFound: true}
	if r.server == "" {
		return nil, notFound
	}
	var found []netip.Addr
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		question := new(dns.Msg).SetQuestion(dns.Fqdn(host), kind)
		client := &dns.Client{Timeout: 3 * time.Second}
		answer, _, err := client.ExchangeContext(ctx, question, r.server)
		if err != nil {
			return nil, &net.DNSError{Err: err.Error(), Name: host, Server: r.server, IsTemporary: true}
		}
		for _, record := range answer.Answer {
			switch one := record.(type) {
			case *dns.A:
				addr, _ := netip.AddrFromSlice(one.A.To4())
				found = append(found, addr)
			case *dns.AAAA:
				addr, _ := netip.AddrFromSlice(one.AAAA)
				found = append(found, addr)
			}
		}
	}
	if len(found) == 0 {
		return nil, notFound
	}
	return found, nil
}

// dial connects to address where that is, or resolves to, loopback: a simulated lab reaches nothing else.
func (r *resolver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := r.lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("dial tcp: %w", err)
	}
	for _, addr := range addrs {
		if !addr.IsLoopback() {
			err = fmt.Errorf("dial tcp %s: connect: network is unreachable", net.JoinHostPort(addr.String(), port))
			continue
		}
		var connection net.Conn
		if connection, err = (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, net.JoinHostPort(addr.String(), port)); err == nil {
			return connection, nil
		}
	}
	return nil, err
}
