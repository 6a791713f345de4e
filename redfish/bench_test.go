package redfish

import (
	"fmt"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// BenchmarkPreflight asks 100 BMCs with two interfaces and two slots each, TLS and sessions, that answer in 200 ms.
func BenchmarkPreflight(b *testing.B) {
	var hosts []Host
	var bmcs []*bmctest.BMC
	for i := range 100 {
		tree := bmctest.Small().Set(bmctest.System, fmt.Sprintf("%08d-7742-3448-3784-823347823834", i), "UUID")
		tree.AddSlot(bmctest.Media, "Second", "Floppy")
		second := bmctest.NICs + "/2"
		tree[second] = map[string]any{"@odata.id": second, "@odata.type": "#EthernetInterface.v1_4_0.EthernetInterface", "MACAddress": "52:54:00:00:00:02"}
		tree.Set(bmctest.NICs, []any{map[string]any{"@odata.id": bmctest.NIC}, map[string]any{"@odata.id": second}}, "Members")
		bmc := start(b, bmctest.Config{Tree: tree, TLS: true, Sessions: true, Latency: 200 * time.Millisecond})
		h := hostAt(bmc)
		h.Name, h.BootMAC = fmt.Sprintf("worker%d", i), ""
		if i == 0 {
			h.BootMAC = bmctest.MAC
		}
		hosts, bmcs = append(hosts, h), append(bmcs, bmc)
	}
	for b.Loop() {
		for _, r := range Preflight(b.Context(), hosts, Options{}) {
			if r.Status != Pass || r.Requests > 14+4 {
				b.Fatalf("%+v", r)
			}
		}
	}
	for _, bmc := range bmcs {
		if open, _ := bmc.Sessions(); open != 0 {
			b.Errorf("%d sessions left", open)
		}
	}
}
