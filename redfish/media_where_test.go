package redfish

import (
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// Where virtual media is looked for, as Ironic does: under the system, or, where that links to none, under each Manager.
func TestWhereMediaIsLookedFor(t *testing.T) {
	const (
		second      = bmctest.Root + "/Managers/2"
		firstMedia  = bmctest.Manager + "/VirtualMedia"
		secondMedia = second + "/VirtualMedia"
	)
	slots := func(owner string, kinds ...string) change { // under a Manager, beside what the system has
		return func(t bmctest.Tree) bmctest.Tree {
			t[owner+"/VirtualMedia"] = map[string]any{"Members": []any{}}
			for _, kind := range kinds {
				t.AddSlot(owner+"/VirtualMedia", kind, kind)
			}
			return t.Set(owner, link(owner+"/VirtualMedia"), "VirtualMedia")
		}
	}
	two := both(unset(bmctest.System, "VirtualMedia"), add(second, map[string]any{"FirmwareVersion": "2"}),
		set(bmctest.System, []any{link(bmctest.Manager), link(second)}, "Links", "ManagedBy"))
	turned := set(bmctest.System, []any{link(second), link(bmctest.Manager)}, "Links", "ManagedBy")
	for _, test := range []struct {
		name   string
		change change
		fault  []bmctest.Fault
		check  string
		status Status
		text   string
	}{
		{"an empty collection of the system's", both(set(bmctest.Media, []any{}, "Members"), slots(bmctest.Manager, "CD")), nil, "media", Fail, bmctest.Media + ": Members is empty"},
		{"a link of the system's to nothing", both(unset(bmctest.Media), slots(bmctest.Manager, "CD")), nil, "media", Fail, bmctest.Media + ": HTTP 404"},
		{"a null link of the system's", both(set(bmctest.System, nil, "VirtualMedia"), slots(bmctest.Manager, "CD")), nil, "media", Pass, firstMedia + "/CD"},
		{"the system's cannot be read", slots(bmctest.Manager, "CD"), []bmctest.Fault{{Path: bmctest.Media, Status: 500}}, "media", Unknown, "HTTP 500"},
		{"the second Manager has the CD", both(two, slots(bmctest.Manager, "Floppy"), slots(second, "CD")), nil, "media-type", Pass, secondMedia + "/CD takes CD"},
		{"both have slots", both(two, slots(bmctest.Manager, "Floppy"), slots(second, "CD")), nil, "media", Pass, "2 slots under " + firstMedia + " and " + secondMedia},
		{"the first Manager's are none", both(two, slots(bmctest.Manager), slots(second, "CD")), nil, "media-action", Pass, secondMedia + "/CD has the action"},
		{"only floppies", both(two, slots(bmctest.Manager, "Floppy"), slots(second, "USBStick")), nil, "media-type", Fail, "take only Floppy, USBStick"},
		{"neither Manager has a slot", both(two, slots(bmctest.Manager), slots(second)), nil, "media", Fail, firstMedia + ": Members is empty, and " + secondMedia + ": Members is empty"},
		{"Ironic ends at a Manager without", both(two, slots(second, "CD")), nil, "media", Fail, bmctest.Manager + ": VirtualMedia.@odata.id is missing"},
		{"and does not come to it", both(two, turned, slots(second, "CD")), nil, "media", Pass, secondMedia + "/CD"},
		{"the first Manager cannot be read", both(two, slots(second, "Floppy")), []bmctest.Fault{{Path: bmctest.Manager, Status: 500}}, "media-type", Unknown, "HTTP 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Tree: test.change(bmctest.Small()), Faults: test.fault})
			r := ask(t, hostAt(b), Options{})
			want(t, r, test.check, test.status, test.text)
			if counted := classify(b.Requests()); counted.fixed > mostFixed+2 { // the second Manager and its collection
				t.Errorf("%+v: %v", counted, b.Requests())
			}
		})
	}
}
