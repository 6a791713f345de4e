package redfish

import (
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// TestActiveOverrides: the active probe's checks are taken otherwise as all others are. What was changed is changed back whatever
// they count as.
func TestActiveOverrides(t *testing.T) {
	const restored = "PATCH 1 Enabled=Once,Target=Cd; PATCH 1 Enabled=Disabled,Target=None"
	stays := bmctest.Fault{Method: "POST", Path: bmctest.Slot + "/Actions/VirtualMedia.EjectMedia", Status: 204}
	for _, test := range []struct {
		name     string
		id       string
		override Override
		faults   []bmctest.Fault
		statuses string
		seen     string
		host     Status
		writes   string
	}{
		{"insert is turned off", "insert", Override{Skip, "not in this rack"}, nil,
			"skip skip skip skip", "turned off: not in this rack", Pass, ""},
		{"inserted is turned off", "inserted", Override{Skip, "it lags"}, nil,
			"pass skip pass pass", "turned off: it lags", Pass, "POST InsertMedia Image; " + restored + "; POST EjectMedia"},
		{"boot-once is turned off", "boot-once", Override{Skip, "locked"}, nil,
			"pass pass skip pass", "turned off: locked", Pass, "POST InsertMedia Image; POST EjectMedia"},
		{"eject is turned off", "eject", Override{Skip, "we know"}, nil,
			"pass pass pass skip", "turned off: we know", Pass, "POST InsertMedia Image; " + restored + "; POST EjectMedia"},
		{"eject is turned off, and does nothing", "eject", Override{Skip, "we know"}, []bmctest.Fault{stays, {Method: "PATCH", Path: bmctest.Slot, Status: 405}},
			"pass pass pass skip", "turned off: we know; " + bmctest.Slot + " still holds the image", Pass, "POST InsertMedia Image; " + restored + "; POST EjectMedia; PATCH Cd Image,Inserted"},
		{"eject only warns, and does nothing", "eject", Override{Warn, "by hand"}, []bmctest.Fault{stays, {Method: "PATCH", Path: bmctest.Slot, Status: 405}},
			"pass pass pass warn", "(counts as warn: by hand)", Warn, "POST InsertMedia Image; " + restored + "; POST EjectMedia; PATCH Cd Image,Inserted"},
		{"boot-once only warns, and is refused", "boot-once", Override{Warn, "by hand"}, []bmctest.Fault{{Method: "PATCH", Path: bmctest.System, Status: 405}},
			"pass pass warn pass", "HTTP 405 method not allowed (counts as warn: by hand)", Warn, "POST InsertMedia Image; PATCH 1 Enabled=Once,Target=Cd; POST EjectMedia"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Sessions: true, Faults: test.faults})
			opts := quick(func(a *Active) {
				if len(test.faults) > 0 { // else it waits for what never shows
					a.settle = 50 * time.Millisecond
				}
			})
			opts.Overrides = map[string]Override{test.id: test.override}
			r := ask(t, hostAt(b), opts)
			if got := statuses(r); got != test.statuses || r.Status != test.host {
				t.Errorf("got %s, the host is %s; want %s, %s", got, r.Status, test.statuses, test.host)
			}
			if got := r.Check(test.id).Seen; !strings.Contains(got, test.seen) {
				t.Errorf("%s saw %q, want %q in it", test.id, got, test.seen)
			}
			if got := strings.Join(writes(b), "; "); got != test.writes {
				t.Errorf("written:\n%s\nwant:\n%s", got, test.writes)
			}
			if test.faults == nil {
				tidy(t, b, atRest)
			}
		})
	}
}

// A boot override that cannot be put back counts as what the lab says.
func TestUnrestoredObeysItsOverride(t *testing.T) {
	var b *bmctest.BMC
	patches := 0
	b = start(t, bmctest.Config{Sessions: true, Arrived: func(q bmctest.Request) {
		if q.Method == "PATCH" {
			if patches++; patches == 2 {
				b.Break(bmctest.Fault{Method: "PATCH", Path: bmctest.System, Status: 403})
			}
		}
	}})
	opts := quick()
	opts.Overrides = map[string]Override{"boot-once": {Warn, "we restart it anyway"}}
	r := ask(t, hostAt(b), opts)
	want(t, r, "boot-once", Warn, "is Once, target Cd now")
	want(t, r, "boot-once", Warn, "(counts as warn: we restart it anyway) → set it back")
}

// TestLeftoverIsNamed: a pre-flight that only reads says of the image of a probe that was killed what it is, and how it goes.
func TestLeftoverIsNamed(t *testing.T) {
	b := start(t, bmctest.Config{Tree: holding(bmctest.Slot, leftover).Set(bmctest.Media+"/Dvd", []any{"Floppy"}, "MediaTypes")})
	h := hostAt(b)
	r := ask(t, h, Options{})
	want(t, r, "media-busy", Warn, bmctest.Slot+" holds the image of an active probe, which was cut short or is at work: http://127.0.0.1:1 → labrun preflight LAB --active clears it")
	h.Managed, h.Image = true, "https://192.0.2.1:6183/redfish/boot-x.iso"
	want(t, ask(t, h, Options{}), "media-busy", Warn, "holds the image of an active probe, which was cut short → eject it on the BMC's own page")
	if len(writes(b)) > 0 {
		t.Errorf("written: %v", writes(b))
	}
}

// What an active probe that was killed left goes; what somebody has in a drive of the Manager's stays said.
func TestLeftoverBesideAnothersMedium(t *testing.T) {
	tree := holding(bmctest.Slot, leftover)
	tree[bmctest.ManagerMedia] = map[string]any{"Members": []any{}}
	tree.AddSlot(bmctest.ManagerMedia, "Cd", "CD")
	tree.Set(bmctest.Manager, link(bmctest.ManagerMedia), "VirtualMedia").Set(bmctest.ManagerMedia+"/Cd", "http://x/theirs.iso", "Image")
	r := ask(t, hostAt(start(t, bmctest.Config{Tree: tree})), quick())
	want(t, r, "insert", Pass, "cleared first")
	want(t, r, "media-busy", Warn, bmctest.ManagerMedia+"/Cd holds http://x/theirs.iso")
}
