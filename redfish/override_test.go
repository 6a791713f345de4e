package redfish

import (
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

func TestOverrides(t *testing.T) {
	ill := func() bmctest.Tree {
		return bmctest.Small().Set(bmctest.System, "Critical", "Status", "Health").Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes")
	}
	for _, test := range []struct {
		name     string
		override map[string]Override
		check    string
		status   Status
		text     string
		host     Status
	}{
		{"none", nil, "media-type", Fail, "the slots take only Floppy → update", Fail},
		{"turned off", map[string]Override{"health": {Skip, "a fan is on order"}}, "health", Skip, "turned off: a fan is on order", Fail},
		{"a warning fails", map[string]Override{"health": {Fail, "production"}}, "health", Fail, "Health Critical, State Enabled (counts as fail: production) → look into", Fail},
		{"a failure warns", map[string]Override{"media-type": {Warn, "it boots"}}, "media-type", Warn, "take only Floppy (counts as warn: it boots)", Warn},
		{"what it needs is still skipped", map[string]Override{"media-type": {Warn, "it boots"}}, "media-action", Skip, "media-type failed", Warn},
		{"a pass stays one", map[string]Override{"power": {Fail, "x"}}, "power", Pass, "PowerState Off", Fail},
		{"off, and needed", map[string]Override{"media": {Skip, "x"}}, "media-type", Fail, "take only Floppy", Fail},
		{"off, needed and failed", map[string]Override{"media-type": {Skip, "we know"}}, "media-busy", Skip, "media-type failed", Warn},
		{"no such check", map[string]Override{"nonsense": {Skip, "x"}}, "media-type", Fail, "Floppy", Fail},
		{"no severity of its own", map[string]Override{"health": {Pass, "x"}}, "health", Warn, "Critical", Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Tree: ill(), Sessions: true})
			r := ask(t, hostAt(b), Options{Overrides: test.override})
			want(t, r, test.check, test.status, test.text)
			if r.Status != test.host {
				t.Errorf("the host is %s, want %s", r.Status, test.host)
			}
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d sessions left", open)
			}
		})
	}
}

// What is known only at the end obeys, too.
func TestOverridesOfLateFindings(t *testing.T) {
	undeleted := []bmctest.Fault{{Method: "DELETE", Status: 500}}
	for _, test := range []struct {
		override Override
		status   Status
		text     string
	}{
		{Override{Skip, "it times out"}, Skip, "turned off: it times out"},
		{Override{Fail, "few sessions"}, Fail, "was not deleted: "},
	} {
		b := start(t, bmctest.Config{Sessions: true, Faults: undeleted})
		want(t, ask(t, hostAt(b), Options{Overrides: map[string]Override{"session": test.override}}), "session", test.status, test.text)
	}
	b := start(t, bmctest.Config{})
	first, second := hostAt(b), hostAt(b)
	second.Name, second.BootMAC = "worker1", ""
	second.Address = strings.TrimSuffix(second.Address, "/1") + "/2"
	twin := bmctest.Small()
	twin.AddSystem("2", "38947555-7742-3448-3784-823347823834") // the same UUID
	b = start(t, bmctest.Config{Tree: twin})
	first.Address, second.Address = b.Address(bmctest.System), b.Address(bmctest.Systems+"/2")
	for _, r := range Preflight(t.Context(), []Host{first, second}, Options{Overrides: map[string]Override{"duplicate": {Skip, "a board without a UUID"}}}) {
		want(t, r, "duplicate", Skip, "turned off: a board without a UUID")
		if r.Status != Pass {
			t.Errorf("%+v", r)
		}
	}
}

// A check that is off and that nothing builds on costs no request.
func TestOffIsNotAsked(t *testing.T) {
	b := start(t, bmctest.Config{})
	off := map[string]Override{}
	for _, id := range []string{"secure-boot", "lockdown", "licence", "privilege", "resources", "media-service"} {
		off[id] = Override{Skip, "not here"}
	}
	r := ask(t, hostAt(b), Options{Overrides: off})
	// root, systems, system, interfaces, interface, media, slot, manager
	if len(b.Requests()) != 8 || r.Requests != 8 || r.Status != Pass {
		t.Errorf("%s after %d requests: %v", r.Status, r.Requests, b.Requests())
	}
}

// No override makes good that a BMC was too slow to be asked everything.
func TestOffDoesNotHideTheDeadline(t *testing.T) {
	off := map[string]Override{}
	for _, c := range Catalogue() {
		off[c.ID] = Override{Warn, "never mind"}
	}
	b := start(t, bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Hang, Path: bmctest.Manager}}})
	r := ask(t, hostAt(b), Options{HostTimeout: 200_000_000, Overrides: off})
	if r.Status != Fail {
		t.Errorf("the host is %s: %+v", r.Status, r.Checks)
	}
}

func TestKnownCheck(t *testing.T) {
	for _, c := range slices.Concat(Catalogue(), ActiveCatalogue()) {
		if !KnownCheck(c.ID) {
			t.Errorf("%s is not known", c.ID)
		}
	}
	for _, id := range []string{"", "Media", "media ", "licence-x"} {
		if KnownCheck(id) {
			t.Errorf("%q is known", id)
		}
	}
}

// The most costly BMC there is: both ActionInfos, a name to resolve, an account to read. Its role is not read any more.
func TestNeverMoreThanFourteen(t *testing.T) {
	const (
		resetInfo = bmctest.System + "/ResetActionInfo"
		mediaInfo = bmctest.Slot + "/InsertMediaActionInfo"
	)
	tree := bmctest.Small().
		Unset(bmctest.System, "Actions", "#ComputerSystem.Reset", "ResetType@Redfish.AllowableValues").
		Set(bmctest.System, resetInfo, "Actions", "#ComputerSystem.Reset", "@Redfish.ActionInfo").
		Unset(bmctest.Slot, "Actions", "#VirtualMedia.InsertMedia", "TransferProtocolType@Redfish.AllowableValues").
		Set(bmctest.Slot, mediaInfo, "Actions", "#VirtualMedia.InsertMedia", "@Redfish.ActionInfo").
		Set(bmctest.Account, "Operator", "RoleId")
	tree[resetInfo] = map[string]any{"Parameters": []any{map[string]any{"Name": "ResetType", "AllowableValues": []any{"On", "ForceOff"}}}}
	tree[mediaInfo] = map[string]any{"Parameters": []any{map[string]any{"Name": "TransferProtocolType", "AllowableValues": []any{"HTTPS"}}}}
	for _, beside := range []bool{false, true} {
		if beside { // the Manager has slots, too
			tree[bmctest.ManagerMedia] = map[string]any{"Members": []any{}}
			tree.AddSlot(bmctest.ManagerMedia, "Cd", "CD")
			tree.Set(bmctest.Manager, link(bmctest.ManagerMedia), "VirtualMedia")
		}
		b := start(t, bmctest.Config{Tree: tree, Sessions: true})
		h := hostAt(b)
		h.Image = "https://images.example/boot.iso"
		r := ask(t, h, Options{})
		slots := map[bool]int{false: 1, true: 2}[beside]
		if got := classify(b.Requests()); got != (classes{fixed: mostFixed, nics: 2, slots: slots, storage: 2}) {
			t.Errorf("%+v: %v", got, b.Requests())
		}
		want(t, r, "media-protocol", Pass, "HTTPS")
		want(t, r, "bmc-dns", Pass, "192.0.2.53")
		want(t, r, "privilege", Warn, "one request more than a pre-flight sends")
	}
}
