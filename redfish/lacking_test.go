package redfish

import (
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// lackingHost is asked about an image with a name, so that bmc-dns has something to ask.
func lackingHost(b *bmctest.BMC) Host {
	h := hostAt(b)
	h.Image = "https://images.example/boot.iso"
	return h
}

// deciding lists every property of the small tree, by resource, with what each check says once it is gone: "check=status". A
// check that is not named says what it said before. A slash leads into an object; a + joins what only decides together.
func deciding() map[string]map[string]string {
	const (
		noMedia    = "media=fail media-type=skip media-action=skip media-busy=skip media-protocol=skip media-cert=skip"
		noNICs     = "boot-mac=unknown link=unknown"
		noSystem   = "system=unknown"
		noDell     = "lockdown=skip" // nothing else says that it is one
		noAccount  = "privilege=warn"
		noLicence  = "licence=warn"
		noManager  = "media-service=unknown firmware=unknown bmc-dns=unknown " + noDell // the clock goes by the Date header
		insert     = "Actions/#VirtualMedia.InsertMedia"
		reset      = "Actions/#ComputerSystem.Reset"
		processors = "ProcessorSummary/CoreCount+ProcessorSummary/LogicalProcessorCount"
	)
	return map[string]map[string]string{
		bmctest.Root: {
			"RedfishVersion": "root=unknown", "@odata.type+RedfishVersion": "root=fail *=skip", "@odata.type": "", "Systems": "", "Managers": "",
			"AccountService": noAccount, "LicenseService": noLicence,
		},
		bmctest.Systems: {"@odata.type": "", "Members": "", "Members@odata.count": ""}, // read for the login alone where the address has a path
		bmctest.System: {
			"@odata.type": noSystem, "Id": "", "Name": "", "UUID": "", "Manufacturer": "", "Model": "",
			"PowerState": "power=unknown", "Status": "health=unknown", "Status/Health": "health=unknown", "Status/State": "",
			"Boot": "boot-override=unknown boot-mode=unknown", "Boot/BootSourceOverrideTarget@Redfish.AllowableValues": "boot-override=unknown",
			"Boot/BootSourceOverrideMode": "boot-mode=unknown", "Boot/BootSourceOverrideTarget": "", "Boot/BootSourceOverrideEnabled": "",
			"Links": noManager + " " + noMedia, "Links/ManagedBy": noManager + " " + noMedia,
			"ProcessorSummary": "resources=unknown", processors: "resources=unknown",
			"MemorySummary": "resources=unknown", "MemorySummary/TotalSystemMemoryGiB": "resources=unknown",
			"EthernetInterfaces": noNICs, "EthernetInterfaces/@odata.id": noNICs,
			"SecureBoot": "secure-boot=unknown", "SecureBoot/@odata.id": "secure-boot=unknown",
			"Storage": "resources=unknown", "Storage/@odata.id": "resources=unknown",
			"VirtualMedia": noMedia, "VirtualMedia/@odata.id": noMedia,
			"Actions": "reset=unknown", reset: "reset=fail", reset + "/target": "reset=fail", reset + "/ResetType@Redfish.AllowableValues": "reset=unknown",
		},
		bmctest.NICs: {"@odata.type": "", "Members": noNICs, "Members@odata.count": ""},
		bmctest.NIC:  {"@odata.type": "", "MACAddress": noNICs, "LinkStatus": "link=unknown"},
		bmctest.SecureBoot: {
			"@odata.type": "", "SecureBootEnable": "", "SecureBootCurrentBoot": "", "SecureBootMode": "",
			"SecureBootEnable+SecureBootCurrentBoot": "secure-boot=unknown",
		},
		bmctest.Storage: {"@odata.type": "", "Members": "resources=unknown", "Members@odata.count": ""},
		bmctest.Disks:   {"@odata.type": "", "Drives": "resources=unknown"},
		bmctest.Manager: {
			"@odata.type": "", "FirmwareVersion": "firmware=unknown", "DateTime": "", "DateTimeLocalOffset": "",
			"NetworkProtocol": "media-service=unknown", "NetworkProtocol/@odata.id": "media-service=unknown",
			"EthernetInterfaces": "bmc-dns=unknown", "EthernetInterfaces/@odata.id": "bmc-dns=unknown",
			"Links": noDell, "Links/Oem/Dell": noDell, "Links/Oem/Dell/DellAttributes": "lockdown=unknown",
		},
		bmctest.Protocols: {
			"@odata.type": "", "VirtualMedia": "media-service=unknown", "VirtualMedia/ProtocolEnabled": "media-service=unknown",
		},
		bmctest.ManagerNICs: {"@odata.type": "", "Members": "bmc-dns=unknown", "Members@odata.count": ""},
		bmctest.ManagerNIC:  {"@odata.type": "", "NameServers": "bmc-dns=unknown"},
		bmctest.Attributes: {
			"@odata.type": "", "Attributes": "lockdown=unknown", "Attributes/Lockdown.1.SystemLockdown": "lockdown=unknown",
		},
		bmctest.Accounts: {"@odata.type": "", "Members": noAccount, "Members@odata.count": ""},
		bmctest.Account:  {"@odata.type": "", "UserName": noAccount, "RoleId": noAccount},
		bmctest.Licences: {"@odata.type": "", "Members": noLicence, "Members@odata.count": ""},
		bmctest.Media:    {"@odata.type": "", "Members": noMedia, "Members@odata.count": ""},
		bmctest.Slot: {
			"@odata.type": "", "MediaTypes": "media-type=warn", "ConnectedVia": "", "WriteProtected": "",
			"Inserted": "", "Image": "", "Inserted+Image": "media-busy=unknown", "VerifyCertificate": "media-cert=unknown",
			"Actions": "media-action=fail media-protocol=unknown", insert: "media-action=fail media-protocol=unknown",
			"Actions/#VirtualMedia.InsertMedia/target": "media-action=fail", "Actions/#VirtualMedia.EjectMedia": "",
			insert + "/TransferProtocolType@Redfish.AllowableValues": "media-protocol=unknown",
		},
	}
}

// Each property is taken away in turn: what it decides is no pass any more, and nothing else changes.
func TestEachPropertyIsTakenAway(t *testing.T) {
	before := ask(t, lackingHost(start(t, bmctest.Config{})), Options{})
	for path, body := range bmctest.Small() {
		properties := deciding()[path]
		listed := map[string]bool{"@odata.id": true} // a resource's own path, which is known from the link to it
		for property := range properties {
			for _, one := range strings.Split(property, "+") {
				name, _, _ := strings.Cut(one, "/")
				listed[name] = true
			}
		}
		for name := range body {
			if !listed[name] {
				t.Errorf("%s: %s is in no row", path, name)
			}
		}
		for property, says := range properties {
			tree := bmctest.Small()
			for _, one := range strings.Split(property, "+") {
				tree.Unset(path, strings.Split(one, "/")...)
			}
			r := ask(t, lackingHost(start(t, bmctest.Config{Tree: tree})), Options{})
			compare(t, path+" without "+property, before, r, says)
		}
	}
}

// compare wants the statuses of before, but for those that says names.
func compare(t *testing.T, what string, before, after Report, says string) {
	t.Helper()
	expected := map[string]Status{}
	for _, one := range strings.Fields(says) {
		check, status, _ := strings.Cut(one, "=")
		expected[check] = Status(status)
	}
	found := false
	for _, c := range after.Checks {
		want, named := expected[c.ID]
		if rest, ok := expected["*"]; ok && found && !named && c.ID != "image-url" && c.ID != "latency" {
			want, named = rest, true
		}
		found = found || named
		if !named {
			want = before.Check(c.ID).Status
		}
		if c.Status != want {
			t.Errorf("%s: %s is %s, want %s: %s", what, c.ID, c.Status, want, c.Seen)
		}
	}
}

// No check passes on a body that has everything as null, or of another type.
func TestNoCheckPassesOnAnotherType(t *testing.T) {
	replacements := map[string]any{
		"null": nil, "number": 7, "text": "?", "list": []any{nil, 7, "?", []any{}}, "object": map[string]any{"a": 1}, "boolean": true,
	}
	for path, properties := range deciding() {
		about := map[string]bool{}
		for _, says := range properties {
			for _, one := range strings.Fields(says) {
				check, _, _ := strings.Cut(one, "=")
				about[check] = true
			}
		}
		for name, value := range replacements {
			tree := bmctest.Small()
			for property := range tree[path] {
				tree[path][property] = value
			}
			r := ask(t, lackingHost(start(t, bmctest.Config{Tree: tree})), Options{})
			for _, c := range r.Checks {
				free := path == bmctest.Slot && (c.ID == "media-busy" && name == "null" || c.ID == "media-cert" && name == "boolean")
				if about[c.ID] && c.Status == Pass && !free && !(path == bmctest.Manager && c.ID == "firmware" && name == "text") {
					t.Errorf("%s, everything %s: %s passes: %s", path, name, c.ID, c.Seen)
				}
			}
		}
	}
}
