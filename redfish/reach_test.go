package redfish

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/labrun/labrun/redfish/bmctest"
)

func TestChecksOfTheHost(t *testing.T) {
	b := start(t, bmctest.Config{})
	for _, test := range []struct {
		name   string
		change func(*Host)
		check  string
		status Status
		text   string
	}{
		{"no virtual media", func(h *Host) { h.Address = "ipmi://192.0.2.1" }, "address", Fail, "write redfish-virtualmedia://192.0.2.1"},
		{"nothing else is asked", func(h *Host) { h.Address = "ipmi://192.0.2.1" }, "media", Skip, "address failed"},
		{"link-local", func(h *Host) { h.Address = "redfish-virtualmedia://169.254.1.1/redfish/v1/Systems/1" }, "address", Warn, "link-local"},
		{"no password", func(h *Host) { h.Credentials.Password = "" }, "credentials", Fail, "the password is empty"},
		{"no user", func(h *Host) { h.Credentials.Username = "" }, "credentials", Fail, "the user is empty"},
		{"neither", func(h *Host) { h.Credentials = Credentials{} }, "credentials", Fail, "user and password are empty"},
		{"neither: not sent", func(h *Host) { h.Credentials = Credentials{} }, "auth", Skip, "credentials failed"},
		{"newline", func(h *Host) { h.Credentials.Password += "\n" }, "credentials", Warn, "newline"},
		{"blank", func(h *Host) { h.Credentials.Password += " " }, "credentials", Warn, "white space"},
		{"blank user", func(h *Host) { h.Credentials.Username = " " + user }, "credentials", Warn, "user has white space"},
		{"no boot MAC", func(h *Host) { h.BootMAC = "" }, "boot-mac", Skip, "no boot MAC"},
		{"no MAC", func(h *Host) { h.BootMAC = "xyz" }, "boot-mac", Fail, "no MAC address"},
		{"another notation", func(h *Host) { h.BootMAC = "5254.0012.3456" }, "boot-mac", Pass, bmctest.NIC},
		{"no path", func(h *Host) { h.Address = b.Address("") }, "system", Warn, "cannot register a host by such an address → write " + b.Address(bmctest.System)},
		{"no path, and all else is asked", func(h *Host) { h.Address = b.Address("") }, "media", Pass, bmctest.Slot},
		{"a wrong path", func(h *Host) { h.Address = b.Address("/redfish/v1/Systems/7") }, "system", Fail, "this BMC has " + bmctest.System},
	} {
		t.Run(test.check+" "+test.name, func(t *testing.T) {
			h := hostAt(b)
			test.change(&h)
			want(t, ask(t, h, Options{Timeout: time.Second, HostTimeout: 2 * time.Second}), test.check, test.status, test.text)
		})
	}
	if b.Refused() > 3 { // the three with white space are wrong passwords
		t.Errorf("%d refusals", b.Refused())
	}
}

func TestWithoutPathOneOfSeveral(t *testing.T) {
	tree := bmctest.Small()
	tree.AddSystem("2", "11111111-7742-3448-3784-823347823834")
	b := start(t, bmctest.Config{Tree: tree})
	h := hostAt(b)
	h.Address = b.Address("")
	want(t, ask(t, h, Options{}), "system", Fail, "there are 2: /redfish/v1/Systems/1, /redfish/v1/Systems/2")
	none := start(t, bmctest.Config{Tree: bmctest.Small().Set(bmctest.Systems, []any{}, "Members")})
	h.Address = none.Address("")
	want(t, ask(t, h, Options{}), "system", Fail, "there are 0")
}

func TestDuplicates(t *testing.T) {
	one, two := start(t, bmctest.Config{}), start(t, bmctest.Config{})
	distinct := bmctest.Small().Set(bmctest.System, "00000000-0000-0000-0000-000000000000", "UUID")
	three, four := start(t, bmctest.Config{Tree: distinct}), start(t, bmctest.Config{Tree: distinct})
	named := func(name, mac string, b *bmctest.BMC) Host {
		h := hostAt(b)
		h.Name, h.BootMAC = name, mac
		return h
	}
	for _, test := range []struct {
		name   string
		a, b   Host
		status Status
		text   string
	}{
		{"nothing", named("a", "", one), named("b", bmctest.MAC, three), Pass, "no other host"},
		{"meaningless UUIDs", named("a", "", three), named("b", "", four), Pass, "no other host"},
		{"name", named("a", "", one), named("a", "", three), Fail, "name a of a, a"},
		{"BMC", named("a", "", one), named("b", "", one), Fail, "of a, b"},
		{"MAC", named("a", bmctest.MAC, one), named("b", strings.ReplaceAll(bmctest.MAC, ":", "-"), three), Fail, "boot MAC"},
		{"UUID", named("a", "", one), named("b", "", two), Fail, "system UUID 38947555-7742-3448-3784-823347823834 of a, b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, r := range Preflight(t.Context(), []Host{test.a, test.b}, Options{}) {
				want(t, r, "duplicate", test.status, test.text)
				want(t, r, "media", Pass, "") // it stops nothing else
				if (r.Status == Fail) != (test.status == Fail) {
					t.Errorf("the status is %s", r.Status)
				}
			}
		})
	}
}

func TestConnecting(t *testing.T) {
	h := Host{Name: "worker0", Credentials: Credentials{user, password}}
	h.Address = "redfish-virtualmedia+http://" + closedPort(t) + "/redfish/v1/Systems/1"
	r := ask(t, h, Options{})
	want(t, r, "tcp", Fail, "refuses the connection")
	want(t, r, "root", Skip, "tcp failed")
	if r.Requests != 0 {
		t.Errorf("%d requests", r.Requests)
	}
}

func TestConnectingTimesOut(t *testing.T) {
	// A listener whose queue is full answers no further connect, as a firewall that drops does.
	h := Host{Name: "worker0", Address: "redfish-virtualmedia+http://" + fullPort(t) + "/redfish/v1/Systems/1", Credentials: Credentials{user, password}}
	want(t, ask(t, h, Options{HostTimeout: 500 * time.Millisecond}), "tcp", Fail, "does not answer within")
}

func TestTLS(t *testing.T) {
	b := start(t, bmctest.Config{TLS: true})
	plain := start(t, bmctest.Config{})
	until := b.Certificate().NotAfter
	swap := strings.NewReplacer("+http://", "://")
	for _, test := range []struct {
		name   string
		change func(*Host)
		now    time.Time
		status Status
		text   string
	}{
		{"good", func(*Host) {}, time.Now(), Pass, "good until"},
		{"unknown CA", func(h *Host) { h.RootCAs = x509.NewCertPool() }, time.Now(), Fail, "unknown authority"},
		{"unknown CA, verification off", func(h *Host) { h.RootCAs, h.DisableCertificateVerification = x509.NewCertPool(), true }, time.Now(), Warn, "unknown authority"},
		{"expires soon", func(*Host) {}, until.Add(-24 * time.Hour), Warn, "expires on"},
		{"expired", func(h *Host) { h.DisableCertificateVerification = true }, until.Add(time.Hour), Warn, "expired"},
		{"no TLS there", func(h *Host) { h.Address = swap.Replace(plain.Address(bmctest.System)) }, time.Now(), Fail, "speaks no TLS → use redfish-virtualmedia+http"},
		{"another name", func(h *Host) { h.Address = strings.Replace(h.Address, "127.0.0.1", "localhost", 1) }, time.Now(), Fail, "localhost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := hostAt(b)
			test.change(&h)
			before := len(b.Requests())
			r := ask(t, h, Options{
				Now:       func() time.Time { return test.now },
				Overrides: map[string]Override{"clock": {Severity: Skip, Reason: "the test has a time of its own"}},
			})
			want(t, r, "tls", test.status, test.text)
			if test.status == Fail && len(b.Requests()) != before {
				t.Error("something was sent to a BMC whose certificate is refused")
			}
			if test.status != Fail && r.Status == Fail {
				t.Errorf("%+v", r)
			}
		})
	}
}

// resolver asks a DNS server of the test's own, which knows bmc4.lab (IPv4), bmc6.lab (IPv6) and answers SERVFAIL for sick.lab.
func resolver(t *testing.T) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{"bmc4.lab. A": "127.0.0.1", "bmc6.lab. AAAA": "::1"}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		asked := q.Question[0]
		if asked.Name == "sick.lab." {
			m.Rcode = dns.RcodeServerFailure
		} else if ip, ok := records[asked.Name+" "+dns.TypeToString[asked.Qtype]]; ok {
			if rr, err := dns.NewRR(asked.Name + " 60 IN " + dns.TypeToString[asked.Qtype] + " " + ip); err == nil {
				m.Answer = append(m.Answer, rr)
			}
		} else if !strings.HasPrefix(asked.Name, "bmc") {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})
	server := &dns.Server{PacketConn: socket, Handler: handler}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}

func TestDNS(t *testing.T) {
	r := resolver(t)
	four, six := start(t, bmctest.Config{}), start(t, bmctest.Config{Listen: "[::1]:0"})
	port := func(b *bmctest.BMC) string { return b.URL()[strings.LastIndex(b.URL(), ":"):] + bmctest.System }
	for _, test := range []struct {
		host, network string
		status        Status
		text          string
	}{
		{"bmc4.lab" + port(four), "ip", Pass, "127.0.0.1"},
		{"bmc4.lab" + port(four), "ip4", Pass, "127.0.0.1"},
		{"bmc4.lab" + port(four), "ip6", Fail, "does not resolve to an IPv6 address"},
		{"bmc6.lab" + port(six), "ip6", Pass, "::1"},
		{"bmc6.lab" + port(six), "ip4", Fail, "IPv4"},
		{"nobody.lab" + port(four), "ip", Fail, "nobody.lab does not resolve"},
		{"sick.lab" + port(four), "ip", Fail, "does not resolve"},
		{"127.0.0.1" + port(four), "ip6", Skip, "nothing to resolve"},
	} {
		h := Host{Name: "worker0", Address: "redfish-virtualmedia+http://" + test.host, Credentials: Credentials{user, password}}
		report := ask(t, h, Options{Resolver: r, Network: test.network})
		want(t, report, "dns", test.status, test.text)
		if test.status != Fail && report.Status != Pass {
			t.Errorf("%s: %+v", test.host, report)
		}
	}
}

func TestReportJSON(t *testing.T) {
	r := ask(t, hostAt(start(t, bmctest.Config{})), Options{})
	r.Duration = 1500 * time.Millisecond
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"name", "address", "vendor", "model", "firmware", "status", "requests", "duration_ms", "checks"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %s in %s", key, encoded)
		}
	}
	if got["duration_ms"] != 1500.0 {
		t.Errorf("duration_ms is %v", got["duration_ms"])
	}
	if strings.Contains(string(encoded), password) {
		t.Error("the password is in the report")
	}
}

func TestErrorsAreSentinels(t *testing.T) {
	for _, tree := range []bmctest.Tree{
		bmctest.Small().Unset(bmctest.System, "VirtualMedia"),
		bmctest.Small().Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes"),
	} {
		s, err := Open(t.Context(), hostAt(start(t, bmctest.Config{Tree: tree})))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.InsertMedia(t.Context(), "http://127.0.0.1:1/a.iso")
		if !errors.Is(err, ErrNoVirtualMedia) && !errors.Is(err, ErrNoCDSlot) {
			t.Errorf("%v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestNoProxyIsAsked(t *testing.T) {
	if testConn(t).counter.RoundTripper.(*http.Transport).Proxy != nil {
		t.Error("the transport asks a proxy")
	}
}
