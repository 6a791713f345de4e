package redfish_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// TestSushyTools asks real sushy-tools in the ways it can be set up. It has no sessions: skip. What is in none of the
// columns must pass.
func TestSushyTools(t *testing.T) {
	certificate, key, pool := keyPair(t)
	for _, test := range []struct {
		name     string
		options  sushy.Options
		requests int
		unknown  string
		fail     string
		skip     string
	}{
		// root, systems (the one Basic GET), system, interfaces, interface, media, Cd, Floppy, manager
		{"full, IPv4", sushy.Options{}, 9, "link", "", "dns tls session"},
		{"full, IPv6, TLS", sushy.Options{ListenIP: "::1", Certificate: certificate, Key: key}, 9, "link", "", "dns session"},
		{"vmedia", sushy.Options{FeatureSet: "vmedia"}, 9, "health link", "", "dns tls session"},
		// root, systems, system: there is neither media nor a Manager, nor are there interfaces
		{"minimum", sushy.Options{FeatureSet: "minimum", ListenIP: "::1"}, 3,
			"health boot-mac link", "media", "dns tls session media-type media-action media-busy"},
		{"floppy only", sushy.Options{Devices: map[string]sushy.Device{"Floppy": {Name: "Floppy", MediaTypes: []string{"Floppy"}}}}, 8,
			"link", "media-type", "dns tls session media-action media-busy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.options.Systems = []sushy.System{sushytest.System(0), sushytest.System(1)}
			test.options.User, test.options.Password, test.options.QuickPower = "admin", "sesame", true
			e := sushytest.ForTest(t, test.options)
			hosts := []redfish.Host{sushyHost(e, test.options.Systems[0]), sushyHost(e, test.options.Systems[1])}
			for i := range hosts {
				hosts[i].RootCAs = pool
			}
			reports := redfish.Preflight(t.Context(), hosts, redfish.Options{})
			for _, c := range reports[0].Checks {
				expected := redfish.Pass
				for status, ids := range map[redfish.Status]string{redfish.Unknown: test.unknown, redfish.Fail: test.fail, redfish.Skip: test.skip} {
					for _, id := range strings.Fields(ids) {
						if id == c.ID {
							expected = status
						}
					}
				}
				if c.Status != expected {
					t.Errorf("%s is %s, want %s: %s → %s", c.ID, c.Status, expected, c.Seen, c.Remedy)
				}
			}
			log, err := os.ReadFile(e.Log())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d and %d requests; in the emulator's log %d", reports[0].Requests, reports[1].Requests, strings.Count(string(log), `"GET /redfish`))
			if reports[0].Requests != test.requests {
				t.Errorf("%d requests, want %d", reports[0].Requests, test.requests)
			}
		})
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
