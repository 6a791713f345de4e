package redfish

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// expected is what a tree of a real BMC must give, and the property that decides it.
type expected struct {
	check  string
	status Status
	seen   string
}

// TestTreesOfRealBMCs asks crawls of real BMCs. Checks that are not in a machine's table must pass, or be skipped where they
// are not asked (dns, tls, boot-mac, link).
func TestTreesOfRealBMCs(t *testing.T) {
	folder := os.Getenv("LABRUN_REDFISH_TREES")
	if folder == "" {
		t.Skip("LABRUN_REDFISH_TREES names no folder with trees of real BMCs")
	}
	on := expected{"power", Warn, "PowerState On"}
	for _, test := range []struct {
		file, system string
		requests     int // of these, one for each slot
		slots        int
		deviations   []expected
	}{
		{"dell-idrac9", "System.Embedded.1", 8, 2, []expected{on}},
		{"supermicro", "1", 10, 3, []expected{on}},
		{"lenovo-xcc", "1", 16, 10, []expected{on, {"media-action", Unknown, "Image and Inserted"}}},
		{"hpe-ilo5", "1", 8, 2, []expected{on, {"health", Warn, "Health Critical"}, {"media", Pass, "/redfish/v1/Managers/1/VirtualMedia"}}},
		{"openbmc", "system", 6, 0, []expected{
			{"health", Warn, "State Disabled"}, {"media", Fail, "VirtualMedia.@odata.id is missing"},
			{"media-type", Skip, "media failed"}, {"media-action", Skip, "media failed"}, {"media-busy", Skip, "media failed"},
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			tree, err := bmctest.ReadTree(filepath.Join(folder, test.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			b := start(t, bmctest.Config{Tree: tree, Sessions: true})
			h := hostAt(b)
			h.Address, h.BootMAC = b.Address(bmctest.Systems+"/"+test.system), ""
			r := ask(t, h, Options{})
			byCheck := map[string]expected{}
			for _, e := range test.deviations {
				byCheck[e.check] = e
			}
			for _, c := range r.Checks {
				e, deviates := byCheck[c.ID]
				switch {
				case deviates:
					want(t, r, c.ID, e.status, e.seen)
				case strings.Contains("dns tls boot-mac link", c.ID):
					want(t, r, c.ID, Skip, "")
				default:
					want(t, r, c.ID, Pass, "")
				}
			}
			if r.Requests != len(b.Requests()) || r.Requests != test.requests || r.Requests > 14+test.slots {
				t.Errorf("%d requests reported, %d got, want %d: %v", r.Requests, len(b.Requests()), test.requests, b.Requests())
			}
			if r.Firmware == "" {
				t.Error("no firmware version")
			}
			t.Logf("%s %s %s: %s, %d requests, of these %d slots", r.Vendor, r.Model, r.Firmware, r.Status, r.Requests, test.slots)
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d sessions left", open)
			}
			h.BootMAC = "52:54:00:00:00:01" // no real machine has it
			boot := ask(t, h, Options{}).Check("boot-mac")
			if test.file == "openbmc" && boot.Status != Unknown || test.file != "openbmc" && boot.Status != Fail {
				t.Errorf("an unknown boot MAC is %s: %s", boot.Status, boot.Seen)
			}
			t.Logf("boot-mac: %s", boot.Seen)
		})
	}
}
