package redfish

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
	"github.com/labrun/labrun/redfish/imageserver"
)

// quick is an active probe with no time to lose: what must happen has long, what must not has little.
func quick(edit ...func(*Active)) Options {
	a := &Active{FetchTimeout: 20 * time.Second, pause: time.Millisecond, settle: 20 * time.Second, look: time.Millisecond}
	for _, e := range edit {
		e(a)
	}
	return Options{Active: a}
}

func impatient(a *Active) { a.FetchTimeout, a.settle = 50*time.Millisecond, 50*time.Millisecond }

// statuses are those of the active probe's checks, in their order.
func statuses(r Report) string {
	var out []string
	for _, c := range ActiveCatalogue() {
		out = append(out, string(r.Check(c.ID).Status))
	}
	return strings.Join(out, " ")
}

// writes are the requests of a BMC that change something, but for sessions; of an insert the properties, sorted.
func writes(b *bmctest.BMC) []string {
	var out []string
	for _, q := range b.Requests() {
		if q.Method == "GET" || strings.HasPrefix(q.Path, bmctest.Sessions) {
			continue
		}
		var body map[string]any
		_ = json.Unmarshal([]byte(q.Body), &body)
		if boot, ok := body["Boot"].(map[string]any); ok {
			body = map[string]any{}
			for name, value := range boot {
				body[strings.TrimPrefix(name, "BootSourceOverride")+"="+fmt.Sprint(value)] = true
			}
		}
		out = append(out, strings.TrimSpace(q.Method+" "+q.Path[strings.LastIndexAny(q.Path, "./")+1:]+" "+strings.Join(slices.Sorted(maps.Keys(body)), ",")))
	}
	return out
}

// offered are the URLs of active probes that the BMC was given.
func offered(b *bmctest.BMC) []string {
	var out []string
	for _, q := range b.Requests() {
		var body struct{ Image string }
		if json.Unmarshal([]byte(q.Body), &body) == nil && imageserver.Own(body.Image) {
			out = append(out, body.Image)
		}
	}
	return out
}

// tidy fails the test unless the BMC is as it was: every slot empty, the boot override as it was, no session, and nobody
// serving what was on offer.
func tidy(t *testing.T, b *bmctest.BMC, boot string) {
	t.Helper()
	b.Settle()
	for path, body := range b.Resources() {
		if body["Inserted"] == true || body["Inserted"] == false && body["Image"] != nil {
			t.Errorf("%s holds %v", path, body["Image"])
		}
	}
	if got := bootOf(b); got != boot {
		t.Errorf("the boot override is %s, want %s", got, boot)
	}
	if open, _ := b.Sessions(); open != 0 {
		t.Errorf("%d sessions are left", open)
	}
	for _, image := range offered(b) {
		u, err := url.Parse(image)
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", u.Host); err == nil {
			conn.Close()
			t.Errorf("%s is still served", image)
		}
	}
}

func bootOf(b *bmctest.BMC) string {
	boot := func(name string) any { return b.Property(bmctest.System, "Boot", "BootSourceOverride"+name) }
	return fmt.Sprint(boot("Enabled"), " ", boot("Target"), " ", boot("Mode"))
}

const atRest = "Disabled None UEFI"

func TestActiveCatalogueIsWhole(t *testing.T) {
	known := map[string]bool{}
	for _, c := range Catalogue() {
		if c.Active {
			t.Errorf("%s is active and in the catalogue of those that only read", c.ID)
		}
		known[c.ID] = true
	}
	for _, c := range ActiveCatalogue() {
		if c.ID == "" || c.Asks == "" || c.Rule == "" || c.Why == "" || c.Remedy == "" || c.ask == nil || !c.Active || known[c.ID] {
			t.Errorf("check %q lacks a part, or is there twice", c.ID)
		}
		for _, need := range c.Needs {
			if !known[need] {
				t.Errorf("%s needs %s, which does not come before it", c.ID, need)
			}
		}
		known[c.ID] = true
	}
}

// Without being asked for by name, nothing is written.
func TestReadOnlyByDefault(t *testing.T) {
	b := start(t, bmctest.Config{Sessions: true})
	r := ask(t, hostAt(b), Options{})
	if got := writes(b); len(got) != 0 || statuses(r) != "   " {
		t.Errorf("%v, %s", got, statuses(r))
	}
}

// TestActiveQuirks probes a BMC of each kind.
func TestActiveQuirks(t *testing.T) {
	const (
		set, unset = "PATCH 1 Enabled=Once,Target=Cd", "PATCH 1 Enabled=Disabled,Target=None"
		eject      = "POST EjectMedia"
	)
	noActions := func() bmctest.Tree { return bmctest.Small().Unset(bmctest.Slot, "Actions") }
	insertAt := bmctest.Slot + "/Actions/VirtualMedia.InsertMedia"
	ejectAt := bmctest.Slot + "/Actions/VirtualMedia.EjectMedia"
	usb := bmctest.Small().Set(bmctest.System, []any{"None", "UsbCd", "Hdd"}, "Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
	smc := bmctest.Small().Set(bmctest.System, "Supermicro", "Manufacturer").
		Set(bmctest.System, []any{"None", "Cd", "UsbCd"}, "Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
	two := bmctest.Small()
	two.AddSlot(bmctest.Media, "Dvd", "DVD")
	for _, test := range []struct {
		name     string
		config   bmctest.Config
		edit     func(*Active)
		statuses string
		seen     map[string]string
		writes   string
	}{
		{"standard", bmctest.Config{}, nil, "pass pass pass pass", map[string]string{
			"insert":    bmctest.Slot + " took it (InsertMedia, Image alone) and 127.0.0.1:",
			"inserted":  "shows Inserted true and the image",
			"boot-once": "it shows Once, target Cd; before it was Disabled, target None",
			"eject":     bmctest.Slot + " is empty again",
		}, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"Supermicro", bmctest.Config{Quirks: bmctest.Quirks{Refuses: []string{"Inserted", "WriteProtected"}, EjectAppears: true}}, nil,
			"pass pass pass pass", nil, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"Lenovo", bmctest.Config{Patch: true, Tree: noActions()}, nil, "pass pass pass pass", map[string]string{"insert": "PATCH with Inserted, Image alone"},
			"PATCH Cd Image,Inserted; " + set + "; " + unset + "; PATCH Cd Image,Inserted"},
		{"iLO", bmctest.Config{NoFetch: true}, impatient, "fail skip skip pass", map[string]string{
			"insert": "the BMC has not fetched it from http://127.0.0.1:",
		}, "POST InsertMedia Image; " + eject},
		{"OpenBMC", bmctest.Config{Quirks: bmctest.Quirks{FetchesHead: true}}, func(a *Active) { a.FetchTimeout = 50 * time.Millisecond },
			"warn pass pass pass", map[string]string{"insert": "read nothing of it within 50ms"}, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"ranges", bmctest.Config{Quirks: bmctest.Quirks{FetchesParts: true}}, nil, "pass pass pass pass",
			map[string]string{"insert": "bytes=0-2047, agent bmctest"}, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"Dell", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"TransferProtocolType"}}}, nil, "pass pass pass pass",
			map[string]string{"insert": "Image with TransferProtocolType)"},
			"POST InsertMedia Image; POST InsertMedia Image,TransferProtocolType; " + set + "; " + unset + "; " + eject},
		{"TransferMethod", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"TransferMethod"}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; POST InsertMedia Image,TransferProtocolType; POST InsertMedia Image,TransferMethod,TransferProtocolType; " + set + "; " + unset + "; " + eject},
		{"user and password", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"UserName", "Password"}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; POST InsertMedia Image,TransferProtocolType; POST InsertMedia Image,TransferMethod,TransferProtocolType; " +
				"POST InsertMedia Image,Password,TransferMethod,TransferProtocolType,UserName; " + set + "; " + unset + "; " + eject},
		{"500 twice", bmctest.Config{Faults: []bmctest.Fault{{Method: "POST", Path: insertAt, Status: 500, Times: 2}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; POST InsertMedia Image; POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"500 always", bmctest.Config{Faults: []bmctest.Fault{{Method: "POST", Path: insertAt, Status: 500}}}, nil, "fail skip skip skip",
			map[string]string{"insert": "HTTP 500 internal server error; it did not ask for the image"},
			"POST InsertMedia Image; POST InsertMedia Image; POST InsertMedia Image; POST InsertMedia Image,TransferProtocolType; " +
				"POST InsertMedia Image,TransferMethod,TransferProtocolType; POST InsertMedia Image,Password,TransferMethod,TransferProtocolType,UserName"},
		{"405, then the next slot", bmctest.Config{Tree: two, Faults: []bmctest.Fault{{Method: "POST", Path: insertAt, Status: 405}}}, nil, "pass pass pass pass",
			map[string]string{"insert": "/Dvd took it", "eject": "/Dvd is empty again"},
			"POST InsertMedia Image; POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"no right", bmctest.Config{Tree: two, Faults: []bmctest.Fault{{Method: "POST", Path: insertAt, Status: 403}}}, nil, "fail skip skip skip",
			map[string]string{"insert": "HTTP 403"}, "POST InsertMedia Image"},
		{"later", bmctest.Config{Quirks: bmctest.Quirks{FetchesLater: true, Accepted: true}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"Manager", bmctest.Config{Tree: bmctest.Small().MediaUnderManager()}, nil, "pass pass pass pass",
			map[string]string{"insert": bmctest.Manager + "/VirtualMedia/Cd took it"}, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"IPv6, TLS", bmctest.Config{Listen: "[::1]:0", TLS: true}, nil, "pass pass pass pass", map[string]string{"insert": "and [::1]:"},
			"POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"UsbCd", bmctest.Config{Tree: usb}, nil, "pass pass pass pass", map[string]string{"boot-once": "target UsbCd"},
			"POST InsertMedia Image; PATCH 1 Enabled=Once,Target=UsbCd; " + unset + "; " + eject},
		{"a Supermicro that lists both", bmctest.Config{Tree: smc}, nil, "pass pass pass pass", map[string]string{"boot-once": "target UsbCd"},
			"POST InsertMedia Image; PATCH 1 Enabled=Once,Target=UsbCd; " + unset + "; " + eject},
		{"override read-only", bmctest.Config{Faults: []bmctest.Fault{{Method: "PATCH", Path: bmctest.System, Status: 405}}}, nil, "pass pass fail pass",
			map[string]string{"boot-once": "HTTP 405"}, "POST InsertMedia Image; " + set + "; " + eject},
		{"override ignored", bmctest.Config{Faults: []bmctest.Fault{{Method: "PATCH", Path: bmctest.System, Status: 204}}}, func(a *Active) { a.settle = 50 * time.Millisecond }, "pass pass fail pass",
			map[string]string{"boot-once": "accepted Once, target Cd and shows Disabled, target None"}, "POST InsertMedia Image; " + set + "; " + unset + "; " + eject},
		{"override wants the mode", bmctest.Config{Faults: []bmctest.Fault{{Method: "PATCH", Path: bmctest.System, Status: 400, Times: 1}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; " + set + "; PATCH 1 Enabled=Once,Mode=UEFI,Target=Cd; " + unset + "; " + eject},
		{"eject is ignored once", bmctest.Config{Faults: []bmctest.Fault{{Method: "POST", Path: ejectAt, Status: 500, Times: 1}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; " + set + "; " + unset + "; " + eject + "; " + eject},
		{"eject by PATCH", bmctest.Config{Patch: true, Faults: []bmctest.Fault{{Method: "POST", Path: ejectAt, Status: 400}}}, nil, "pass pass pass pass", nil,
			"POST InsertMedia Image; " + set + "; " + unset + "; " + eject + "; PATCH Cd Image,Inserted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.Sessions = true
			b := start(t, test.config)
			if test.edit == nil {
				test.edit = func(*Active) {}
			}
			r := ask(t, hostAt(b), quick(test.edit))
			if got := statuses(r); got != test.statuses {
				t.Errorf("got %s, want %s", got, test.statuses)
			}
			for _, c := range r.Checks {
				if c.Status != Pass && !slices.Contains([]string{"dns", "tls"}, c.ID) {
					t.Logf("%s is %s: %s → %s", c.ID, c.Status, c.Seen, c.Remedy)
				}
				if (c.Status == Fail || c.Status == Warn) && c.Remedy == "" {
					t.Errorf("%s has no remedy", c.ID)
				}
			}
			for id, text := range test.seen {
				if got := r.Check(id).Seen; !strings.Contains(got, text) {
					t.Errorf("%s saw %q, want %q in it", id, got, text)
				}
			}
			if got := strings.Join(writes(b), "; "); got != test.writes {
				t.Errorf("written:\n%s\nwant:\n%s", got, test.writes)
			}
			if r.Requests != len(b.Requests()) {
				t.Errorf("%d requests reported, %d got", r.Requests, len(b.Requests()))
			}
			if _, ever := b.Sessions(); ever != 1 || b.Connections() != 1 {
				t.Errorf("%d sessions, %d connections", ever, b.Connections())
			}
			tidy(t, b, atRest)
		})
	}
}
