package redfish_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stmcginnis/gofish/schemas"

	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/internal/sim/sushy/sushytest"
	"github.com/labrun/labrun/redfish"
)

// sushyHost is a host behind an emulator.
func sushyHost(e *sushy.Emulator, s sushy.System) redfish.Host {
	address := e.SystemURL(s.Name)
	address = strings.Replace(strings.Replace(address, "http://", "redfish-virtualmedia+http://", 1), "https://", "redfish-virtualmedia://", 1)
	return redfish.Host{Name: s.Name, Address: address, BootMAC: s.MAC, BootMode: "UEFI", Credentials: redfish.Credentials{Username: "admin", Password: "sesame"}}
}

// keyPair writes a certificate for loopback and its key, and gives the pool that trusts it.
func keyPair(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	der, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: s.TLS.Certificates[0].Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return certificate, key, pool
}

// answer is what a check must give, and the property that decides it.
type answer struct {
	check  string
	status redfish.Status
	seen   string
}

// TestSushyTools asks real sushy-tools in all the ways it can be set up, about a disk and an image with a name. It has no
// sessions, accounts or licences.
func TestSushyTools(t *testing.T) {
	certificate, key, pool := keyPair(t)
	for _, set := range featureSets() {
		for _, ip := range []string{"127.0.0.1", "::1"} {
			for _, encrypted := range []bool{false, true} {
				for _, guarded := range []bool{false, true} {
					o := sushy.Options{FeatureSet: set.name, ListenIP: ip, Devices: set.devices}
					name := set.title + ", " + ip
					if encrypted {
						o.Certificate, o.Key, name = certificate, key, name+", TLS"
					}
					if guarded {
						o.User, o.Password, name = "admin", "sesame", name+", authentication"
					}
					if set.devices != nil && (encrypted || guarded) {
						continue // the same slots, whoever asks
					}
					t.Run(name, func(t *testing.T) { set.run(t, o, pool) })
				}
			}
		}
	}
}

func (set featureSet) run(t *testing.T, o sushy.Options, pool *x509.CertPool) {
	o.Systems, o.QuickPower = []sushy.System{sushytest.System(0), sushytest.System(1)}, true
	e := sushytest.ForTest(t, o)
	var hosts []redfish.Host
	for _, s := range o.Systems {
		h := sushyHost(e, s)
		h.RootCAs, h.Image, h.NeedsDisk, h.Minimum = pool, "https://images.example:6183/redfish/boot-1.iso", true, redfish.Minimum{Cores: 1, MemoryGiB: 1}
		hosts = append(hosts, h)
	}
	now := time.Now()
	reports := redfish.Preflight(t.Context(), hosts, redfish.Options{Now: func() time.Time { return now }})
	transport := answer{"tls", redfish.Skip, "plain http"}
	if o.Certificate != "" {
		transport = answer{"tls", redfish.Pass, "good until"}
	}
	for i, r := range reports {
		table := append(slices.Concat(everyFeatureSet(), set.checks), transport)
		for _, a := range table {
			c := r.Check(a.check)
			seen := strings.ReplaceAll(c.Seen, o.Systems[i].UUID, "UUID")
			if c.Status != a.status || !strings.Contains(seen, a.seen) {
				t.Errorf("%s is %s (%s → %s), want %s with %q", a.check, c.Status, seen, c.Remedy, a.status, a.seen)
			}
		}
		for _, c := range r.Checks {
			if n := len(slices.DeleteFunc(slices.Clone(table), func(a answer) bool { return a.check != c.ID })); n != 1 {
				t.Errorf("%s stands in the table %d times", c.ID, n)
			}
		}
		if want := set.requests - 2*i; r.Requests != want { // root and systems are the first host's
			t.Errorf("%d requests for %s, want %d", r.Requests, r.Name, want)
		}
	}
	log, err := os.ReadFile(e.Log())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "GET /redfish/v1"); n != 1+reports[0].Requests+reports[1].Requests { // one was to see whether it is up
		t.Errorf("%d requests in the emulator's log:\n%s", n, log)
	}
}

func TestSushyToolsRefusesAPassword(t *testing.T) {
	s := sushytest.System(0)
	e := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{s}, User: "admin", Password: "another", QuickPower: true})
	r := redfish.Preflight(t.Context(), []redfish.Host{sushyHost(e, s)}, redfish.Options{})[0]
	if c := r.Check("auth"); c.Status != redfish.Fail || !strings.Contains(c.Seen, "401") {
		t.Errorf("auth: %+v", c)
	}
	log, err := os.ReadFile(e.Log())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), `" 401 `); n != 1 {
		t.Errorf("%d refusals in the emulator's log, want exactly one:\n%s", n, log)
	}
}

func TestSushyToolsBootsFromAnImage(t *testing.T) {
	s := sushytest.System(0)
	e := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{s}, User: "admin", Password: "sesame", QuickPower: true})
	images := httptest.NewServer(isoHandler(t))
	t.Cleanup(images.Close)
	ctx := t.Context()
	bmc, err := redfish.Open(ctx, sushyHost(e, s))
	if err != nil {
		t.Fatal(err)
	}
	defer bmc.Close(ctx)
	if _, err := bmc.InsertMedia(ctx, images.URL+"/boot.iso"); err != nil {
		t.Fatal(err)
	}
	if err := bmc.SetBootOnce(ctx, schemas.CdBootSource); err != nil {
		t.Fatal(err)
	}
	if err := bmc.Reset(ctx, schemas.OnResetType); err != nil {
		t.Fatal(err)
	}
	system, err := bmc.System(ctx)
	if err != nil || system.BootTarget != "Cd" {
		t.Errorf("%+v, %v", system, err)
	}
	held := 0
	media, err := bmc.Media(ctx)
	for _, m := range media {
		if m.Inserted && m.Image == images.URL+"/boot.iso" {
			held++
		}
	}
	if err != nil || held != 1 {
		t.Errorf("%+v, %v", media, err)
	}
	if err := bmc.EjectMedia(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := bmc.InsertMedia(ctx, images.URL+"/nope.iso"); err == nil || !strings.Contains(err.Error(), "HTTP 4") && !strings.Contains(err.Error(), "HTTP 5") {
		t.Errorf("an image that is not there: %v", err)
	} else {
		t.Log(err)
	}
}
