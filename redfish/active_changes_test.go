package redfish

import (
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// TestInsertedIsReadBack shows the slot in different ways after an insert.
func TestInsertedIsReadBack(t *testing.T) {
	for _, test := range []struct {
		body   string
		status Status
		seen   string
	}{
		{`{"Inserted":true,"Image":"/boot.iso"}`, Pass, "shows Inserted true and the image"},
		{`{"Inserted":false,"Image":null}`, Fail, "shows Inserted false and Image an image that it does not name"},
		{`{"Inserted":true,"Image":"http://192.0.2.1/other.iso"}`, Fail, "shows another image: http://192.0.2.1/other.iso"},
		{`{"Inserted":true,"Image":null}`, Unknown, "shows Inserted true and does not name the image"},
		{`{"Inserted":true}`, Unknown, "shows Inserted true and does not name the image"},
		{`{"Image":"boot.iso"}`, Unknown, "Inserted is missing, but the image is there"},
		{`{}`, Unknown, "Inserted is missing"},
		{`[]`, Fail, "the answer is no JSON object"},
	} {
		t.Run(test.body, func(t *testing.T) {
			var b *bmctest.BMC
			b = start(t, bmctest.Config{Sessions: true, Arrived: func(q bmctest.Request) {
				if strings.HasSuffix(q.Path, "InsertMedia") {
					b.Break(bmctest.Fault{Method: "GET", Path: bmctest.Slot, Status: 200, Body: test.body})
				}
			}})
			r := ask(t, hostAt(b), quick(func(a *Active) { a.settle = 50 * time.Millisecond }))
			want(t, r, "insert", Pass, "took it")
			want(t, r, "inserted", test.status, test.seen)
			if got := bootOf(b); got != atRest {
				t.Errorf("the boot override is %s", got)
			}
		})
	}
}

// TestBootOnce shows the override in different ways.
func TestBootOnce(t *testing.T) {
	system := func(boot string) string {
		return `{"@odata.id":"` + bmctest.System + `","Boot":` + boot + `}`
	}
	for _, test := range []struct {
		before, after string // what is shown; empty: what is so
		quirks        bmctest.Quirks
		status        Status
		seen          string
		patches       int
	}{
		{"", "", bmctest.Quirks{}, Pass, "it shows Once, target Cd", 2},
		{"", "", bmctest.Quirks{Continuous: true}, Warn, "it shows Continuous, target Cd; before it was Continuous, target Hdd", 2},
		{system(`{}`), "", bmctest.Quirks{}, Unknown, "states no boot override", 0},
		{"", system(`{"BootSourceOverrideTarget":"Cd"}`), bmctest.Quirks{}, Unknown, "not whether the override is on", 2},
		{"", system(`{"BootSourceOverrideTarget":"Cd","BootSourceOverrideEnabled":"Disabled"}`), bmctest.Quirks{}, Fail, "which has no effect", 2},
		{"", system(`{"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once"}`), bmctest.Quirks{}, Fail, "accepted Once, target Cd and shows Once, target Pxe", 2},
	} {
		t.Run(test.seen, func(t *testing.T) {
			rest := atRest
			if test.quirks.Continuous {
				rest = "Continuous Hdd UEFI"
			}
			var b *bmctest.BMC
			patches := 0
			b = start(t, bmctest.Config{Sessions: true, Quirks: test.quirks, Arrived: func(q bmctest.Request) {
				switch {
				case strings.HasSuffix(q.Path, "InsertMedia") && test.before != "":
					b.Break(bmctest.Fault{Method: "GET", Path: bmctest.System, Status: 200, Body: test.before})
				case q.Method == "PATCH" && patches == 0 && test.after != "":
					b.Break(bmctest.Fault{Method: "GET", Path: bmctest.System, Status: 200, Body: test.after})
				}
				if q.Method == "PATCH" {
					if patches++; patches == 2 {
						b.Mend()
					}
				}
			}})
			r := ask(t, hostAt(b), quick(func(a *Active) { a.settle = 50 * time.Millisecond }))
			want(t, r, "boot-once", test.status, test.seen)
			if patches != test.patches {
				t.Errorf("%d times written, want %d: %v", patches, test.patches, writes(b))
			}
			tidy(t, b, rest)
		})
	}
}

// What cannot be undone is a fail that says what there was, and what to do.
func TestNotUndone(t *testing.T) {
	var b *bmctest.BMC
	patches := 0
	b = start(t, bmctest.Config{Sessions: true, Arrived: func(q bmctest.Request) {
		if q.Method == "PATCH" {
			if patches++; patches == 2 {
				b.Break(bmctest.Fault{Method: "PATCH", Path: bmctest.System, Status: 403})
			}
		}
		if strings.HasSuffix(q.Path, "InsertMedia") && patches == 0 {
			b.Break(bmctest.Fault{Method: "POST", Path: bmctest.Slot + "/Actions/VirtualMedia.EjectMedia", Status: 204})
		}
	}})
	r := ask(t, hostAt(b), quick(impatient, func(a *Active) { a.FetchTimeout = 20 * time.Second }))
	want(t, r, "boot-once", Fail, "the boot override was Disabled, target None, and is Once, target Cd now: PATCH "+b.URL()+bmctest.System+": HTTP 403")
	want(t, r, "boot-once", Fail, "→ set it back on the BMC's own page: Disabled, target None")
	want(t, r, "eject", Fail, bmctest.Slot+" still holds the image")
	want(t, r, "eject", Fail, "→ eject the image on the BMC's own page")

	// The next run finds both, and clears them.
	b.Mend()
	r = ask(t, hostAt(b), quick())
	if got := statuses(r); got != "pass pass pass pass" {
		t.Errorf("the next run: %s", got)
	}
	want(t, r, "insert", Pass, "cleared first what an active probe that was cut short had left in "+bmctest.Slot)
	want(t, r, "media-busy", Pass, "is cleared")
	tidy(t, b, atRest)
}
