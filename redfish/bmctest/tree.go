package bmctest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Tree is a BMC's resources: path without trailing slash → body.
type Tree map[string]map[string]any

// ReadTree reads a tree from a JSON file, {"/redfish/v1": {…}, …}.
func ReadTree(file string) (Tree, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a BMC tree: %w", err)
	}
	tree := Tree{}
	if err := json.Unmarshal(content, &tree); err != nil {
		return nil, fmt.Errorf("reading the BMC tree %s: %w", file, err)
	}
	return tree, nil
}

// Paths of [Small].
const (
	Root     = "/redfish/v1"
	Systems  = Root + "/Systems"
	System   = Systems + "/1"
	Manager  = Root + "/Managers/1"
	Media    = System + "/VirtualMedia"
	Slot     = Media + "/Cd"
	Sessions = Root + "/SessionService/Sessions"
	NICs     = System + "/EthernetInterfaces"
	NIC      = NICs + "/1"

	SecureBoot  = System + "/SecureBoot"
	Storage     = System + "/Storage"
	Disks       = Storage + "/1"
	Protocols   = Manager + "/NetworkProtocol"
	ManagerNICs = Manager + "/EthernetInterfaces"
	ManagerNIC  = ManagerNICs + "/1"
	Attributes  = Manager + "/Oem/Dell/DellAttributes/iDRAC.Embedded.1"
	Accounts    = Root + "/AccountService/Accounts"
	Account     = Accounts + "/1"
	Licences    = Root + "/LicenseService/Licenses"
)

// Clock stands for the present time wherever it is a value in a tree: a BMC puts that in when it answers.
const Clock = "{now}"

// MAC of the network interface of [Small].
const MAC = "52:54:00:12:34:56"

// smallUser is who the account of [Small] belongs to until a BMC knows better.
const smallUser = "admin"

// Small makes a tree that passes every check: one system, off, with one network interface and one disk, its Manager, and one
// virtual media slot under the system that takes a CD. The only account is Config.Username's. It advertises no sessions
// (Config.Sessions does), and has as much of an iDRAC's own settings as says that it is not locked down.
func Small() Tree {
	return Tree{
		Root: {
			"@odata.id": Root + "/", "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot", "RedfishVersion": "1.5.0",
			"Systems": link(Systems), "Managers": link(Root + "/Managers"),
			"AccountService": link(Root + "/AccountService"), "LicenseService": link(Root + "/LicenseService"),
		},
		Systems: collection(Systems, "ComputerSystem", System),
		System: {
			"@odata.id": System, "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem", "Id": "1", "Name": "small",
			"UUID": "38947555-7742-3448-3784-823347823834", "Manufacturer": "Test", "Model": "Small", "PowerState": "Off",
			"Status": map[string]any{"Health": "OK", "State": "Enabled"},
			"Boot": map[string]any{
				"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None", "BootSourceOverrideMode": "UEFI",
				"BootSourceOverrideTarget@Redfish.AllowableValues": []any{"None", "Cd", "Hdd"},
			},
			"Links":              map[string]any{"ManagedBy": []any{link(Manager)}},
			"ProcessorSummary":   map[string]any{"Count": 1, "CoreCount": 8, "LogicalProcessorCount": 16},
			"MemorySummary":      map[string]any{"TotalSystemMemoryGiB": 64},
			"EthernetInterfaces": link(NICs),
			"SecureBoot":         link(SecureBoot),
			"Storage":            link(Storage),
			"VirtualMedia":       link(Media),
			"Actions": map[string]any{"#ComputerSystem.Reset": map[string]any{
				"target":                            System + "/Actions/ComputerSystem.Reset",
				"ResetType@Redfish.AllowableValues": []any{"On", "ForceOff", "ForceRestart"},
			}},
		},
		NICs: collection(NICs, "EthernetInterface", NIC),
		NIC: {
			"@odata.id": NIC, "@odata.type": "#EthernetInterface.v1_4_0.EthernetInterface", "MACAddress": MAC, "LinkStatus": "LinkUp",
		},
		SecureBoot: {
			"@odata.id": SecureBoot, "@odata.type": "#SecureBoot.v1_0_0.SecureBoot",
			"SecureBootEnable": false, "SecureBootCurrentBoot": "Disabled", "SecureBootMode": "UserMode",
		},
		Storage: collection(Storage, "Storage", Disks),
		Disks:   {"@odata.id": Disks, "@odata.type": "#Storage.v1_8_0.Storage", "Drives": []any{link(Disks + "/Drives/1")}},
		Manager: {
			"@odata.id": Manager, "@odata.type": "#Manager.v1_5_0.Manager", "FirmwareVersion": "1.00",
			"DateTime": Clock, "DateTimeLocalOffset": "+00:00",
			"NetworkProtocol": link(Protocols), "EthernetInterfaces": link(ManagerNICs),
			"Links": map[string]any{"Oem": map[string]any{"Dell": map[string]any{"DellAttributes": []any{link(Attributes)}}}},
		},
		Protocols: {
			"@odata.id": Protocols, "@odata.type": "#ManagerNetworkProtocol.v1_4_0.ManagerNetworkProtocol",
			"VirtualMedia": map[string]any{"ProtocolEnabled": true},
		},
		ManagerNICs: collection(ManagerNICs, "EthernetInterface", ManagerNIC),
		ManagerNIC: {
			"@odata.id": ManagerNIC, "@odata.type": "#EthernetInterface.v1_4_0.EthernetInterface", "NameServers": []any{"192.0.2.53", "::"},
		},
		Attributes: {
			"@odata.id": Attributes, "@odata.type": "#DellAttributes.v1_0_0.DellAttributes",
			"Attributes": map[string]any{"Lockdown.1.SystemLockdown": "Disabled"},
		},
		Accounts: collection(Accounts, "ManagerAccount", Account),
		Account: {
			"@odata.id": Account, "@odata.type": "#ManagerAccount.v1_4_0.ManagerAccount", "UserName": smallUser, "RoleId": "Administrator",
		},
		Licences: collection(Licences, "License", Licences+"/VirtualMedia"),
		Media:    collection(Media, "VirtualMedia", Slot),
		Slot:     slot(Slot, "CD", "DVD"),
	}
}

// AddSlot adds a virtual media slot to a collection, with InsertMedia and EjectMedia actions.
func (t Tree) AddSlot(collection, name string, mediaTypes ...any) {
	path := collection + "/" + name
	t[path] = slot(path, mediaTypes...)
	t.list(collection, path)
}

// AddSystem adds another system, a copy of [System] under its own id with its own UUID.
func (t Tree) AddSystem(id, uuid string) {
	path := Systems + "/" + id
	t.copy(System, path)
	t[path]["UUID"] = uuid
	t.list(Systems, path)
}

// Set sets a property, at the end of these names: t.Set(bmctest.System, "Off", "PowerState").
func (t Tree) Set(path string, value any, names ...string) Tree {
	object := t[path]
	for _, name := range names[:len(names)-1] {
		next, ok := object[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[name] = next
		}
		object = next
	}
	object[names[len(names)-1]] = value
	return t
}

// Unset takes a property away; without names, the whole resource.
func (t Tree) Unset(path string, names ...string) Tree {
	if len(names) == 0 {
		delete(t, path)
		return t
	}
	object := t[path]
	for _, name := range names[:len(names)-1] {
		object, _ = object[name].(map[string]any)
	}
	delete(object, names[len(names)-1])
	return t
}

// copied is a deep copy with paths without trailing slash: a BMC changes its tree, and several may serve one.
func (t Tree) copied() (Tree, error) {
	encoded, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("copying a BMC tree: %w", err)
	}
	read, out := Tree{}, Tree{}
	if err := json.Unmarshal(encoded, &read); err != nil {
		return nil, fmt.Errorf("copying a BMC tree: %w", err)
	}
	for path, body := range read {
		out[strings.TrimSuffix(path, "/")] = body
	}
	return out, nil
}

func link(path string) map[string]any { return map[string]any{"@odata.id": path} }

func collection(path, schema string, members ...string) map[string]any {
	links := []any{}
	for _, m := range members {
		links = append(links, link(m))
	}
	return map[string]any{
		"@odata.id": path, "@odata.type": "#" + schema + "Collection." + schema + "Collection",
		"Members": links, "Members@odata.count": len(links),
	}
}

func slot(path string, mediaTypes ...any) map[string]any {
	return map[string]any{
		"@odata.id": path, "@odata.type": "#VirtualMedia.v1_2_0.VirtualMedia",
		"MediaTypes": mediaTypes, "Inserted": false, "Image": nil, "ConnectedVia": "NotConnected", "WriteProtected": true,
		"VerifyCertificate": false,
		"Actions": map[string]any{
			"#VirtualMedia.InsertMedia": map[string]any{
				"target": path + "/Actions/VirtualMedia.InsertMedia",
				"TransferProtocolType@Redfish.AllowableValues": []any{"HTTP", "HTTPS"},
			},
			"#VirtualMedia.EjectMedia": map[string]any{"target": path + "/Actions/VirtualMedia.EjectMedia"},
		},
	}
}

// JSON encodes every resource.
func (t Tree) JSON() map[string][]byte {
	out := map[string][]byte{}
	for path, body := range t {
		encoded, err := json.Marshal(body)
		if err != nil {
			panic(err) // a tree is made of JSON
		}
		out[path] = encoded
	}
	return out
}
