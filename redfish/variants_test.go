package redfish

import (
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// link is a reference to a resource, as a tree has it.
func link(path string) map[string]any { return map[string]any{"@odata.id": path} }

// add puts a resource into a tree.
func add(path string, body map[string]any) change {
	return func(t bmctest.Tree) bmctest.Tree { t[path] = body; return t }
}

// expanding says that the BMC takes $expand; the collections of a test have their members in them already.
func expanding(t bmctest.Tree) bmctest.Tree {
	return t.Set(bmctest.Root, true, "ProtocolFeaturesSupported", "ExpandQuery", "NoLinks")
}

// What vendors do in ways of their own, and the finer points of the rules.
func TestVariantsOfMedia(t *testing.T) {
	attribute := func(name, value string) change { return set(bmctest.Attributes, value, "Attributes", name) }
	managed := func(h *Host) { h.Managed = true }
	holding := func(image any) func(*scene) {
		return tree(set(bmctest.Slot, true, "Inserted"), set(bmctest.Slot, image, "Image"))
	}
	second := func(mediaTypes ...any) change {
		return func(t bmctest.Tree) bmctest.Tree { t.AddSlot(bmctest.Media, "A", mediaTypes...); return t }
	}
	besides := func(image string) change { // a drive of the Manager's, with this image
		return func(t bmctest.Tree) bmctest.Tree {
			t[bmctest.ManagerMedia] = map[string]any{"Members": []any{}}
			t.AddSlot(bmctest.ManagerMedia, "Cd", "CD")
			return t.Set(bmctest.Manager, link(bmctest.ManagerMedia), "VirtualMedia").Set(bmctest.ManagerMedia+"/Cd", image, "Image")
		}
	}
	info := bmctest.Slot + "/InsertMediaActionInfo"
	byInfo := func(values ...any) func(*scene) {
		return tree(unset(bmctest.Slot, "Actions", "#VirtualMedia.InsertMedia", "TransferProtocolType@Redfish.AllowableValues"),
			set(bmctest.Slot, info, "Actions", "#VirtualMedia.InsertMedia", "@Redfish.ActionInfo"),
			add(info, map[string]any{"Parameters": []any{map[string]any{"Name": "TransferProtocolType", "AllowableValues": append([]any{}, values...)}}}))
	}
	for _, row := range []rule{
		{"media-service", "AMI on", tree(set(bmctest.Manager, "Enabled", "Oem", "Ami", "VirtualMedia", "RMediaStatus")), Pass, "RMediaStatus Enabled", nil},
		{"media-service", "AMI off", tree(set(bmctest.Manager, "Disabled", "Oem", "Ami", "VirtualMedia", "RMediaStatus")), Fail, "EnableRMedia", nil},
		{"media-service", "AMI off, under Gigabyte's name", tree(set(bmctest.Manager, "Disabled", "Oem", "Gbt", "VirtualMedia", "RMediaStatus")), Fail, "RMediaStatus Disabled", nil},
		{"media-service", "iDRAC on", tree(attribute("VirtualMedia.1.Attached", "AutoAttach"), unset(bmctest.Protocols)), Pass, "VirtualMedia.1.Attached AutoAttach", nil},
		{"media-service", "iDRAC detached", tree(attribute("VirtualMedia.1.Attached", "Detached")), Fail, "set it to AutoAttach", nil},
		{"media-service", "iDRAC disabled", tree(attribute("VirtualMedia.1.Enable", "Disabled")), Fail, "VirtualMedia.1.Enable Disabled", nil},
		{"media-service", "protocols not there", tree(unset(bmctest.Protocols)), Unknown, "HTTP 404", nil},

		{"media-action", "Lenovo's slots have no actions", tree(unset(bmctest.Slot, "Actions"), set(bmctest.Root, "Lenovo", "Vendor"), unset(bmctest.Manager, "Links")), Pass, "Lenovo's BMCs take by PATCH", nil},
		{"media-action", "an empty one of Lenovo's", tree(unset(bmctest.Slot, "Actions"), unset(bmctest.Slot, "Image"), set(bmctest.System, "Lenovo", "Manufacturer"), unset(bmctest.Manager, "Links")), Fail, "no Image and Inserted", nil},

		{"media-protocol", "by ActionInfo", byInfo("https"), Pass, "HTTPS", nil},
		{"media-protocol", "by ActionInfo, absent", byInfo("CIFS", "NFS"), Fail, "takes CIFS, NFS, and https://192.0.2.1:6183", nil},
		{"media-protocol", "by ActionInfo, empty", byInfo(), Unknown, "AllowableValues is empty", nil},
		{"media-protocol", "at the property", tree(unset(bmctest.Slot, "Actions"), set(bmctest.Slot, []any{"HTTP"}, "TransferProtocolType@Redfish.AllowableValues")), Fail, "takes HTTP, and", nil},
		{"media-protocol", "no image yet", image(""), Unknown, "not known yet", nil},

		{"media-cert", "http", image("http://192.0.2.1:6180/redfish/boot-1.iso"), Skip, "plain http", nil},
		{"media-cert", "Supermicro verifies", tree(set(bmctest.Slot, nil, "VerifyCertificate"), set(bmctest.Slot, false, "Oem", "Supermicro", "AcceptSelfSigned")), Warn, "AcceptSelfSigned false", nil},
		{"media-cert", "Supermicro does not", tree(set(bmctest.Slot, nil, "VerifyCertificate"), set(bmctest.Slot, true, "Oem", "Supermicro", "AcceptSelfSigned")), Pass, "AcceptSelfSigned true", nil},
		{"media-cert", "iDRAC verifies", tree(unset(bmctest.Slot, "VerifyCertificate"), attribute("RFS.1.IgnoreCertWarning", "No")), Warn, "RFS.1.IgnoreCertWarning No", nil},
		{"media-cert", "iDRAC does not", tree(unset(bmctest.Slot, "VerifyCertificate"), attribute("RFS.1.IgnoreCertWarning", "Yes")), Pass, "RFS.1.IgnoreCertWarning Yes", nil},
		{"media-cert", "no image yet", image(""), Unknown, "not known yet", nil},

		{"media-busy", "another's image", all(holding("http://x/a.iso?token=secret"), host(managed)), Warn, "which is not this lab's https://192.0.2.1:6183", nil},
		{"media-busy", "this lab's own URL", all(holding("https://192.0.2.1:6183/redfish/boot-1.iso"), host(managed)), Pass, "this lab's own", nil},
		{"media-busy", "Ironic's for this machine", all(holding("https://192.0.2.1:6183/redfish/boot-3f7a.iso"), host(managed)), Pass, "this lab's own", nil},
		{"media-busy", "Ironic's for this machine, before it moved", all(holding("http://192.0.2.9:6180/redfish/boot-1.iso"), host(managed)), Pass, "this lab's own", nil},
		{"media-busy", "Ironic's of another lab", all(holding("https://192.0.2.2:6183/redfish/boot-3f7a.iso"), host(managed)), Warn, "not this lab's", nil},
		{"media-busy", "another port", all(holding("https://192.0.2.1:6180/redfish/boot-3f7a.iso"), host(managed)), Warn, "not this lab's", nil},
		{"media-busy", "another path there", all(holding("https://192.0.2.1:6183/redfish/a/boot-3f7a.iso"), host(managed)), Warn, "not this lab's", nil},
		{"media-busy", "this lab's, on a host without BareMetalHost", holding("https://192.0.2.1:6183/redfish/boot-1.iso"), Warn, "eject it", nil},
		{"media-busy", "this lab's own, and a free one", all(holding("https://192.0.2.1:6183/redfish/boot-1.iso"), inTree(second("CD")), host(managed)), Pass, "empty", nil},
		{"media-busy", "the same drive of the Manager's", all(holding("https://192.0.2.1:6183/redfish/boot-1.iso"), inTree(besides("https://192.0.2.1:6183/redfish/boot-1.iso")), host(managed)), Pass, "this lab's own", nil},
		{"media-busy", "another drive of the Manager's", inTree(besides("http://x/a.iso")), Warn, bmctest.ManagerMedia + "/Cd holds http://x/a.iso", nil},
		{"media-busy", "the Manager's cannot be read", all(inTree(besides("")), broken(bmctest.Fault{Path: bmctest.ManagerMedia, Status: 500})), Unknown, "HTTP 500", nil},
		{"media-busy", "the Manager's are not there", inTree(set(bmctest.Manager, link(bmctest.ManagerMedia), "VirtualMedia")), Pass, "empty", nil},
		{"media-busy", "no image known", all(holding("https://192.0.2.1:6183/redfish/boot-1.iso"), host(managed), image("")), Unknown, "is not known", nil},
		{"media-busy", "not named", all(holding(nil), host(managed)), Unknown, "an image that it does not name", nil},
		{"media-busy", "a console, on a managed host", all(tree(set(bmctest.Slot, "Applet", "ConnectedVia")), host(managed)), Fail, "console", nil},
		{"media-busy", "a console's file", all(holding("theirs.iso"), inTree(set(bmctest.Slot, "Applet", "ConnectedVia"))), Fail, "held by a console", nil},
		{"media-busy", "a URL, and Applet all the same", all(holding("http://x/a.iso"), inTree(set(bmctest.Slot, "Applet", "ConnectedVia"))), Warn, "holds http://x/a.iso → eject it", nil},
		{"media-busy", "this lab's own, and Applet all the same", all(holding("https://192.0.2.1:6183/redfish/boot-1.iso"), inTree(set(bmctest.Slot, "Applet", "ConnectedVia")), host(managed)), Pass, "this lab's own", nil},
		{"power", "on, on a managed host", all(tree(set(bmctest.System, "On", "PowerState")), host(managed)), Pass, "as its BareMetalHost wants it", nil},

		{"image-url", "a query", image("https://192.0.2.1/boot.iso?token=secret"), Warn, "boot.iso?… (Ironic's): it has a query string", nil},
		{"image-url", "no ending", image("https://[2001:db8::1]/boot"), Warn, "does not end in .iso", nil},
		{"image-url", "another scheme", image("nfs://192.0.2.1/boot.iso"), Warn, "is no http or https URL", nil},
		{"image-url", "no host", image("boot.iso"), Warn, "is no http or https URL", nil},
		{"bmc-dns", "no need", image("https://[2001:db8::1]/boot.iso"), Skip, "nothing to resolve", nil},
		{"bmc-dns", "static", all(image("https://images.example/boot.iso"), tree(set(bmctest.ManagerNIC, []any{}, "NameServers"), set(bmctest.ManagerNIC, []any{"2001:db8::53"}, "StaticNameServers"))), Pass, "2001:db8::53", nil},
		{"bmc-dns", "only to the machine itself", all(image("https://images.example/boot.iso"), tree(set(bmctest.ManagerNIC, link("/x"), "Links", "HostInterface"))), Fail, "no name server", nil},
		{"bmc-dns", "no interfaces", all(image("https://images.example/boot.iso"), tree(set(bmctest.ManagerNICs, []any{}, "Members"))), Unknown, "Members is empty", nil},
		{"bmc-dns", "an interface that cannot be read", all(image("https://images.example/boot.iso"), tree(unset(bmctest.ManagerNIC))), Unknown, "HTTP 404", nil},
	} {
		t.Run(row.check+" "+string(row.kind), func(t *testing.T) { row.run(t) })
	}
}

func TestVariantsOfAccess(t *testing.T) {
	const (
		manager  = bmctest.Manager + "/LicenseManager"
		advanced = `{"ProductKey": {"Node": {"LicenseID": "1", "LicenseName": "SFT-OOB-LIC"}}}`
		other    = `{"ProductKey": {"Node": {"LicenseName": "SFT-SPM-LIC"}}}`
		operator = bmctest.Root + "/AccountService/Roles/Operator"
	)
	supermicro := func(licences ...any) func(*scene) {
		return tree(set(bmctest.Manager, link(manager), "Oem", "Supermicro", "LicenseManager"), add(manager+"/QueryLicense", map[string]any{"Licenses": append([]any{}, licences...)}))
	}
	licensed := func(licences ...any) func(*scene) { return tree(expanding, set(bmctest.Licences, licences, "Members")) }
	license := func(name, state, until string) map[string]any {
		return map[string]any{"@odata.id": bmctest.Licences + "/1", "@odata.type": "#License.v1_0_0.License", "Name": name, "Status": map[string]any{"State": state}, "ExpirationDate": until}
	}
	role := func(assigned []any, own ...any) func(*scene) {
		return tree(set(bmctest.Account, "Operator", "RoleId"), add(operator, map[string]any{"AssignedPrivileges": assigned, "OemPrivileges": own}))
	}
	accounts := func(members ...any) change { return set(bmctest.Accounts, members, "Members") }
	idrac := func(privilege any) func(*scene) {
		return tree(set(bmctest.Attributes, "root", "Attributes", "Users.1.UserName"), set(bmctest.Attributes, user, "Attributes", "Users.2.UserName"),
			set(bmctest.Attributes, privilege, "Attributes", "Users.2.Privilege"))
	}
	session := func(roles string) func(*scene) {
		return broken(bmctest.Fault{Method: "POST", Path: bmctest.Sessions, Status: 201, Body: `{"Roles": ` + roles + `}`})
	}
	theirs := map[string]any{"@odata.id": bmctest.Account, "@odata.type": "#ManagerAccount.v1_3_0.ManagerAccount", "UserName": "somebody", "RoleId": "ReadOnly"}
	mine := map[string]any{"@odata.id": bmctest.Accounts + "/2", "@odata.type": "#ManagerAccount.v1_3_0.ManagerAccount", "UserName": user, "RoleId": "Administrator"}
	for _, row := range []rule{
		{"licence", "iLO has it", func(s *scene) { s.config.Tree = iLO(true) }, Pass, "LicenseFeatures.VM true", nil},
		{"licence", "iLO does not say", func(s *scene) { s.config.Tree = iLO(nil) }, Warn, "LicenseFeatures.VM is null", nil},
		{"licence", "iLO by its name", func(s *scene) {
			s.config.Tree = iLO(nil).Set(bmctest.Manager, "iLO Advanced", "Oem", "Hpe", "License", "LicenseString")
		}, Pass, "LicenseString iLO Advanced", nil},
		{"licence", "Supermicro has it", supermicro(other, advanced), Pass, "SFT-OOB-LIC", nil},
		{"licence", "Supermicro has none", supermicro(), Fail, "install SFT-OOB-LIC or SFT-DCMS-SINGLE", nil},
		{"licence", "Supermicro has another", supermicro(other), Warn, "holds SFT-SPM-LIC", nil},
		{"licence", "Supermicro garbled", supermicro("{"), Warn, "a licence without a name", nil},
		{"licence", "XClarity", licensed(license("Lenovo XClarity Controller Enterprise Upgrade", "Enabled", "")), Pass, "Enterprise Upgrade", nil},
		{"licence", "iDRAC", licensed(license("iDRAC9 15G Datacenter License", "Enabled", "2999-01-01T00:00:00Z")), Pass, "Datacenter", nil},
		{"licence", "ended", licensed(license("iDRAC9 Enterprise License", "Enabled", "2020-01-01T00:00:00Z")), Fail, "ExpirationDate 2020-01-01", nil},
		{"licence", "disabled", licensed(license("iDRAC9 Enterprise License", "Disabled", "")), Fail, "Status.State Disabled", nil},
		{"licence", "another", licensed(license("iDRAC9 Express License", "Enabled", "")), Warn, "holds iDRAC9 Express License", nil},
		{"licence", "none listed", tree(set(bmctest.Licences, []any{}, "Members")), Warn, "holds none", nil},

		{"privilege", "an Operator", role([]any{"Login", "ConfigureSelf", "ConfigureComponents"}), Fail, "lacks ConfigureManager (virtual media)", nil},
		{"privilege", "an Operator with virtual media", role([]any{"Login", "ConfigureComponents"}, "VirtualMediaPriv"), Pass, "VirtualMediaPriv", nil},
		{"privilege", "both", role([]any{"ConfigureComponents", "ConfigureManager"}), Pass, "AssignedPrivileges", nil},
		{"privilege", "no boot", role([]any{"ConfigureManager"}), Fail, "lacks ConfigureComponents (boot)", nil},
		{"privilege", "a role that says nothing", tree(set(bmctest.Account, "Operator", "RoleId"), add(operator, map[string]any{})), Warn, "AssignedPrivileges is missing", nil},
		{"privilege", "a role that is not there", tree(set(bmctest.Account, "Operator", "RoleId")), Warn, "HTTP 404", nil},
		{"privilege", "a role elsewhere", tree(set(bmctest.Account, "Mine", "RoleId"), set(bmctest.Account, link("/redfish/v1/Roles/9"), "Links", "Role"),
			add("/redfish/v1/Roles/9", map[string]any{"AssignedPrivileges": []any{"ConfigureManager"}})), Fail, "role Mine lacks", nil},
		{"privilege", "by name among others", tree(accounts(link(bmctest.Account), link(bmctest.Accounts+"/"+user)), add(bmctest.Accounts+"/"+user, mine)), Pass, "role Administrator", nil},
		{"privilege", "among many", tree(accounts(link(bmctest.Account), link(bmctest.Accounts+"/2"))), Warn, "does not say which account is this user's", nil},
		{"privilege", "only another's", tree(set(bmctest.Account, "somebody", "UserName")), Warn, "the only account is not this user's", nil},
		{"privilege", "forbidden", broken(bmctest.Fault{Path: bmctest.Account, Status: 403}), Warn, "/Accounts/…: HTTP 403", nil},
		{"privilege", "all in one answer", tree(expanding, accounts(theirs, mine)), Pass, "role Administrator", nil},
		{"privilege", "$expand refused", func(s *scene) { s.config.Expand = bmctest.ExpandRefused }, Pass, "role Administrator", nil},
		{"privilege", "iDRAC's administrator", idrac(511), Pass, "Users.2.Privilege 511", nil},
		{"privilege", "iDRAC's operator", idrac(499), Pass, "Users.2.Privilege 499", nil},
		{"privilege", "iDRAC's reader", idrac(1), Fail, "lacks Configure and System Control and Virtual Media", nil},
		{"privilege", "iDRAC does not say", idrac("511"), Warn, "is text, not a number", nil},
		{"privilege", "by the session", session(`["ReadOnly"]`), Fail, "role ReadOnly", nil},
		{"privilege", "by a session without roles", session(`[]`), Pass, "role Administrator", nil},

		{"lockdown", "no Dell", tree(unset(bmctest.Manager, "Links")), Skip, "no Dell", nil},
		{"lockdown", "an old iDRAC", tree(unset(bmctest.Manager, "Links"), set(bmctest.System, "Dell Inc.", "Manufacturer"),
			add(bmctest.Manager+"/Attributes", map[string]any{"Attributes": map[string]any{"Lockdown.1.SystemLockdown": "Enabled"}})), Fail, "Enabled", nil},
		{"lockdown", "odd", tree(set(bmctest.Attributes, "Maybe", "Attributes", "Lockdown.1.SystemLockdown")), Unknown, "Maybe", nil},
	} {
		t.Run(row.check+" "+string(row.kind), func(t *testing.T) { row.run(t) })
	}
}

func TestVariantsOfTheMachine(t *testing.T) {
	const (
		chassis  = bmctest.Root + "/Chassis/1"
		adapters = chassis + "/NetworkAdapters"
		card     = adapters + "/Slot1"
	)
	function := func(mac string) map[string]any { return map[string]any{"Ethernet": map[string]any{"MACAddress": mac}} }
	onCard := func(card map[string]any, mac string) change {
		return both(set(bmctest.System, []any{link(chassis)}, "Links", "Chassis"),
			add(adapters, map[string]any{"Members": []any{link(adapters + "/Slot1")}}), add(adapters+"/Slot1", card),
			add(adapters+"/Slot1/NetworkDeviceFunctions", map[string]any{"Members": []any{link(adapters + "/Slot1/NetworkDeviceFunctions/1")}}),
			add(adapters+"/Slot1/NetworkDeviceFunctions/1", function(mac)))
	}
	byCollection := map[string]any{"NetworkDeviceFunctions": link(card + "/NetworkDeviceFunctions")}
	byController := map[string]any{"Controllers": []any{map[string]any{"Links": map[string]any{"NetworkDeviceFunctions": []any{link(card + "/NetworkDeviceFunctions/1")}}}}}
	noNICs := unset(bmctest.System, "EthernetInterfaces")
	empty := set(bmctest.NICs, []any{}, "Members")
	off := func(d time.Duration) func(*scene) {
		return func(s *scene) { s.opts.Now = func() time.Time { return time.Now().Add(-d) } }
	}
	at := func(text, offset string) func(*scene) {
		return all(tree(set(bmctest.Manager, text, "DateTime"), set(bmctest.Manager, offset, "DateTimeLocalOffset")), func(s *scene) {
			s.opts.Now = func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
		})
	}
	secure := func(h *Host) { h.BootMode = "UEFISecureBoot" }
	for _, row := range []rule{
		{"boot-mac", "on a card, no interfaces", tree(noNICs, onCard(byCollection, bmctest.MAC)), Pass, card + "/NetworkDeviceFunctions/1", nil},
		{"boot-mac", "on a card, by its controller", tree(empty, onCard(byController, strings.ToUpper(bmctest.MAC))), Pass, card + "/NetworkDeviceFunctions/1", nil},
		{"boot-mac", "on no card", tree(noNICs, onCard(byCollection, "52:54:00:99:99:99")), Fail, "not among 52:54:00:99:99:99", nil},
		{"boot-mac", "interfaces count first", tree(set(bmctest.NIC, "52:54:00:99:99:99", "MACAddress"), onCard(byCollection, bmctest.MAC)), Fail, "not among 52:54:00:99:99:99", nil},
		{"boot-mac", "a card without functions", tree(noNICs, onCard(map[string]any{}, bmctest.MAC)), Unknown, "could not be read", nil},
		{"boot-mac", "no cards", tree(empty, onCard(byCollection, bmctest.MAC), set(bmctest.System, []any{}, "Links", "Chassis")), Unknown, "no interface with a MAC", nil},
		{"boot-mac", "cards not answered", all(tree(empty, onCard(byCollection, bmctest.MAC)), broken(bmctest.Fault{Path: adapters, Status: 500})), Unknown, "HTTP 500", nil},
		{"link", "on a card", tree(noNICs, onCard(byCollection, bmctest.MAC)), Unknown, "LinkStatus is missing", nil},

		{"secure-boot", "asked for", host(secure), Pass, "can be set", nil},
		{"secure-boot", "asked for, without keys", all(host(secure), tree(set(bmctest.SecureBoot, "SetupMode", "SecureBootMode"))), Warn, "no keys", nil},
		{"secure-boot", "asked for, not said", all(host(secure), tree(unset(bmctest.SecureBoot, "SecureBootEnable"))), Unknown, "SecureBootEnable is missing", nil},
		{"secure-boot", "asked for, not there", all(host(secure), tree(unset(bmctest.SecureBoot))), Unknown, "HTTP 404", nil},
		{"secure-boot", "on", tree(set(bmctest.SecureBoot, true, "SecureBootEnable")), Warn, "SecureBootEnable true, and UEFI is asked for", nil},
		{"secure-boot", "on at this boot", tree(set(bmctest.SecureBoot, "Enabled", "SecureBootCurrentBoot")), Warn, "SecureBootCurrentBoot Enabled", nil},
		{"secure-boot", "off at this boot", tree(unset(bmctest.SecureBoot, "SecureBootEnable")), Pass, "SecureBootCurrentBoot Disabled", nil},
		{"secure-boot", "not asked about", mode(""), Skip, "no boot mode", nil},

		{"clock", "59 s", at("2026-03-04T05:07:06Z", ""), Pass, "59s fast", nil},
		{"clock", "61 s", at("2026-03-04T05:05:06Z", ""), Warn, "1m1s slow", nil},
		{"clock", "over an hour", at("2026-03-04T06:06:08Z", ""), Fail, "1h0m1s fast", nil},
		{"clock", "with its zone", at("2026-03-04T10:36:07+05:30", "+05:30"), Pass, "0s", nil},
		{"clock", "zone apart", at("2026-03-04T10:36:07", "+05:30"), Pass, "DateTime 2026-03-04T05:06:07Z", nil},
		{"clock", "zone forgotten", at("2026-03-04T10:36:07Z", "+05:30"), Fail, "5h30m0s fast", nil},
		{"clock", "by the header", all(tree(unset(bmctest.Manager, "DateTime")), off(2*time.Minute)), Warn, "Date header", nil},
		{"clock", "no Manager", tree(unset(bmctest.System, "Links")), Pass, "Date header", nil},

		{"firmware", "of another vendor", tree(set(bmctest.Manager, "5.10.10.00", "FirmwareVersion"), unset(bmctest.Manager, "Links")), Pass, "nothing bad is known", nil},
		{"firmware", "empty", tree(set(bmctest.Manager, " ", "FirmwareVersion")), Unknown, "is empty", nil},

		{"resources", "few cores", tree(set(bmctest.System, map[string]any{"CoreCount": 4}, "ProcessorSummary")), Fail, "CoreCount 4 of 16", nil},
		{"resources", "threads count", tree(set(bmctest.System, map[string]any{"CoreCount": 8, "LogicalProcessorCount": 16}, "ProcessorSummary")), Pass, "LogicalProcessorCount 16", nil},
		{"resources", "never on", tree(set(bmctest.System, 0, "MemorySummary", "TotalSystemMemoryGiB")), Unknown, "the BMC does not know it", nil},
		{"resources", "no drive", tree(set(bmctest.Disks, []any{}, "Drives")), Fail, "no drive in " + bmctest.Storage, nil},
		{"resources", "no drive, and one that cannot be read", tree(set(bmctest.Storage, []any{link(bmctest.Disks), link("/x")}, "Members"), set(bmctest.Disks, []any{}, "Drives")), Unknown, "HTTP 404", nil},
		{"resources", "no drive asked for", all(tree(set(bmctest.Disks, []any{}, "Drives")), host(func(h *Host) { h.NeedsDisk = false })), Pass, "TotalSystemMemoryGiB 64", nil},
		{"resources", "nothing asked for", host(func(h *Host) { h.NeedsDisk, h.Minimum = false, Minimum{} }), Skip, "no minimum", nil},
	} {
		t.Run(row.check+" "+string(row.kind), func(t *testing.T) { row.run(t) })
	}
}
