package redfish_test

import (
	"slices"

	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/redfish"
)

// featureSet is one of sushy-tools' feature sets, how many requests it takes, and what it answers.
type featureSet struct {
	title, name string
	devices     map[string]sushy.Device // nil: a CD and a floppy
	requests    int                     // of the first host
	checks      []answer
}

// everyFeatureSet are the results that no feature set decides.
func everyFeatureSet() []answer {
	return []answer{
		{"address", redfish.Pass, "redfish-virtualmedia"},
		{"duplicate", redfish.Pass, "shared with no other host"},
		{"credentials", redfish.Pass, "user and password are there"},
		{"dns", redfish.Skip, "is an address: nothing to resolve"},
		{"tcp", redfish.Pass, "connected to"},
		{"redirect", redfish.Pass, "none"},
		{"root", redfish.Pass, "RedfishVersion 1.5.0"},
		{"auth", redfish.Pass, "GET /redfish/v1/Systems with Basic authentication: accepted"},
		{"session", redfish.Skip, "the service root names no session collection"},
		{"system", redfish.Pass, "/redfish/v1/Systems/UUID"},
		{"power", redfish.Pass, "PowerState Off"},
		{"reset", redfish.Pass, "ResetType takes On and ForceOff"},
		{"image-url", redfish.Warn, "images.example is a name that the BMC must resolve"},
		{"boot-override", redfish.Pass, "BootSourceOverrideTarget takes Cd"},
		{"boot-mode", redfish.Pass, "BootSourceOverrideMode UEFI"},
		{"lockdown", redfish.Skip, "no Dell"},
		{"licence", redfish.Warn, "LicenseService.@odata.id is missing"},
		{"privilege", redfish.Warn, "AccountService.@odata.id is missing"},
		{"latency", redfish.Pass, "slowest answer 0s"},
	}
}

func featureSets() []featureSet {
	interfaces := []answer{
		{"boot-mac", redfish.Pass, "/redfish/v1/Systems/UUID/EthernetInterfaces/52:54:00:00:01:"},
		{"link", redfish.Unknown, "LinkStatus is missing"},
	}
	manager := []answer{
		{"media-service", redfish.Unknown, "/redfish/v1/Managers/UUID: NetworkProtocol.@odata.id is missing"},
		{"bmc-dns", redfish.Unknown, "/redfish/v1/Managers/UUID: EthernetInterfaces.@odata.id is missing"},
	}
	media := []answer{
		{"media", redfish.Pass, "2 slots under /redfish/v1/Systems/UUID/VirtualMedia"},
		{"media-type", redfish.Pass, "VirtualMedia/Cd takes CD, DVD"},
		{"media-action", redfish.Pass, "VirtualMedia/Cd has the action InsertMedia"},
		{"media-busy", redfish.Pass, "VirtualMedia/Cd is empty"},
		{"media-protocol", redfish.Unknown, "VirtualMedia/Cd: TransferProtocolType@Redfish.AllowableValues is missing"},
		{"media-cert", redfish.Pass, "VirtualMedia/Cd: VerifyCertificate false"},
	}
	whole := []answer{
		{"health", redfish.Pass, "Health OK, State Enabled"},
		{"secure-boot", redfish.Pass, "SecureBootEnable false"},
		{"clock", redfish.Pass, "DateTime "},
		{"firmware", redfish.Pass, "FirmwareVersion 1.00"},
		{"resources", redfish.Unknown, "Storage: HTTP 500"}, // its storage is for systems that its settings list
	}
	partly := []answer{
		{"health", redfish.Unknown, "Status.Health is missing"},
		{"secure-boot", redfish.Unknown, "SecureBoot.@odata.id is missing"},
		{"clock", redfish.Pass, "Date header "},
		{"resources", redfish.Unknown, "Storage.@odata.id is missing"},
	}
	floppy := []answer{
		{"media", redfish.Pass, "/redfish/v1/Systems/UUID/VirtualMedia/Floppy"},
		{"media-type", redfish.Fail, "the slots take only Floppy"},
		{"media-action", redfish.Skip, "media-type failed"},
		{"media-busy", redfish.Skip, "media-type failed"},
		{"media-protocol", redfish.Skip, "media-type failed"},
		{"media-cert", redfish.Skip, "media-type failed"},
	}
	return []featureSet{
		// root, systems (the one Basic GET), system, interfaces, interface, media, Cd, Floppy, Manager, SecureBoot, Storage
		{"full", "full", nil, 11, slices.Concat(interfaces, manager, media, whole)},
		{"floppy only", "full", map[string]sushy.Device{"Floppy": {Name: "Floppy", MediaTypes: []string{"Floppy"}}}, 10, slices.Concat(interfaces, manager, floppy, whole)},
		// the same without SecureBoot and Storage, and a Manager that says less
		{"vmedia", "vmedia", nil, 9, slices.Concat(interfaces, manager, media, partly, []answer{
			{"firmware", redfish.Unknown, "FirmwareVersion is missing"},
		})},
		// root, systems, system: there is neither media nor a Manager, nor are there interfaces
		{"minimum", "minimum", nil, 3, slices.Concat(partly, []answer{
			{"boot-mac", redfish.Unknown, "EthernetInterfaces.@odata.id is missing, and /redfish/v1/Systems/UUID: Links.Chassis is missing"},
			{"link", redfish.Unknown, "EthernetInterfaces.@odata.id is missing"},
			{"media", redfish.Fail, "VirtualMedia.@odata.id is missing, and /redfish/v1/Systems/UUID: Links.ManagedBy is missing"},
			{"media-type", redfish.Skip, "media failed"},
			{"media-action", redfish.Skip, "media failed"},
			{"media-busy", redfish.Skip, "media failed"},
			{"media-protocol", redfish.Skip, "media failed"},
			{"media-cert", redfish.Skip, "media failed"},
			{"media-service", redfish.Unknown, "Links.ManagedBy is missing"},
			{"bmc-dns", redfish.Unknown, "Links.ManagedBy is missing"},
			{"firmware", redfish.Unknown, "Links.ManagedBy is missing"},
		})},
	}
}
