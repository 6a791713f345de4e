package assisted

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
)

// inventory is what a booted host reports of itself, as far as it is judged.
type inventory struct {
	Hostname string `json:"hostname"`
	CPU      struct {
		Count int64 `json:"count"`
	} `json:"cpu"`
	Memory struct {
		Physical int64 `json:"physicalBytes"`
	} `json:"memory"`
	Disks      []disk `json:"disks"`
	Interfaces []struct {
		MAC string   `json:"macAddress"`
		V4  []string `json:"ipV4Addresses"`
		V6  []string `json:"ipV6Addresses"`
	} `json:"interfaces"`
}

type disk struct {
	ID          string `json:"id"`
	Path        string `json:"path"`
	ByPath      string `json:"byPath"`
	HCTL        string `json:"hctl"`
	Model       string `json:"model"`
	Vendor      string `json:"vendor"`
	Serial      string `json:"serial"`
	WWN         string `json:"wwn"`
	Type        string `json:"driveType"`
	Size        int64  `json:"sizeBytes"`
	Eligibility struct {
		Eligible bool `json:"eligible"`
	} `json:"installationEligibility"`
}

// validation is an entry of status.validationsInfo.
type validation struct{ group, id, status, message string }

// What a host needs at least for any role.
const (
	minCores  = 2
	minMemory = 8 << 30
	minDisk   = 100_000_000_000
)

// validate judges an unbound or bound host. clock is false where the host's time is not synchronized.
func validate(i inventory, hostname string, clock bool) []validation {
	var all []validation
	add := func(group, id string, ok bool, pass, fail string) {
		v := validation{group, id, "success", pass}
		if !ok {
			v.status, v.message = "failure", fail
		}
		all = append(all, v)
	}
	const unfit = "The host is not eligible to participate in Openshift Cluster because the minimum required "
	known := len(i.Interfaces) > 0 || i.CPU.Count > 0
	add("hardware", "has-inventory", known, "Valid inventory exists for the host", "Inventory has not been received for the host")
	add("hardware", "has-min-cpu-cores", i.CPU.Count >= minCores, "Sufficient CPU cores", fmt.Sprintf(unfit+"CPU cores for any role is %d, found only %d", minCores, i.CPU.Count))
	// The firmware keeps some memory for itself: 100 MiB less is enough.
	add("hardware", "has-min-memory", i.Memory.Physical >= minMemory-100<<20, "Sufficient minimum RAM",
		fmt.Sprintf(unfit+"RAM for any role is %s, found only %s", humanize.IBytes(minMemory), humanize.IBytes(uint64(max(0, i.Memory.Physical)))))
	fits := slices.ContainsFunc(i.Disks, func(d disk) bool { return d.Eligibility.Eligible && d.Size >= minDisk })
	add("hardware", "has-min-valid-disks", fits, "Sufficient disk capacity", "No eligible disks were found, please check specific disks to see why they are not eligible")
	if hostname == "" {
		hostname = i.Hostname
	}
	allowed := hostname != "" && hostname != "localhost" && !strings.HasPrefix(hostname, "localhost.")
	add("hardware", "hostname-valid", allowed, fmt.Sprintf("Hostname %s is allowed", hostname), fmt.Sprintf("The host name %s is forbidden", hostname))
	add("network", "connected", true, "Host is connected", "Host is disconnected")
	add("network", "media-connected", true, "Media device is connected", "")
	add("network", "ntp-synced", clock, "Host NTP is synced", "Host couldn't synchronize with any NTP server")
	return all
}

// failures joins the messages of what failed, as condition Validated does.
func failures(list []validation) string {
	var texts []string
	for _, v := range list {
		if v.status != "success" {
			texts = append(texts, v.message)
		}
	}
	return strings.Join(texts, ",")
}

// asStatus is status.validationsInfo.
func asStatus(list []validation) map[string]any {
	groups := map[string]any{}
	for _, v := range list {
		entries, _ := groups[v.group].([]any)
		groups[v.group] = append(entries, map[string]any{"id": v.id, "status": v.status, "message": v.message})
	}
	return groups
}

// judgeDisk refuses an installation disk that the host does not have.
func judgeDisk(disks []disk, id string) string {
	if id == "" || slices.ContainsFunc(disks, func(d disk) bool {
		return d.Eligibility.Eligible && (id == d.ID || id == d.Path || id == d.ByPath)
	}) {
		return ""
	}
	return "Requested installation disk is not part of the host's valid disks"
}

// diskText names the disk of that id as the service's messages do: model, serial, name and id. Where none is chosen, the
// service installs to the first one.
func diskText(disks []disk, id string) string {
	for _, d := range disks {
		if id == "" || id == d.ID || id == d.Path || id == d.ByPath {
			return strings.TrimSpace(fmt.Sprintf("%s %s", strings.TrimSpace(d.Model+" "+d.Serial), fmt.Sprintf("(%s, %s)", strings.TrimPrefix(d.Path, "/dev/"), d.ID)))
		}
	}
	return id
}
