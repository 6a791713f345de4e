package redfish

import (
	"net/http"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// change makes a small tree with one thing different.
type change func(bmctest.Tree) bmctest.Tree

func set(path string, value any, names ...string) change {
	return func(t bmctest.Tree) bmctest.Tree { return t.Set(path, value, names...) }
}

func unset(path string, names ...string) change {
	return func(t bmctest.Tree) bmctest.Tree { return t.Unset(path, names...) }
}

func both(changes ...change) change {
	return func(t bmctest.Tree) bmctest.Tree {
		for _, c := range changes {
			t = c(t)
		}
		return t
	}
}

// Each row is a BMC with one thing different, and the check that must notice. That each check passes on the small tree
// itself is TestEverythingRight.
func TestChecksOfTheBody(t *testing.T) {
	const (
		reset   = "#ComputerSystem.Reset"
		inline  = "ResetType@Redfish.AllowableValues"
		targets = "BootSourceOverrideTarget@Redfish.AllowableValues"
		info    = bmctest.System + "/ResetActionInfo"
	)
	byInfo := func(body map[string]any) change {
		return func(t bmctest.Tree) bmctest.Tree {
			t.Unset(bmctest.System, "Actions", reset, inline).Set(bmctest.System, info, "Actions", reset, "@Redfish.ActionInfo")
			t[info] = body
			return t
		}
	}
	parameters := func(values ...any) map[string]any {
		return map[string]any{"Parameters": []any{map[string]any{"Name": "ResetType", "AllowableValues": values}}}
	}
	manager := func(t bmctest.Tree) bmctest.Tree { // the slot under the Manager instead
		link := t[bmctest.System]["VirtualMedia"]
		return t.Unset(bmctest.System, "VirtualMedia").Set(bmctest.Manager, link, "VirtualMedia")
	}
	second := func(mediaTypes ...any) change {
		return func(t bmctest.Tree) bmctest.Tree { t.AddSlot(bmctest.Media, "Second", mediaTypes...); return t }
	}
	for _, test := range []struct {
		name   string
		change change
		check  string
		status Status
		text   string
	}{
		{"no version but the type", unset(bmctest.Root, "RedfishVersion"), "root", Unknown, "RedfishVersion is missing"},
		{"neither", both(unset(bmctest.Root, "RedfishVersion"), unset(bmctest.Root, "@odata.type")), "root", Fail, "no service root"},
		{"version of a wrong type", set(bmctest.Root, 1, "RedfishVersion"), "root", Unknown, "is a number, not text"},

		{"no system there", unset(bmctest.System), "system", Fail, "HTTP 404"},
		{"candidates are listed", unset(bmctest.System), "system", Fail, "this BMC has " + bmctest.System},
		{"a chassis", set(bmctest.System, "#Chassis.v1_0_0.Chassis", "@odata.type"), "system", Fail, "not a ComputerSystem"},
		{"no type", unset(bmctest.System, "@odata.type"), "system", Unknown, "@odata.type is missing"},
		{"a collection", set(bmctest.System, "#ComputerSystemCollection.ComputerSystemCollection", "@odata.type"), "system", Fail, "not a ComputerSystem"},

		{"on", set(bmctest.System, "On", "PowerState"), "power", Warn, "On"},
		{"turning on", set(bmctest.System, "PoweringOn", "PowerState"), "power", Warn, "PoweringOn"},
		{"null", set(bmctest.System, nil, "PowerState"), "power", Fail, "null"},
		{"missing", unset(bmctest.System, "PowerState"), "power", Unknown, "PowerState is missing"},
		{"wrong type", set(bmctest.System, true, "PowerState"), "power", Unknown, "a boolean"},
		{"other", set(bmctest.System, "Humming", "PowerState"), "power", Unknown, "Humming"},

		{"critical", set(bmctest.System, "Critical", "Status", "Health"), "health", Warn, "Critical"},
		{"disabled", set(bmctest.System, "Disabled", "Status", "State"), "health", Warn, "Disabled"},
		{"missing", unset(bmctest.System, "Status"), "health", Unknown, "Status.Health is missing"},
		{"null", set(bmctest.System, nil, "Status", "Health"), "health", Unknown, "null"},
		{"state alone", unset(bmctest.System, "Status", "Health"), "health", Unknown, "Health is missing"},

		{"no On", set(bmctest.System, []any{"ForceOff"}, "Actions", reset, inline), "reset", Fail, "lacks On"},
		{"no ForceOff", set(bmctest.System, []any{"On"}, "Actions", reset, inline), "reset", Fail, "lacks ForceOff"},
		{"no action", set(bmctest.System, map[string]any{}, "Actions"), "reset", Fail, "is missing"},
		{"no actions stated", unset(bmctest.System, "Actions"), "reset", Unknown, "Actions is missing"},
		{"no values stated", unset(bmctest.System, "Actions", reset, inline), "reset", Unknown, "not stated"},
		{"values of a wrong type", set(bmctest.System, "On", "Actions", reset, inline), "reset", Unknown, "not a list"},
		{"anything goes", set(bmctest.System, []any{}, "Actions", reset, inline), "reset", Unknown, "AllowableValues is empty"},
		{"anything goes by ActionInfo", byInfo(parameters()), "reset", Unknown, "AllowableValues is null"},
		{"by ActionInfo", byInfo(parameters("On", "ForceOff")), "reset", Pass, "On and ForceOff"},
		{"ActionInfo lacks one", byInfo(parameters("On")), "reset", Fail, "lacks ForceOff"},
		{"ActionInfo without it", byInfo(map[string]any{"Parameters": []any{}}), "reset", Unknown, "ResetType is missing"},

		{"another MAC", set(bmctest.NIC, "52:54:00:99:99:99", "MACAddress"), "boot-mac", Fail, "52:54:00:99:99:99"},
		{"permanent", both(set(bmctest.NIC, "02:00:00:00:00:01", "MACAddress"), set(bmctest.NIC, "52-54-00-12-34-56", "PermanentMACAddress")), "boot-mac", Pass, bmctest.NIC},
		{"no MAC", unset(bmctest.NIC, "MACAddress"), "boot-mac", Unknown, "no interface with a MAC"},
		{"empty", set(bmctest.NICs, []any{}, "Members"), "boot-mac", Unknown, "no interface"},
		{"no interfaces", unset(bmctest.System, "EthernetInterfaces"), "boot-mac", Unknown, "EthernetInterfaces.@odata.id is missing"},
		{"unreadable", unset(bmctest.NIC), "boot-mac", Unknown, "could not be read"},
		{"down", set(bmctest.NIC, "LinkDown", "LinkStatus"), "link", Warn, "LinkDown"},
		{"missing", unset(bmctest.NIC, "LinkStatus"), "link", Unknown, "LinkStatus is missing"},
		{"null", set(bmctest.NIC, nil, "LinkStatus"), "link", Unknown, "null"},

		{"neither", unset(bmctest.System, "VirtualMedia"), "media", Fail, "VirtualMedia.@odata.id is missing"},
		{"no Manager either", both(unset(bmctest.System, "VirtualMedia"), unset(bmctest.System, "Links")), "media", Fail, "Links.ManagedBy is missing"},
		{"no Manager beside its own", unset(bmctest.System, "Links", "ManagedBy"), "media", Fail, "Links.ManagedBy is missing"},
		{"no Managers named", set(bmctest.System, []any{}, "Links", "ManagedBy"), "media", Fail, "Links.ManagedBy is empty"},
		{"Managers, not ManagedBy", set(bmctest.System, map[string]any{"Managers": []any{link(bmctest.Manager)}}, "Links"), "media", Pass, bmctest.Slot},
		{"Managers, not ManagedBy", set(bmctest.System, map[string]any{"ManagedBy": []any{}, "Managers": []any{link(bmctest.Manager)}}, "Links"), "firmware", Pass, "FirmwareVersion 1.00"},
		{"collection missing", unset(bmctest.Media), "media", Fail, "HTTP 404"},
		{"empty", set(bmctest.Media, []any{}, "Members"), "media", Fail, "Members is empty"},
		{"Members missing", unset(bmctest.Media, "Members"), "media", Fail, "Members is missing"},
		{"under the Manager", manager, "media", Pass, bmctest.Slot},
		{"slot unreadable", unset(bmctest.Slot), "media", Unknown, "none of which can be read"},
		{"slot unreadable", unset(bmctest.Slot), "media-type", Unknown, "not every slot can be read"},
		{"slot unreadable", unset(bmctest.Slot), "media-action", Unknown, "not every slot can be read"},
		{"slot unreadable", unset(bmctest.Slot), "media-busy", Unknown, "no slot can be read"},

		{"floppy", set(bmctest.Slot, []any{"Floppy", "USBStick"}, "MediaTypes"), "media-type", Fail, "Floppy, USBStick"},
		{"DVD in the second", both(set(bmctest.Slot, []any{"Floppy"}, "MediaTypes"), second("DVD")), "media-type", Pass, "Second"},
		{"missing", unset(bmctest.Slot, "MediaTypes"), "media-type", Warn, "MediaTypes is missing"},
		{"null", set(bmctest.Slot, nil, "MediaTypes"), "media-type", Warn, "null"},
		{"empty", set(bmctest.Slot, []any{}, "MediaTypes"), "media-type", Warn, "empty"},
		{"wrong type", set(bmctest.Slot, "CD", "MediaTypes"), "media-type", Warn, "not a list"},
		{"wrong type within", set(bmctest.Slot, []any{1}, "MediaTypes"), "media-type", Warn, "a number"},

		{"no action, nothing said", unset(bmctest.Slot, "Actions"), "media-action", Fail, "no Allow header says that it takes a PATCH"},
		{"no action, nothing to patch", both(unset(bmctest.Slot, "Actions"), unset(bmctest.Slot, "Image")), "media-action", Fail, "no Image and Inserted"},
		{"no target", unset(bmctest.Slot, "Actions", "#VirtualMedia.InsertMedia", "target"), "media-action", Fail, "an action InsertMedia without a target"},
		{"no target in another slot", both(second("Floppy"), set(bmctest.Media+"/Second", map[string]any{}, "Actions", "#VirtualMedia.InsertMedia")), "media-action", Fail, "Second has an action InsertMedia without a target"},
		{"a null action", set(bmctest.Slot, nil, "Actions", "#VirtualMedia.InsertMedia"), "media-action", Fail, "no Allow header says"},
		{"only a later slot has it", both(unset(bmctest.Slot, "Actions"), second("CD")), "media-action", Warn, bmctest.Slot + " has no action InsertMedia, and no Allow header says that it takes a PATCH; " + bmctest.Media + "/Second has the action"},
		{"a later slot has it not", both(second("CD"), unset(bmctest.Media+"/Second", "Actions")), "media-action", Pass, bmctest.Slot + " has the action"},
		{"in the BMC's order", both(second("CD"), unset(bmctest.Slot, "Actions"), set(bmctest.Media, []any{link(bmctest.Media + "/Second"), link(bmctest.Slot)}, "Members")), "media-action", Pass, "Second has the action"},
		{"none has it", both(unset(bmctest.Slot, "Actions"), second("CD"), unset(bmctest.Media+"/Second", "Actions")), "media-action", Fail, bmctest.Slot + " has no action"},
		{"no eject while empty", unset(bmctest.Slot, "Actions", "#VirtualMedia.EjectMedia"), "media-action", Pass, "InsertMedia"},

		{"inserted", set(bmctest.Slot, true, "Inserted"), "media-busy", Warn, "does not name"},
		{"image", both(set(bmctest.Slot, true, "Inserted"), set(bmctest.Slot, "http://x/a.iso?token=secret", "Image")), "media-busy", Warn, "http://x/a.iso?…"},
		{"empty text", set(bmctest.Slot, "", "Image"), "media-busy", Pass, "empty"},
		{"None", set(bmctest.Slot, "None", "Image"), "media-busy", Pass, "empty"},
		{"console", set(bmctest.Slot, "Applet", "ConnectedVia"), "media-busy", Fail, "console"},
		{"a second is free", both(set(bmctest.Slot, true, "Inserted"), second("CD")), "media-busy", Warn, bmctest.Slot + " holds"},
		{"the second is not", both(second("CD"), set(bmctest.Media+"/Second", true, "Inserted")), "media-busy", Warn, "Second holds"},
		{"a console holds the second", both(set(bmctest.Slot, true, "Inserted"), second("DVD"), set(bmctest.Media+"/Second", "Applet", "ConnectedVia")), "media-busy", Fail, "Second is held by a console"},
		{"a floppy is in the second", both(second("Floppy"), set(bmctest.Media+"/Second", true, "Inserted")), "media-busy", Pass, "empty"},
		{"the second cannot be read", both(second("CD"), unset(bmctest.Media+"/Second")), "media-busy", Pass, "empty"},
		{"nothing said", both(unset(bmctest.Slot, "Inserted"), unset(bmctest.Slot, "Image")), "media-busy", Unknown, "Inserted is missing"},

		{"no Cd", set(bmctest.System, []any{"None", "Pxe"}, "Boot", targets), "boot-override", Fail, "None, Pxe"},
		{"UsbCd alone", set(bmctest.System, []any{"UsbCd"}, "Boot", targets), "boot-override", Warn, "takes UsbCd and not Cd"},
		{"both", set(bmctest.System, []any{"UsbCd", "Cd"}, "Boot", targets), "boot-override", Pass, "takes Cd"},
		{"a Supermicro's", both(set(bmctest.System, []any{"Cd", "UsbCd"}, "Boot", targets), set(bmctest.System, "Supermicro", "Manufacturer")), "boot-override", Pass, "takes Cd and UsbCd"},
		{"anything goes", set(bmctest.System, []any{}, "Boot", targets), "boot-override", Unknown, "AllowableValues is empty"},
		{"not stated", unset(bmctest.System, "Boot", targets), "boot-override", Unknown, "is missing"},
		{"Legacy", set(bmctest.System, "Legacy", "Boot", "BootSourceOverrideMode"), "boot-mode", Warn, "Legacy, and UEFI is asked for"},
		{"missing", unset(bmctest.System, "Boot"), "boot-mode", Unknown, "BootSourceOverrideMode is missing"},
		{"other", set(bmctest.System, "?", "Boot", "BootSourceOverrideMode"), "boot-mode", Unknown, "does not know"},
	} {
		t.Run(test.check+" "+test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Tree: test.change(bmctest.Small())})
			want(t, ask(t, hostAt(b), Options{}), test.check, test.status, test.text)
		})
	}
}

// Faults of the transport, and the check that names each.
func TestChecksOfTheAnswer(t *testing.T) {
	page := bmctest.Fault{Kind: bmctest.Status, Path: bmctest.Root, Status: 200, Body: "<html>\x1b[31mhello"}
	for _, test := range []struct {
		name   string
		config bmctest.Config
		check  string
		status Status
		text   string
	}{
		{"a web page", bmctest.Config{Faults: []bmctest.Fault{page}}, "root", Fail, "no JSON object"},
		{"an array", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 200, Body: "[]"}}}, "root", Fail, "no JSON object"},
		{"null", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 200, Body: "null"}}}, "root", Fail, "no JSON object"},
		{"empty", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 200}}}, "root", Fail, "empty"},
		{"404", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 404}}}, "root", Fail, "HTTP 404"},
		{"503", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 503}}}, "root", Fail, "HTTP 503"},
		{"root asks for a login", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 401}}}, "root", Unknown, "401"},
		{"reset", bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Reset, Path: bmctest.Root}}}, "root", Fail, "reset the connection"},
		{"closed", bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Close, Path: bmctest.Root}}}, "root", Fail, "closed the connection"},
		{"half a body", bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.HalfBody, Path: bmctest.Root}}}, "root", Fail, "closed the connection"},
		{"hangs", bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Hang, Path: bmctest.Root}}}, "root", Fail, "no answer in time"},
		{"hangs", bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Hang, Path: bmctest.Root}}}, "redirect", Unknown, "no answer in time"},

		{"403", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Systems, Status: 403}}}, "auth", Warn, "HTTP 403"},
		{"404", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Systems, Status: 404}}}, "auth", Unknown, "HTTP 404"},
		{"500", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Systems, Status: 500}}}, "auth", Fail, "HTTP 500"},
		{"sessions not there", bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "POST", Path: bmctest.Sessions, Status: 404}}}, "auth", Pass, "Basic"},
		{"sessions not there", bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "POST", Path: bmctest.Sessions, Status: 404}}}, "session", Warn, "opens no session"},
		{"no token", bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "POST", Path: bmctest.Sessions, Status: 201, Body: "{}"}}}, "auth", Unknown, "without an X-Auth-Token"},
		{"not deleted", bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "DELETE", Status: 500}}}, "session", Warn, "was not deleted"},
		{"full", bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "POST", Path: bmctest.Sessions, Status: 503,
			Body: `{"error": {"code": "Base.1.0.SessionLimitExceeded", "message": "too many"}}`}}}, "session", Fail, "too many"},

		{"a link to another host", bmctest.Config{Tree: bmctest.Small().Set(bmctest.System, "http://192.0.2.9/x", "VirtualMedia", "@odata.id")}, "media", Fail, "another host"},
		{"without a scheme", bmctest.Config{Tree: bmctest.Small().Set(bmctest.System, "//192.0.2.9/x", "VirtualMedia", "@odata.id")}, "media", Fail, "another host"},
		{"media not answered", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Media, Status: 500}}}, "media", Unknown, "HTTP 500"},
		{"slot allows PATCH", bmctest.Config{Tree: bmctest.Small().Unset(bmctest.Slot, "Actions"), Patch: true}, "media-action", Pass, "allows PATCH"},
		{"401 later", bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.System, Status: 401}}}, "system", Fail, "HTTP 401"},
	} {
		t.Run(test.check+" "+test.name, func(t *testing.T) {
			b := start(t, test.config)
			r := ask(t, hostAt(b), Options{Timeout: 300 * time.Millisecond})
			want(t, r, test.check, test.status, test.text)
		})
	}
}

func TestNothingIsSentAfter401(t *testing.T) {
	b := start(t, bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.System, Status: http.StatusUnauthorized}}})
	ask(t, hostAt(b), Options{})
	if last := b.Requests()[len(b.Requests())-1]; last.Path != bmctest.System {
		t.Errorf("sent after the refusal: %v", b.Requests())
	}
}
