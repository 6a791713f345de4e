package redfish

import (
	"fmt"
	"regexp"

	"github.com/labrun/labrun/redfish/bmctest"
)

var (
	nicPath     = regexp.MustCompile(`/Systems/[^/]+/EthernetInterfaces/[^/]+$|/NetworkAdapters/`)
	slotPath    = regexp.MustCompile(`/VirtualMedia/[^/]+`)
	storagePath = regexp.MustCompile(`/(Simple)?Storage/[^/]+`)
)

// accounts is how many requests a BMC was sent: for each interface, media slot and storage resource, and for the rest, which
// has a limit.
type accounts struct{ fixed, nics, slots, storage int }

func (a accounts) String() string {
	return fmt.Sprintf("%d requests: %d, and %d for interfaces, %d for media slots, %d for storage", a.fixed+a.nics+a.slots+a.storage, a.fixed, a.nics, a.slots, a.storage)
}

func account(requests []bmctest.Request) (a accounts) {
	for _, r := range requests {
		switch {
		case nicPath.MatchString(r.Path):
			a.nics++
		case slotPath.MatchString(r.Path):
			a.slots++
		case storagePath.MatchString(r.Path):
			a.storage++
		default:
			a.fixed++
		}
	}
	return a
}
