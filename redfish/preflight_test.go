package redfish

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

const (
	user     = "operator"
	password = "sesame"
)

// start runs a BMC that asks for the operator's credential, and stops it with the test.
func start(t testing.TB, config bmctest.Config) *bmctest.BMC {
	t.Helper()
	if config.Username == "" {
		config.Username, config.Password = user, password
	}
	b, err := bmctest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// hostAt is a host behind a BMC for tests, with everything right.
func hostAt(b *bmctest.BMC) Host {
	h := Host{
		Name: "worker0", Address: b.Address(bmctest.System), BootMAC: bmctest.MAC, BootMode: "UEFI", Credentials: Credentials{user, password},
		Image: "https://192.0.2.1:6183/redfish/boot-1.iso", ImageFrom: "Ironic's",
		Minimum: Minimum{Cores: 16, MemoryGiB: 64}, NeedsDisk: true,
	}
	if c := b.Certificate(); c != nil {
		h.RootCAs = x509.NewCertPool()
		h.RootCAs.AddCert(c)
	}
	return h
}

// ask asks about one host. Time stands still unless the test has a clock of its own: how busy the machine is decides nothing.
func ask(t testing.TB, h Host, opts Options) Report {
	t.Helper()
	if opts.Now == nil {
		now := time.Now()
		opts.Now = func() time.Time { return now }
	}
	return Preflight(t.Context(), []Host{h}, opts)[0]
}

// want fails the test unless the check has this status and its texts hold this.
func want(t testing.TB, r Report, id string, status Status, text string) {
	t.Helper()
	got := r.Check(id)
	if got.Status != status || !strings.Contains(got.Seen+" → "+got.Remedy, text) {
		t.Errorf("%s: got %s (%s → %s), want %s with %q", id, got.Status, got.Seen, got.Remedy, status, text)
	}
}

func TestCatalogueIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Catalogue() {
		if c.ID == "" || c.Asks == "" || c.Rule == "" || c.Why == "" || c.Remedy == "" || c.ask == nil {
			t.Errorf("check %q lacks a part", c.ID)
		}
		for _, need := range c.Needs {
			if !seen[need] {
				t.Errorf("%s needs %s, which does not come before it", c.ID, need)
			}
		}
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
	}
}

func TestEverythingRight(t *testing.T) {
	for _, test := range []struct {
		name     string
		config   bmctest.Config
		skipped  string
		requests int
	}{
		// root, systems (the one Basic GET), system, interfaces, media, manager, its protocols, secure boot, attributes,
		// licences, accounts, account; one interface, one slot, two of storage
		{"basic", bmctest.Config{}, "tls session", 16},
		// a session's POST and DELETE stand for the GET of the systems
		{"session", bmctest.Config{Sessions: true}, "tls", 17},
		{"tls", bmctest.Config{Sessions: true, TLS: true}, "", 17},
		{"IPv6", bmctest.Config{Sessions: true, TLS: true, Listen: "[::1]:0"}, "", 17},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, test.config)
			r := ask(t, hostAt(b), Options{})
			for _, c := range r.Checks {
				expected := Pass
				if c.ID == "dns" || c.ID == "bmc-dns" || strings.Contains(test.skipped, c.ID) {
					expected = Skip
				}
				if c.Status != expected || c.Seen == "" {
					t.Errorf("%s is %s: %s", c.ID, c.Status, c.Seen)
				}
			}
			if r.Status != Pass || r.Vendor != "Test" || r.Model != "Small" || r.Firmware != "1.00" || !r.Usable() {
				t.Errorf("the report is %+v", r)
			}
			if r.Requests != test.requests || len(b.Requests()) != test.requests {
				t.Errorf("%d requests reported, %d got, want %d: %v", r.Requests, len(b.Requests()), test.requests, b.Requests())
			}
			if b.Connections() != 1 {
				t.Errorf("%d connections", b.Connections())
			}
			if open, ever := b.Sessions(); open != 0 || test.config.Sessions != (ever == 1) {
				t.Errorf("%d sessions left of %d", open, ever)
			}
			for _, q := range b.Requests() {
				if q.Path == bmctest.Root && q.Auth != "" {
					t.Error("the root was asked with a credential")
				}
			}
		})
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for _, sessions := range []bool{false, true} {
		b := start(t, bmctest.Config{Sessions: sessions})
		h := hostAt(b)
		h.Credentials.Password = "wrong"
		other := h
		other.Name, other.BootMAC = "worker1", "52:54:00:00:00:01"
		for _, r := range Preflight(t.Context(), []Host{h, other}, Options{}) {
			want(t, r, "auth", Fail, "HTTP 401")
			want(t, r, "media", Skip, "auth failed")
			if r.Usable() {
				t.Error("it counts as usable")
			}
		}
		if b.Refused() != 1 {
			t.Errorf("sessions %v: %d refusals, want exactly one: %v", sessions, b.Refused(), b.Requests())
		}
	}
}

func TestRedirectNeverTakesCredentials(t *testing.T) {
	for _, path := range []string{bmctest.Root, bmctest.Systems, bmctest.System, bmctest.Slot, bmctest.Sessions} {
		for _, status := range []int{301, 302, 307, 308} {
			thief := start(t, bmctest.Config{Sessions: true})
			b := start(t, bmctest.Config{
				Sessions: path == bmctest.Sessions,
				Faults:   []bmctest.Fault{{Kind: bmctest.Redirect, Path: path, Status: status, Location: thief.URL() + path}},
			})
			r := ask(t, hostAt(b), Options{})
			if got := thief.Requests(); len(got) != 0 {
				t.Errorf("%s, %d: the other host got %v", path, status, got)
			}
			if path == bmctest.Root {
				want(t, r, "redirect", Fail, thief.URL())
			}
			if path != bmctest.Slot && r.Status != Fail {
				t.Errorf("%s, %d: the status is %s", path, status, r.Status)
			}
		}
	}
}

func TestRedirectWithinIsFollowed(t *testing.T) {
	b := start(t, bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Redirect, Path: bmctest.Root, Status: 308, Location: "/redfish/v1", Times: 1}}})
	r := ask(t, hostAt(b), Options{})
	want(t, r, "redirect", Pass, "on the same service")
	want(t, r, "root", Pass, "1.5.0")
	endless := start(t, bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Redirect, Path: bmctest.Root, Location: "/redfish/v1/"}}})
	want(t, ask(t, hostAt(endless), Options{}), "redirect", Fail, "redirects to /redfish/v1/")
}

func TestHangingDelaysNobodyElse(t *testing.T) {
	hanging := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Kind: bmctest.Hang, Path: bmctest.System}}})
	good := start(t, bmctest.Config{Sessions: true})
	first, second := hostAt(hanging), hostAt(good)
	second.Name, second.BootMAC = "worker1", ""
	var order []string
	opts := Options{Timeout: 300 * time.Millisecond, Progress: func(host string, r Result) {
		if r.ID == "media-busy" {
			order = append(order, host)
		}
	}}
	reports := Preflight(t.Context(), []Host{first, second}, opts)
	want(t, reports[0], "system", Fail, "no answer in time")
	want(t, reports[0], "media", Skip, "system failed")
	if reports[1].Status != Pass {
		t.Errorf("%+v", reports[1])
	}
	if len(order) != 2 || order[0] != "worker1" {
		t.Errorf("the good one was not done first: %v", order)
	}
	for _, b := range []*bmctest.BMC{hanging, good} {
		if open, ever := b.Sessions(); open != 0 || ever != 1 {
			t.Errorf("%d sessions left of %d", open, ever)
		}
	}
}

// A host's time ends in the middle: the session that it had by then is deleted.
func TestHostDeadline(t *testing.T) {
	b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Kind: bmctest.Hang, Path: bmctest.System}}})
	r := ask(t, hostAt(b), Options{HostTimeout: 3 * time.Second}) // long enough for a login on a machine that is busy
	if r.Status != Fail {
		t.Errorf("the status is %s", r.Status)
	}
	if open, ever := b.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d sessions left of %d", open, ever)
	}
}

// The caller gives up at each request in turn: no session is left, and the report claims nothing.
func TestInterruptedAtAnyRequest(t *testing.T) {
	for n := range 8 {
		ctx, cancel := context.WithCancel(t.Context())
		b := start(t, bmctest.Config{Sessions: true})
		at := 0
		opts := Options{Progress: func(string, Result) {
			if len(b.Requests()) >= n && at == 0 {
				at = len(b.Requests())
				cancel()
			}
		}}
		r := Preflight(ctx, []Host{hostAt(b)}, opts)[0]
		if open, _ := b.Sessions(); open != 0 {
			t.Errorf("after %d requests: %d sessions left", n, open)
		}
		if r.Usable() {
			t.Errorf("after %d requests: usable, though not all was asked", n)
		}
		cancel()
	}
}

func TestInterruptedWhileTheSessionOpens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{
		{Kind: bmctest.Slow, Method: "POST", Path: bmctest.Sessions, Delay: 200 * time.Millisecond},
	}})
	time.AfterFunc(100*time.Millisecond, cancel)
	Preflight(ctx, []Host{hostAt(b)}, Options{})
	if open, ever := b.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d sessions left of %d", open, ever)
	}
}

// twins are two hosts behind one service.
func twins(t *testing.T) (*bmctest.BMC, []Host) {
	t.Helper()
	tree := bmctest.Small()
	tree.AddSystem("2", "11111111-7742-3448-3784-823347823834")
	b := start(t, bmctest.Config{Tree: tree, Sessions: true})
	first, second := hostAt(b), hostAt(b)
	second.Name, second.BootMAC, second.Address = "worker1", "", b.Address(bmctest.Systems+"/2")
	return b, []Host{first, second}
}

func TestHostsBehindOneServiceShareIt(t *testing.T) {
	b, hosts := twins(t)
	reports := Preflight(t.Context(), hosts, Options{})
	for i, r := range reports {
		if r.Status != Pass || r.Name != []string{"worker0", "worker1"}[i] {
			t.Errorf("%+v", r)
		}
	}
	if _, ever := b.Sessions(); ever != 1 || b.Connections() != 1 || b.Count("", bmctest.Root) != 1 {
		t.Errorf("%d sessions, %d connections, root asked %d times", ever, b.Connections(), b.Count("", bmctest.Root))
	}
	if got := reports[0].Requests + reports[1].Requests; got != len(b.Requests()) {
		t.Errorf("%d requests reported, %d got", got, len(b.Requests()))
	}
}

func TestManyHosts(t *testing.T) {
	var hosts []Host
	for range 40 {
		b := start(t, bmctest.Config{Latency: 10 * time.Millisecond, Tree: bmctest.Small().Unset(bmctest.System, "UUID")})
		h := hostAt(b)
		h.Name, h.BootMAC = b.URL(), ""
		hosts = append(hosts, h)
	}
	for i, r := range Preflight(t.Context(), hosts, Options{Concurrency: 16}) {
		if r.Status != Pass || r.Name != hosts[i].Name {
			t.Errorf("%+v", r)
		}
	}
}
