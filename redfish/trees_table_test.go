package redfish

import "cmp"

// crawl is a real BMC's tree, how to ask it, and what must come of it.
type crawl struct {
	file, system, manager string
	user                  string // who asks: an account of this machine, where the crawl has them
	kind                  string // of the address; empty: redfish-virtualmedia
	mac                   string // of one of its interfaces; empty: it lists none
	requests              classes
	checks                []expected
}

// classes counts requests by what they are for.
type classes struct{ fixed, nics, slots, storage int }

// expected is what a check must give, and the property and its value that decide it.
type expected struct {
	check  string
	status Status
	seen   string
}

// everyCrawl are the results that no tree decides, for an address of this type.
func everyCrawl(kind string) []expected {
	return []expected{
		{"address", Pass, cmp.Or(kind, "redfish-virtualmedia") + "+http, 127.0.0.1"},
		{"duplicate", Pass, "shared with no other host"},
		{"credentials", Pass, "user and password are there"},
		{"dns", Skip, "127.0.0.1 is an address"},
		{"tcp", Pass, "connected to 127.0.0.1"},
		{"tls", Skip, "plain http"},
		{"redirect", Pass, "none"},
		{"auth", Pass, "POST /redfish/v1/SessionService/Sessions: accepted"},
		{"session", Pass, "opened, and deleted at the end"},
		{"image-url", Warn, "images.example is a name that the BMC must resolve"},
		{"latency", Pass, "slowest answer 0s"},
	}
}

func crawls() []crawl {
	return []crawl{
		{
			file: "dell-idrac9", system: "System.Embedded.1", manager: "iDRAC.Embedded.1", user: "root", kind: "idrac-virtualmedia", mac: "e4-3d-1a-13-27-f0",
			requests: classes{fixed: 12, nics: 5 + 1, slots: 2 + 2, storage: 4}, // slots: the Manager's beside the system's; storage: two AHCI controllers without drives come first
			checks: []expected{
				{"root", Pass, "RedfishVersion 1.13.1"},
				{"system", Pass, "/redfish/v1/Systems/System.Embedded.1, Dell Inc. PowerEdge R750"},
				{"power", Warn, "PowerState On"},
				{"health", Pass, "Health OK, State Enabled"},
				{"reset", Pass, "ResetType takes On and ForceOff"},
				{"boot-mac", Pass, "EthernetInterfaces/NIC.Integrated.1-1-1"},
				{"link", Warn, "LinkStatus LinkDown"},
				{"media", Pass, "2 slots under /redfish/v1/Systems/System.Embedded.1/VirtualMedia"},
				{"media-type", Pass, "VirtualMedia/1 takes CD, DVD, USBStick"},
				{"media-action", Pass, "Systems/System.Embedded.1/VirtualMedia/1 has the action InsertMedia"},
				{"media-busy", Pass, "VirtualMedia/1 is empty"},
				{"media-service", Pass, "VirtualMedia.1.Attached AutoAttach, NetworkProtocol VirtualMedia.ProtocolEnabled true"},
				{"media-protocol", Unknown, "VirtualMedia/1: TransferProtocolType@Redfish.AllowableValues is missing"},
				{"media-cert", Pass, "RFS.1.IgnoreCertWarning Yes"},
				{"bmc-dns", Pass, "NameServers 192.0.2.10"},
				{"boot-override", Pass, "BootSourceOverrideTarget takes Cd"},
				{"boot-mode", Pass, "BootSourceOverrideMode UEFI"},
				{"secure-boot", Pass, "SecureBootEnable false"},
				{"lockdown", Pass, "Lockdown.1.SystemLockdown Disabled"},
				{"licence", Warn, "LicenseService.@odata.id is missing"},
				{"privilege", Pass, "Users.2.Privilege 511"},
				{"clock", Pass, "DateTime 2024-08-08T23:48:10Z, 5s slow"},
				{"firmware", Pass, "FirmwareVersion 6.00.30.00"},
				{"resources", Pass, "LogicalProcessorCount 72 of 16, TotalSystemMemoryGiB 512 of 64, /redfish/v1/Systems/System.Embedded.1/Storage/CPU.1: Drives holds 3"},
			},
		},
		{
			file: "supermicro", system: "1", manager: "1", mac: "7c:c2:55:79:3f:8e",
			requests: classes{fixed: 14, nics: 12 + 2, slots: 3, storage: 2}, // both ActionInfos, and a name to resolve
			checks: []expected{
				{"root", Pass, "RedfishVersion 1.11.0"},
				{"system", Pass, "/redfish/v1/Systems/1, Supermicro SYS-821GE-TNHR"},
				{"power", Warn, "PowerState On"},
				{"health", Pass, "Health OK, State Enabled"},
				{"reset", Pass, "ResetType takes On and ForceOff"},
				{"boot-mac", Pass, "EthernetInterfaces/9"},
				{"link", Warn, "LinkStatus LinkDown"},
				{"media", Pass, "3 slots under /redfish/v1/Managers/1/VirtualMedia"},
				{"media-type", Pass, "VirtualMedia1 takes CD, DVD, Floppy, USBStick"},
				{"media-action", Pass, "VirtualMedia1 has the action InsertMedia"},
				{"media-busy", Pass, "VirtualMedia1 is empty"},
				{"media-service", Pass, "NetworkProtocol VirtualMedia.ProtocolEnabled true"},
				{"media-protocol", Unknown, "InsertMediaActionInfo: AllowableValues is missing"},
				{"media-cert", Unknown, "VirtualMedia1: VerifyCertificate is null"},
				{"bmc-dns", Pass, "NameServers 192.0.2.10"},
				{"boot-override", Pass, "BootSourceOverrideTarget takes Cd"},
				{"boot-mode", Pass, "BootSourceOverrideMode UEFI"},
				{"secure-boot", Pass, "SecureBootEnable false"},
				{"lockdown", Skip, "no Dell"},
				{"licence", Warn, "LicenseManager/QueryLicense: HTTP 404"},
				{"privilege", Warn, "HTTP 404"},
				{"clock", Pass, "DateTime 2023-11-30T21:01:15Z, 5s slow"},
				{"firmware", Pass, "FirmwareVersion 11.01.01"},
				{"resources", Unknown, "ProcessorSummary.CoreCount is missing"},
			},
		},
		{
			file: "lenovo-xcc", system: "1", manager: "1", mac: "00:62:0B:4C:28:4E",
			requests: classes{fixed: 13, nics: 5 + 2, slots: 10 + 10, storage: 2}, // slots: the Manager's beside the system's
			checks: []expected{
				{"root", Pass, "RedfishVersion 1.15.0"},
				{"system", Pass, "/redfish/v1/Systems/1, Lenovo ThinkSystem SR670 V2"},
				{"power", Warn, "PowerState On"},
				{"health", Pass, "Health OK, State Enabled"},
				{"reset", Pass, "ResetType takes On and ForceOff"},
				{"boot-mac", Pass, "EthernetInterfaces/NIC1"},
				{"link", Warn, "LinkStatus LinkDown"},
				{"media", Pass, "10 slots under /redfish/v1/Systems/1/VirtualMedia"},
				{"media-type", Pass, "EXT1 takes CD, DVD, Floppy, USBStick"},
				{"media-action", Pass, "EXT1 has no action InsertMedia, but Image and Inserted, which Lenovo's BMCs take by PATCH"},
				{"media-busy", Pass, "EXT1 is empty"},
				{"media-service", Pass, "NetworkProtocol VirtualMedia.ProtocolEnabled true"},
				{"media-protocol", Unknown, "EXT1: TransferProtocolType@Redfish.AllowableValues is missing"},
				{"media-cert", Pass, "EXT1: VerifyCertificate false"},
				{"bmc-dns", Pass, "NameServers 192.0.2.10"},
				{"boot-override", Pass, "BootSourceOverrideTarget takes Cd"},
				{"boot-mode", Pass, "BootSourceOverrideMode UEFI"},
				{"secure-boot", Pass, "SecureBootEnable false"},
				{"lockdown", Skip, "no Dell"},
				{"licence", Pass, "Licenses/XCC_Enterprised"},
				{"privilege", Warn, "HTTP 404"},
				{"clock", Pass, "DateTime 2024-08-02T17:12:53Z, 5s slow"},
				{"firmware", Pass, "FirmwareVersion TGBT42S 2.83 2023-07-05"},
				{"resources", Pass, "LogicalProcessorCount 128 of 16, TotalSystemMemoryGiB 1024 of 64, /redfish/v1/Systems/1/Storage/Direct_Attached_NVMe: Drives holds 2"},
			},
		},
		{
			file: "hpe-ilo5", system: "1", manager: "1", mac: "50:7c:6f:11:f2:a6",
			requests: classes{fixed: 12, nics: 7 + 3, slots: 2, storage: 2},
			checks: []expected{
				{"root", Pass, "RedfishVersion 1.6.0"},
				{"system", Pass, "/redfish/v1/Systems/1, HPE ProLiant DL385 Gen10 Plus v2"},
				{"power", Warn, "PowerState On"},
				{"health", Warn, "Health Critical, State Enabled"},
				{"reset", Pass, "ResetType takes On and ForceOff"},
				{"boot-mac", Pass, "EthernetInterfaces/1"},
				{"link", Unknown, "LinkStatus is null"},
				{"media", Pass, "2 slots under /redfish/v1/Managers/1/VirtualMedia"},
				{"media-type", Pass, "VirtualMedia/2 takes CD, DVD"},
				{"media-action", Pass, "VirtualMedia/2 has the action InsertMedia"},
				{"media-busy", Pass, "VirtualMedia/2 is empty"},
				{"media-service", Pass, "NetworkProtocol VirtualMedia.ProtocolEnabled true"},
				{"media-protocol", Unknown, "VirtualMedia/2: TransferProtocolType@Redfish.AllowableValues is missing"},
				{"media-cert", Unknown, "VirtualMedia/2: VerifyCertificate is missing"},
				{"bmc-dns", Pass, "NameServers 192.0.2.10"},
				{"boot-override", Pass, "BootSourceOverrideTarget takes Cd"},
				{"boot-mode", Pass, "BootSourceOverrideMode UEFI"},
				{"secure-boot", Pass, "SecureBootEnable false"},
				{"lockdown", Skip, "no Dell"},
				{"licence", Warn, "/redfish/v1/Managers/1/LicenseService"},
				{"privilege", Warn, "HTTP 404"},
				{"clock", Pass, "DateTime 2024-08-15T21:43:28Z, 5s slow"},
				{"firmware", Pass, "FirmwareVersion iLO 5 v2.72"},
				{"resources", Unknown, "ProcessorSummary.CoreCount is missing"},
			},
		},
		{
			file: "openbmc", system: "system", manager: "bmc",
			requests: classes{fixed: 10, nics: 0 + 1, slots: 0, storage: 1}, // the ten include the network adapters, a 404
			checks: []expected{
				{"root", Pass, "RedfishVersion 1.17.0"},
				{"system", Pass, "/redfish/v1/Systems/system"},
				{"power", Pass, "PowerState Off"},
				{"health", Warn, "Health OK, State Disabled"},
				{"reset", Pass, "ResetType takes On and ForceOff"},
				{"boot-mac", Unknown, "EthernetInterfaces.@odata.id is missing, and GET"},
				{"link", Unknown, "EthernetInterfaces.@odata.id is missing, and GET"},
				{"media", Fail, "Systems/system: VirtualMedia.@odata.id is missing, and /redfish/v1/Managers/bmc: VirtualMedia.@odata.id is missing"},
				{"media-type", Skip, "media failed"},
				{"media-action", Skip, "media failed"},
				{"media-busy", Skip, "media failed"},
				{"media-service", Unknown, "VirtualMedia.ProtocolEnabled is missing"},
				{"media-protocol", Skip, "media failed"},
				{"media-cert", Skip, "media failed"},
				{"bmc-dns", Pass, "NameServers 192.0.2.10"},
				{"boot-override", Pass, "BootSourceOverrideTarget takes Cd"},
				{"boot-mode", Pass, "BootSourceOverrideMode UEFI"},
				{"secure-boot", Unknown, "SecureBoot.@odata.id is missing"},
				{"lockdown", Skip, "no Dell"},
				{"licence", Warn, "LicenseService.@odata.id is missing"},
				{"privilege", Warn, "HTTP 404"},
				{"clock", Pass, "DateTime 2023-08-17T17:24:45Z, 5s slow"},
				{"firmware", Pass, "FirmwareVersion 2.15.0-dev-686-g100c36de90"},
				// Count 0 and 0 GiB: the crawl was taken before the machine was ever on.
				{"resources", Unknown, "Storage: Members is empty"},
			},
		},
	}
}
