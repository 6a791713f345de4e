package bmctest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// ManagerMedia is where MediaUnderManager puts the slots.
const ManagerMedia = Manager + "/VirtualMedia"

// MediaUnderManager moves the virtual media of [Small] from the system to its Manager, where most BMCs before 2020 have it.
func (t Tree) MediaUnderManager() Tree {
	for path := range t.copy(Media, ManagerMedia) {
		delete(t, path)
	}
	return t.Unset(System, "VirtualMedia").Set(Manager, link(ManagerMedia), "VirtualMedia")
}

// AddNIC adds a network interface with this MAC to the system's.
func (t Tree) AddNIC(name, mac string) Tree {
	path := NICs + "/" + name
	t[path] = map[string]any{
		"@odata.id": path, "@odata.type": "#EthernetInterface.v1_4_0.EthernetInterface", "Id": name, "Name": name,
		"MACAddress": mac, "LinkStatus": "LinkUp",
	}
	t.list(NICs, path)
	return t
}

// ActionInfo states the values that an action's parameters take (name → values) by a resource of its own, and takes the
// inline statement away. The action is named as in Actions: "#ComputerSystem.Reset". It gives the new resource's path.
func (t Tree) ActionInfo(resource, action string, parameters map[string][]string) string {
	path := resource + "/" + strings.TrimPrefix(action[strings.LastIndex(action, ".")+1:], "#") + "ActionInfo"
	var list []any
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		var allowed []any
		for _, v := range parameters[name] {
			allowed = append(allowed, v)
		}
		list = append(list, map[string]any{"Name": name, "Required": false, "DataType": "String", "AllowableValues": allowed})
		t.Unset(resource, "Actions", action, name+"@Redfish.AllowableValues")
	}
	t[path] = map[string]any{"@odata.id": path, "@odata.type": "#ActionInfo.v1_1_0.ActionInfo", "Id": "ActionInfo", "Name": action, "Parameters": list}
	t.Set(resource, path, "Actions", action, "@Redfish.ActionInfo")
	return path
}

// list adds a member to a collection.
func (t Tree) list(collection, member string) {
	members, _ := t[collection]["Members"].([]any)
	t[collection]["Members"] = append(members, link(member))
	t[collection]["Members@odata.count"] = len(members) + 1
}

// copy copies a resource and those below it to another path, links among them included, and gives the originals.
func (t Tree) copy(from, to string) Tree {
	originals := maps.Clone(t)
	maps.DeleteFunc(originals, func(path string, _ map[string]any) bool {
		return path != from && !strings.HasPrefix(path, from+"/")
	})
	for path, body := range originals {
		encoded, err := json.Marshal(body)
		if err != nil {
			panic(err) // a tree is made of JSON
		}
		moved := map[string]any{}
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(encoded), from, to)), &moved); err != nil {
			panic(err)
		}
		t[to+strings.TrimPrefix(path, from)] = moved
	}
	return originals
}
