package redfish_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/internal/sim/sushy/sushytest"
	"github.com/labrun/labrun/redfish"
)

// servedImage serves an image under every path, until it is closed; the URL is one of them.
func servedImage(t *testing.T) (url string, close func()) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 4096)) }))
	t.Cleanup(s.Close)
	return s.URL + "/theirs.iso", s.Close
}

// sushyState reads a resource of the emulator directly; nil where it is not there.
func sushyState(t *testing.T, e *sushy.Emulator, path string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.SystemURL("worker0")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", "sesame")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	if answer.StatusCode == http.StatusOK {
		err = json.NewDecoder(answer.Body).Decode(&body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// atRest fails the test unless the emulator is as it was: nothing inserted, the boot override at rest.
func atRest(t *testing.T, e *sushy.Emulator) {
	t.Helper()
	if cd := sushyState(t, e, "/VirtualMedia/Cd"); cd != nil && (cd["Inserted"] != false || cd["Image"] != "") {
		t.Errorf("the slot holds %v", cd["Image"])
	}
	boot, _ := sushyState(t, e, "")["Boot"].(map[string]any)
	if boot["BootSourceOverrideTarget"] != nil && boot["BootSourceOverrideTarget"] != "Hdd" {
		t.Errorf("the boot override is %v", boot)
	}
}

// TestSushyToolsActive probes real sushy-tools in the ways it can be set up: it fetches before it answers, and makes
// Continuous of Once.
func TestSushyToolsActive(t *testing.T) {
	certificate, key, pool := keyPair(t)
	const full, none = "pass pass warn pass", "skip skip skip skip"
	for _, test := range []struct {
		features string
		statuses string
		seen     map[string]string
	}{
		{"full", full, map[string]string{"insert": "sent GET after", "boot-once": "it shows Continuous, target Cd; before it was Continuous, target Hdd"}},
		{"vmedia", full, map[string]string{"insert": "sent GET after"}},
		{"minimum", none, map[string]string{"insert": "not asked: media failed", "boot-once": "not asked: media failed", "eject": "not asked: nothing was inserted"}},
	} {
		for _, way := range []struct {
			listen        string
			secure, login bool
		}{{"127.0.0.1", false, false}, {"127.0.0.1", true, true}, {"::1", false, true}, {"::1", true, false}} {
			t.Run(fmt.Sprintf("%s, %s, TLS %t, login %t", test.features, way.listen, way.secure, way.login), func(t *testing.T) {
				s := sushytest.System(0)
				o := sushy.Options{FeatureSet: test.features, ListenIP: way.listen, QuickPower: true, Systems: []sushy.System{s}}
				if way.secure {
					o.Certificate, o.Key = certificate, key
				}
				if way.login {
					o.User, o.Password = "admin", "sesame"
				}
				e := sushytest.ForTest(t, o)
				h := sushyHost(e, s)
				h.RootCAs = pool
				r := redfish.Preflight(t.Context(), []redfish.Host{h}, redfish.Options{Active: &redfish.Active{}})[0]
				var got []string
				for _, c := range redfish.ActiveCatalogue() {
					result := r.Check(c.ID)
					got = append(got, string(result.Status))
					if !strings.Contains(result.Seen, test.seen[c.ID]) {
						t.Errorf("%s saw %q, want %q in it", c.ID, result.Seen, test.seen[c.ID])
					}
					t.Logf("%s %s: %s", c.ID, result.Status, result.Seen)
				}
				if strings.Join(got, " ") != test.statuses {
					t.Errorf("got %s, want %s", got, test.statuses)
				}
				if asked := requestsIn(t, e, ""); r.Requests != asked {
					t.Errorf("%d requests reported, %d in the emulator's log", r.Requests, asked)
				}
				atRest(t, e)
			})
		}
	}
}

// requestsIn counts the requests of a method in the emulator's log; of "" all, but for the one that saw it start.
func requestsIn(t *testing.T, e *sushy.Emulator, method string) int {
	t.Helper()
	log, err := os.ReadFile(e.Log())
	if err != nil {
		t.Fatal(err)
	}
	n := strings.Count(string(log), method+" /redfish/v1")
	if method == "" {
		n--
	}
	return n
}

// TestSushyToolsMediaOfOthers: a run of real sushy-tools with somebody's image in the drive gets no write.
func TestSushyToolsMediaOfOthers(t *testing.T) {
	s := sushytest.System(0)
	e := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{s}, User: "admin", Password: "sesame", QuickPower: true})
	images, _ := servedImage(t)
	bmc, err := redfish.Open(t.Context(), sushyHost(e, s))
	if err != nil {
		t.Fatal(err)
	}
	defer bmc.Close(t.Context())
	if _, err := bmc.InsertMedia(t.Context(), images); err != nil {
		t.Fatal(err)
	}
	before := requestsIn(t, e, "POST") + requestsIn(t, e, "PATCH")
	r := redfish.Preflight(t.Context(), []redfish.Host{sushyHost(e, s)}, redfish.Options{Active: &redfish.Active{}})[0]
	if c := r.Check("insert"); c.Status != redfish.Skip || !strings.Contains(c.Seen, "holds "+images) {
		t.Errorf("%+v", c)
	}
	if after := requestsIn(t, e, "POST") + requestsIn(t, e, "PATCH"); before != 1 || after != before {
		t.Errorf("%d writes before the probe, %d after it", before, after)
	}
	if cd := sushyState(t, e, "/VirtualMedia/Cd"); cd["Image"] != images {
		t.Errorf("the slot holds %v", cd["Image"])
	}
}

// TestSushyToolsLeftover: a run that was killed left its image and its boot override; the next run clears both.
func TestSushyToolsLeftover(t *testing.T) {
	s := sushytest.System(0)
	e := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{s}, User: "admin", Password: "sesame", QuickPower: true})
	images, close := servedImage(t)
	bmc, err := redfish.Open(t.Context(), sushyHost(e, s))
	if err != nil {
		t.Fatal(err)
	}
	defer bmc.Close(t.Context())
	if _, err := bmc.InsertMedia(t.Context(), strings.Replace(images, "/theirs.iso", "/labrun-preflight/ABCDEFGHIJKLMNOPQRSTUVWXYZ/boot.iso", 1)); err != nil {
		t.Fatal(err)
	}
	if err := bmc.SetBootOnce(t.Context(), "Cd"); err != nil {
		t.Fatal(err)
	}
	close()
	r := redfish.Preflight(t.Context(), []redfish.Host{sushyHost(e, s)}, redfish.Options{Active: &redfish.Active{}})[0]
	if c := r.Check("insert"); c.Status != redfish.Pass || !strings.Contains(c.Seen, "cleared first what an active probe that was cut short had left") {
		t.Errorf("%+v", c)
	}
	if cd := sushyState(t, e, "/VirtualMedia/Cd"); cd["Inserted"] != false {
		t.Errorf("the slot holds %v", cd["Image"])
	}
	boot, _ := sushyState(t, e, "")["Boot"].(map[string]any)
	if boot["BootSourceOverrideTarget"] != "Hdd" {
		t.Errorf("the boot override is %v", boot)
	}
}

// TestSushyToolsInterrupted cancels after each result of the active probe: sushy-tools is as it was.
func TestSushyToolsInterrupted(t *testing.T) {
	s := sushytest.System(0)
	e := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{s}, User: "admin", Password: "sesame", QuickPower: true})
	for _, after := range []string{"boot-mode", "insert", "inserted", "boot-once"} {
		ctx, cancel := context.WithCancel(t.Context())
		r := redfish.Preflight(ctx, []redfish.Host{sushyHost(e, s)}, redfish.Options{Active: &redfish.Active{}, Progress: func(_ string, r redfish.Result) {
			if r.ID == after {
				cancel()
			}
		}})[0]
		cancel()
		if r.Status != redfish.Unknown {
			t.Errorf("interrupted after %s, and the report is %s", after, r.Status)
		}
		atRest(t, e)
	}
}
