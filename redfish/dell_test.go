package redfish

import (
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// A Dell wants an address type of its own. The remedy is the whole address, as it is to be written.
func TestDellBehindAnotherType(t *testing.T) {
	made := func(by, version string) change {
		return both(set(bmctest.System, by, "Manufacturer"), set(bmctest.Manager, version, "FirmwareVersion"))
	}
	as := func(kind string) func(*Host) {
		return func(h *Host) { h.Address = strings.Replace(h.Address, "redfish-virtualmedia", kind, 1) }
	}
	const own = "→ write idrac-virtualmedia+http://BMC" + bmctest.System
	for _, test := range []struct {
		name   string
		change change
		host   func(*Host)
		status Status
		text   string
	}{
		{"iDRAC9 before 6", made("Dell Inc.", "5.10.50.00"), as("redfish-virtualmedia"), Fail, "before 6.00.00.00, and this one's is 5.10.50.00 " + own},
		{"iDRAC10", made("Dell Inc.", "1.20.25.00"), as("redfish-virtualmedia"), Fail, "this one's is 1.20.25.00 " + own},
		{"iDRAC9", made("Dell Inc.", "6.00.30.00"), as("redfish-virtualmedia"), Warn, "redfish-virtualmedia is not for a Dell: Metal3 has a type of its own for it " + own},
		{"two digits", made("Dell", "10.00.00.00"), as("redfish-virtualmedia"), Warn, own},
		{"no version", both(made("Dell Inc.", ""), unset(bmctest.Manager, "FirmwareVersion")), as("redfish-virtualmedia"), Warn, "this one's is not known " + own},
		{"no path", made("Dell Inc.", "5.10.50.00"), func(h *Host) { h.Address = strings.TrimSuffix(h.Address, bmctest.System) }, Fail, own},
		{"its own type", made("Dell Inc.", "5.10.50.00"), as("idrac-virtualmedia"), Pass, "idrac-virtualmedia+http, 127.0.0.1"},
		{"no Dell", made("Adell", "5.10.50.00"), as("redfish-virtualmedia"), Pass, "redfish-virtualmedia+http, 127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Tree: test.change(bmctest.Small())})
			h := hostAt(b)
			test.host(&h)
			r := ask(t, h, Options{})
			want(t, r, "address", test.status, strings.Replace(test.text, "BMC", strings.TrimPrefix(b.URL(), "http://"), 1))
			want(t, r, "media-busy", Pass, "is empty") // all else is asked
			if test.status == Fail && r.Usable() {
				t.Error("it counts as usable")
			}
		})
	}
}

func TestDellBehindAnotherTypeIsOverridden(t *testing.T) {
	tree := bmctest.Small().Set(bmctest.System, "Dell Inc.", "Manufacturer")
	for _, test := range []struct {
		severity, status Status
		text             string
	}{
		{Skip, Skip, "turned off: we know"},
		{Warn, Warn, "this one's is 1.00 (counts as warn: we know)"},
	} {
		b := start(t, bmctest.Config{Tree: tree})
		want(t, ask(t, hostAt(b), Options{Overrides: map[string]Override{"address": {test.severity, "we know"}}}), "address", test.status, test.text)
	}
}
