package machine

import (
	"errors"
	"testing"

	"github.com/labrun/labrun/internal/sim/world"
)

func TestAnImageCarriesItsInfraEnv(t *testing.T) {
	const id = "7b3f0a52-1f1e-4f51-8a5b-0d1f5d6b8f10"
	got, err := InfraEnvID(DiscoveryISO(id))
	if err != nil || got != id {
		t.Errorf("the id in the image is %q (%v), want %q", got, err, id)
	}
	for _, other := range [][]byte{nil, make([]byte, 3<<20)} {
		if _, err := InfraEnvID(other); !errors.Is(err, ErrNoDiscoveryISO) {
			t.Errorf("%d bytes of zeros: %v", len(other), err)
		}
	}
}

func TestInventory(t *testing.T) {
	found := inventory(world.Machine{
		UUID: "u", MAC: "52:54:00:00:00:01", BMC: "https://[::1]:9000", IPs: []string{"2620:52:0:1305::5/64", "192.0.2.5/24"},
		Cores: 4, MemoryGB: 16, DiskGB: []int64{120, 500},
	})
	nic := found["interfaces"].([]any)[0].(map[string]any)
	if len(nic["ipV4Addresses"].([]any)) != 1 || len(nic["ipV6Addresses"].([]any)) != 1 || found["bmcV6Address"] != "::1" {
		t.Errorf("the addresses are %v, %v", nic, found["bmcV6Address"])
	}
	if got := len(found["disks"].([]any)); got != 2 {
		t.Errorf("%d disks, want 2", got)
	}
}
