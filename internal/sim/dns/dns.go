// Package dns is the name server of a simulated lab: it answers on loopback, over UDP and TCP, for the names that it
// was told and for no other.
//
//	server, err := dns.Start("::1")
//	defer server.Stop()
//	server.Set("*.apps.hosted.lab.example", netip.MustParseAddr("2001:db8::10"))
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/miekg/dns"
)

// Server is a running name server.
type Server struct {
	address  string
	udp, tcp *dns.Server

	mu    sync.RWMutex
	names map[string][]netip.Addr // lower case with a final dot; "*." at the front is a wildcard
}

// ttl is what answers carry, in seconds: a lab's names change while somebody waits for them.
const ttl = 1

// Start listens on a free port of ip, and returns when it answers.
func Start(ip string) (*Server, error) {
	s := &Server{names: map[string][]netip.Addr{}}
	var err error
	for range 3 { // the port may be free for one protocol alone
		if err = s.listen(ip); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("starting the lab's name server: %w", err)
}

func (s *Server) listen(ip string) error {
	port, err := proc.FreePort(ip)
	if err != nil {
		return err
	}
	s.address = net.JoinHostPort(ip, strconv.Itoa(port))
	packets, err := net.ListenPacket("udp", s.address)
	if err != nil {
		return err
	}
	streams, err := net.Listen("tcp", s.address)
	if err != nil {
		packets.Close()
		return err
	}
	s.udp = &dns.Server{PacketConn: packets, Handler: s}
	s.tcp = &dns.Server{Listener: streams, Handler: s}
	var started sync.WaitGroup
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		started.Add(1)
		server.NotifyStartedFunc = started.Done
		go func() { _ = server.ActivateAndServe() }() // ends with Stop, without which it has no error
	}
	started.Wait()
	return nil
}

// Address is where it answers, host:port.
func (s *Server) Address() string { return s.address }

// Stop ends it.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return errors.Join(s.udp.ShutdownContext(ctx), s.tcp.ShutdownContext(ctx))
}

// Set gives a name its addresses in place of those that it had; none takes the name away. A name that begins with *.
// stands for all names below it.
func (s *Server) Set(name string, addresses ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(dns.Fqdn(name))
	if len(addresses) == 0 {
		delete(s.names, key)
		return
	}
	s.names[key] = addresses
}

// find looks a name up, then the wildcards above it, the nearest first.
func (s *Server) find(name string) ([]netip.Addr, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name = strings.ToLower(name)
	if found, ok := s.names[name]; ok {
		return found, true
	}
	for {
		_, above, ok := strings.Cut(name, ".")
		if !ok || above == "" {
			return nil, false
		}
		if found, ok := s.names["*."+above]; ok {
			return found, true
		}
		name = above
	}
}

// ServeDNS answers questions for A and AAAA records. A name that is not known does not exist (NXDOMAIN).
func (s *Server) ServeDNS(w dns.ResponseWriter, asked *dns.Msg) {
	answer := new(dns.Msg).SetReply(asked)
	answer.Authoritative = true
	for _, q := range asked.Question {
		addresses, known := s.find(q.Name)
		if !known {
			answer.Rcode = dns.RcodeNameError
			continue
		}
		head := dns.RR_Header{Name: q.Name, Class: dns.ClassINET, Ttl: ttl}
		for _, a := range addresses {
			switch {
			case q.Qtype == dns.TypeA && a.Is4():
				head.Rrtype = dns.TypeA
				answer.Answer = append(answer.Answer, &dns.A{Hdr: head, A: a.AsSlice()})
			case q.Qtype == dns.TypeAAAA && !a.Is4():
				head.Rrtype = dns.TypeAAAA
				answer.Answer = append(answer.Answer, &dns.AAAA{Hdr: head, AAAA: a.AsSlice()})
			}
		}
	}
	_ = w.WriteMsg(answer) // who asked asks again
}
