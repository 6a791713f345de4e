package redfish

import (
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

func mediaRules() []rule {
	const (
		insert    = "#VirtualMedia.InsertMedia"
		protocols = "TransferProtocolType@Redfish.AllowableValues"
	)
	byName := image("https://images.example/boot.iso")
	return []rule{
		{"media", passes, well, Pass, bmctest.Slot, nil},
		{"media", fires, tree(set(bmctest.Media, []any{}, "Members")), Fail, "Members is empty", nil},
		{"media", silent, broken(bmctest.Fault{Path: bmctest.Media, Status: 500}), Unknown, "HTTP 500", nil},

		{"media-type", passes, well, Pass, "takes CD, DVD", nil},
		{"media-type", fires, tree(set(bmctest.Slot, []any{"Floppy", "USBStick"}, "MediaTypes")), Fail, "take only Floppy, USBStick", nil},
		{"media-type", silent, tree(unset(bmctest.Slot)), Unknown, "not every slot can be read", nil},

		{"media-action", passes, well, Pass, "has the action InsertMedia", nil},
		{"media-action", fires, tree(unset(bmctest.Slot, "Actions"), unset(bmctest.Slot, "Image")), Fail, "no Image and Inserted to PATCH", nil},
		{"media-action", silent, tree(unset(bmctest.Slot)), Unknown, "not every slot can be read", nil},

		{"media-busy", passes, well, Pass, "is empty", nil},
		{"media-busy", fires, tree(set(bmctest.Slot, "Applet", "ConnectedVia")), Fail, "held by a console", nil},
		{"media-busy", silent, tree(unset(bmctest.Slot, "Inserted"), unset(bmctest.Slot, "Image")), Unknown, "Inserted is missing", nil},

		{"media-service", passes, well, Pass, "VirtualMedia.ProtocolEnabled true", nil},
		{"media-service", fires, tree(set(bmctest.Protocols, false, "VirtualMedia", "ProtocolEnabled")), Fail, "VirtualMedia.ProtocolEnabled false", nil},
		{"media-service", silent, tree(unset(bmctest.Protocols, "VirtualMedia")), Unknown, "VirtualMedia.ProtocolEnabled is missing", nil},

		{"media-protocol", passes, well, Pass, "takes TransferProtocolType HTTPS", nil},
		{"media-protocol", fires, tree(set(bmctest.Slot, []any{"NFS", "CIFS"}, "Actions", insert, protocols)), Fail, "takes NFS, CIFS", nil},
		{"media-protocol", silent, tree(unset(bmctest.Slot, "Actions", insert, protocols)), Unknown, "is missing", nil},

		{"media-cert", passes, well, Pass, "VerifyCertificate false", nil},
		{"media-cert", fires, tree(set(bmctest.Slot, true, "VerifyCertificate")), Warn, "VerifyCertificate true", nil},
		{"media-cert", silent, tree(set(bmctest.Slot, nil, "VerifyCertificate")), Unknown, "VerifyCertificate is null", nil},

		{"image-url", passes, well, Pass, "https://192.0.2.1:6183/redfish/boot-1.iso (Ironic's)", nil},
		{"image-url", fires, byName, Warn, "images.example is a name that the BMC must resolve", nil},
		{"image-url", silent, image(""), Unknown, "not known yet", nil},

		{"bmc-dns", passes, byName, Pass, "NameServers 192.0.2.53", nil},
		{"bmc-dns", fires, all(byName, tree(set(bmctest.ManagerNIC, []any{"0.0.0.0", "::", "(null)"}, "NameServers"))), Fail, "have no name server", nil},
		{"bmc-dns", silent, all(byName, tree(unset(bmctest.ManagerNIC, "NameServers"))), Unknown, "NameServers is missing", nil},
	}
}

func machineRules() []rule {
	ahead := func(d time.Duration) func(*scene) {
		return func(s *scene) { s.opts.Now = func() time.Time { return time.Now().Add(-d) } }
	}
	return []rule{
		{"lockdown", passes, well, Pass, "SystemLockdown Disabled", nil},
		{"lockdown", fires, tree(set(bmctest.Attributes, "Enabled", "Attributes", "Lockdown.1.SystemLockdown")), Fail, "SystemLockdown Enabled", nil},
		{"lockdown", silent, tree(unset(bmctest.Attributes, "Attributes", "Lockdown.1.SystemLockdown")), Unknown, "is missing", nil},

		{"licence", passes, well, Pass, bmctest.Licences + "/VirtualMedia", nil},
		{"licence", fires, func(s *scene) { s.config.Tree = iLO(false) }, Fail, "LicenseFeatures.VM false", nil},
		{"licence", silent, tree(unset(bmctest.Root, "LicenseService")), Warn, "LicenseService.@odata.id is missing", nil},

		{"privilege", passes, well, Pass, "role Administrator", nil},
		{"privilege", fires, tree(set(bmctest.Account, "ReadOnly", "RoleId")), Fail, "role ReadOnly", nil},
		{"privilege", silent, tree(unset(bmctest.Account, "RoleId")), Warn, "RoleId is missing", nil},

		{"clock", passes, well, Pass, "DateTime ", nil},
		{"clock", fires, ahead(2 * time.Hour), Fail, " fast", nil},
		{"clock", silent, nil, Unknown, "neither the Manager's DateTime nor a Date header", func(t *testing.T) finding {
			p := &probe{manager: &resource{body: map[string]any{"DateTime": "soon"}}, system: &resource{}}
			return askClock(t.Context(), p)
		}},

		{"firmware", passes, well, Pass, "FirmwareVersion 1.00", nil},
		{"firmware", fires, tree(set(bmctest.Manager, "5.10.10.00", "FirmwareVersion")), Warn, "update to 5.10.10.05", nil},
		{"firmware", silent, tree(unset(bmctest.Manager, "FirmwareVersion")), Unknown, "FirmwareVersion is missing", nil},

		{"resources", passes, well, Pass, "LogicalProcessorCount 16 of 16, TotalSystemMemoryGiB 64 of 64", nil},
		{"resources", fires, tree(set(bmctest.System, 32, "MemorySummary", "TotalSystemMemoryGiB")), Fail, "TotalSystemMemoryGiB 32 of 64", nil},
		{"resources", silent, tree(unset(bmctest.System, "MemorySummary")), Unknown, "TotalSystemMemoryGiB is missing", nil},

		{"latency", passes, func(s *scene) { s.opts.Now = stepping(time.Second) }, Pass, "slowest answer 1s", nil},
		{"latency", fires, func(s *scene) { s.opts.Now = stepping(4 * time.Second) }, Warn, "slowest answer 4s", nil},
		{"latency", silent, nil, Unknown, "no answer to measure", func(*testing.T) finding { return judgeLatency(nil) }},
	}
}

// iLO is a small tree with the licence of an iLO, which has virtual media or has not.
func iLO(media any) bmctest.Tree {
	const service = bmctest.Manager + "/LicenseService"
	t := bmctest.Small().Set(bmctest.Manager, map[string]any{"@odata.id": service}, "Oem", "Hpe", "Links", "LicenseService")
	t[service] = map[string]any{"Members": []any{map[string]any{"@odata.id": service + "/1"}}}
	t[service+"/1"] = map[string]any{"LicenseFeatures": map[string]any{"VM": media}}
	return t
}
