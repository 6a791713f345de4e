package dns

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

func TestAnswers(t *testing.T) {
	s, err := Start("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s.Set("api.lab.example", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"))
	s.Set("*.apps.lab.example", netip.MustParseAddr("2001:db8::10"))
	s.Set("gone.lab.example", netip.MustParseAddr("192.0.2.2"))
	s.Set("gone.lab.example")
	for _, c := range []struct {
		name  string
		kind  uint16
		want  string
		rcode int
	}{
		{"api.lab.example.", dns.TypeA, "192.0.2.1", dns.RcodeSuccess},
		{"API.lab.example.", dns.TypeAAAA, "2001:db8::1", dns.RcodeSuccess},
		{"console.apps.lab.example.", dns.TypeAAAA, "2001:db8::10", dns.RcodeSuccess},
		{"a.b.apps.lab.example.", dns.TypeAAAA, "2001:db8::10", dns.RcodeSuccess},
		{"console.apps.lab.example.", dns.TypeA, "", dns.RcodeSuccess},
		{"apps.lab.example.", dns.TypeAAAA, "", dns.RcodeNameError},
		{"gone.lab.example.", dns.TypeA, "", dns.RcodeNameError},
		{"elsewhere.example.", dns.TypeA, "", dns.RcodeNameError},
	} {
		for _, network := range []string{"udp", "tcp"} {
			answer, _, err := (&dns.Client{Net: network}).Exchange(new(dns.Msg).SetQuestion(c.name, c.kind), s.Address())
			if err != nil {
				t.Fatalf("%s over %s: %v", c.name, network, err)
			}
			got := ""
			for _, record := range answer.Answer {
				switch one := record.(type) {
				case *dns.A:
					got += one.A.String()
				case *dns.AAAA:
					got += one.AAAA.String()
				}
			}
			if got != c.want || answer.Rcode != c.rcode {
				t.Errorf("%s over %s: %q, code %d; want %q, code %d", c.name, network, got, answer.Rcode, c.want, c.rcode)
			}
		}
	}
}
