package assisted

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rootDeviceHints are a BareMetalHost's.
type rootDeviceHints struct {
	DeviceName string `json:"deviceName"`
	HCTL       string `json:"hctl"`
	Model      string `json:"model"`
	Vendor     string `json:"vendor"`
	Serial     string `json:"serialNumber"`
	MinSizeGB  int64  `json:"minSizeGigabytes"`
	WWN        string `json:"wwn"`
	Rotational *bool  `json:"rotational"`
}

// notFound is the disk that no hint matches: the host is not installed on any other.
const notFound = "/dev/not-found-by-hints"

// findDisk gives the id of the first disk that the hints allow; "" where there are no hints.
func findDisk(disks []disk, hints *rootDeviceHints) string {
	if hints == nil {
		return ""
	}
	for _, d := range disks {
		if d.Eligibility.Eligible && hints.allow(d) {
			return d.ID
		}
	}
	return notFound
}

func (h *rootDeviceHints) allow(d disk) bool {
	is := func(hint, value string) bool { return hint == "" || hint == value }
	return (is(h.DeviceName, d.Path) || h.DeviceName == d.ByPath) &&
		is(h.HCTL, d.HCTL) && is(h.Serial, d.Serial) && is(h.WWN, d.WWN) &&
		strings.Contains(d.Model, h.Model) && strings.Contains(d.Vendor, h.Vendor) &&
		d.Size/1_000_000_000 >= h.MinSizeGB &&
		(h.Rotational == nil || *h.Rotational == (strings.EqualFold(d.Type, "HDD")))
}

// findAgent gives the newest Agent that has an interface of that MAC, in any case; nil where there is none.
func findAgent(agents []unstructured.Unstructured, mac string) *unstructured.Unstructured {
	if mac == "" {
		return nil
	}
	var found *unstructured.Unstructured
	for i := range agents {
		interfaces, _, _ := unstructured.NestedSlice(agents[i].Object, "status", "inventory", "interfaces")
		has := slices.ContainsFunc(interfaces, func(x any) bool {
			m, _ := x.(map[string]any)
			address, _ := m["macAddress"].(string)
			return strings.EqualFold(address, mac)
		})
		if has && (found == nil || agents[i].GetCreationTimestamp().After(found.GetCreationTimestamp().Time)) {
			found = &agents[i]
		}
	}
	return found
}

// hostState is what a BareMetalHost's image is decided on.
type hostState struct {
	image, state, iso string    // spec.image.url, status.provisioning.state, the InfraEnv's ISO
	made              time.Time // of the ISO
}

// imageAct is what becomes of spec.image.
type imageAct int

const (
	imageKeep  imageAct = iota
	imageSet            // give the host the ISO
	imageClear          // take an older one away first, so that Ironic fetches the new one
)

// judgeImage decides about spec.image where the flow is not converged, and how long to wait.
func judgeImage(h hostState, cooldown time.Duration, now time.Time) (imageAct, time.Duration) {
	if h.iso == "" || h.image == h.iso {
		return imageKeep, 0
	}
	if left := h.made.Add(cooldown).Sub(now); left > 0 {
		return imageKeep, left
	}
	if h.state == "ready" || h.state == "available" {
		return imageSet, 0
	}
	return imageClear, 0
}

// detaches says whether the host is to be let go by Metal3: provisioned in the converged flow, rebooted into its disk
// in the other.
func detaches(converged bool, state, stage string) bool {
	if converged {
		return state == "provisioned"
	}
	return slices.Contains([]string{"Failed", "Rebooting", "Joined", "Done"}, stage)
}
