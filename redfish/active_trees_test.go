package redfish

import (
	"fmt"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// TestActiveOnTreesOfRealBMCs probes crawls of real BMCs that insert as their vendor's do.
func TestActiveOnTreesOfRealBMCs(t *testing.T) {
	for _, test := range []struct {
		file, system string
		config       bmctest.Config
		statuses     string
		seen         string
		rest         string
	}{
		{"dell-idrac9", "System.Embedded.1", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"TransferProtocolType"}, Accepted: true}},
			"pass pass pass pass", "/VirtualMedia/1 took it (InsertMedia, Image with TransferProtocolType)", atRest},
		{"supermicro", "1", bmctest.Config{Quirks: bmctest.Quirks{Refuses: []string{"Inserted", "WriteProtected"}, EjectAppears: true}},
			"pass pass pass pass", "/VirtualMedia1 took it (InsertMedia, Image alone)", "Disabled Pxe UEFI"},
		{"lenovo-xcc", "1", bmctest.Config{Patch: true}, "pass pass pass pass", "/EXT1 took it (PATCH with Inserted, Image alone)", atRest},
		{"hpe-ilo5", "1", bmctest.Config{}, "pass pass pass pass", "/redfish/v1/Managers/1/VirtualMedia/2 took it (InsertMedia, Image alone)", atRest},
		{"hpe-ilo5", "1", bmctest.Config{NoFetch: true}, "fail skip skip pass", "has not fetched it", atRest},
		{"openbmc", "system", bmctest.Config{}, "skip skip skip skip", "not asked: media failed", atRest},
	} {
		t.Run(test.file, func(t *testing.T) {
			test.config.Tree, test.config.Sessions = realTree(t, test.file), true
			b := start(t, test.config)
			h := hostAt(b)
			h.Address, h.BootMAC = b.Address(bmctest.Systems+"/"+test.system), ""
			opts := quick()
			if test.config.NoFetch {
				impatient(opts.Active)
			}
			r := ask(t, h, opts)
			if got := statuses(r); got != test.statuses {
				t.Errorf("got %s, want %s", got, test.statuses)
			}
			want(t, r, "insert", r.Check("insert").Status, test.seen)
			t.Logf("%s; %d requests, written: %v", r.Check("insert").Seen, r.Requests, writes(b))
			boot := func(name string) any {
				return b.Property(bmctest.Systems+"/"+test.system, "Boot", "BootSourceOverride"+name)
			}
			if got := fmt.Sprint(boot("Enabled"), " ", boot("Target"), " ", boot("Mode")); got != test.rest {
				t.Errorf("the boot override is %s, want %s", got, test.rest)
			}
			for path, body := range b.Resources() {
				if body["Inserted"] == true {
					t.Errorf("%s holds %v", path, body["Image"])
				}
			}
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d sessions are left", open)
			}
		})
	}
}
