package redfish

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	clockWarn = time.Minute
	clockFail = time.Hour
)

// askMediaService looks at the switch for virtual media as a whole: the standard's, and those of vendors.
func askMediaService(ctx context.Context, p *probe) finding {
	manager, err := p.readManager(ctx)
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	var on []string
	for _, own := range []string{"Ami", "Gbt"} { // MegaRAC, by AMI itself and by Gigabyte
		switch status, err := manager.text("Oem", own, "VirtualMedia", "RMediaStatus"); {
		case err == nil && strings.EqualFold(status, "Enabled"):
			on = append(on, "RMediaStatus "+status)
		case err == nil:
			return fail("enable remote media on the BMC: Settings, Media Redirection, or the action AMIVirtualMedia.EnableRMedia", "RMediaStatus %s", printable(status))
		}
	}
	if p.vendor(ctx) == dell {
		attached, err := p.dellAttribute(ctx, "VirtualMedia.1.Attached")
		if err == nil && attached == "Detached" {
			return fail("set it to AutoAttach: iDRAC, Configuration, Virtual Media, Attach Mode", "VirtualMedia.1.Attached Detached")
		}
		if enabled, err := p.dellAttribute(ctx, "VirtualMedia.1.Enable"); err == nil && enabled == "Disabled" {
			return fail("enable it: iDRAC, Configuration, Virtual Media", "VirtualMedia.1.Enable Disabled")
		}
		if err == nil {
			on = append(on, "VirtualMedia.1.Attached "+printable(attached))
		}
	}
	enabled, err := p.protocolEnabled(ctx, manager)
	switch {
	case err == nil && !enabled:
		return fail("", "NetworkProtocol VirtualMedia.ProtocolEnabled false")
	case err == nil:
		on = append(on, "NetworkProtocol VirtualMedia.ProtocolEnabled true")
	case len(on) == 0:
		return unknown("%s", reasonOf(err))
	}
	return pass("%s", strings.Join(on, ", "))
}

func (p *probe) protocolEnabled(ctx context.Context, manager *resource) (bool, error) {
	link, err := manager.link("NetworkProtocol")
	if err != nil {
		return false, err
	}
	protocols, err := p.service.conn.get(ctx, link)
	if err != nil {
		return false, err
	}
	return protocols.flag("VirtualMedia", "ProtocolEnabled")
}

func askLockdown(ctx context.Context, p *probe) finding {
	if p.vendor(ctx) != dell {
		return skip("no Dell: only an iDRAC locks its system down")
	}
	state, err := p.dellAttribute(ctx, "Lockdown.1.SystemLockdown")
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case state == "Disabled":
		return pass("Lockdown.1.SystemLockdown Disabled")
	case state == "Enabled":
		return fail("", "Lockdown.1.SystemLockdown Enabled")
	}
	return unknown("Lockdown.1.SystemLockdown %q, which is neither Enabled nor Disabled", printable(state))
}

func askClock(ctx context.Context, p *probe) finding {
	manager, err := p.readManager(ctx)
	if err != nil {
		manager = nil
	}
	shown, source, received, ok := p.bmcTime(manager)
	if !ok {
		return unknown("neither the Manager's DateTime nor a Date header says the time")
	}
	off := shown.Sub(received).Round(time.Second)
	seen := fmt.Sprintf("%s %s, %s", source, shown.UTC().Format(time.RFC3339), direction(off))
	switch {
	case off.Abs() > clockFail:
		return fail("", "%s", seen)
	case off.Abs() > clockWarn:
		return warn("", "%s", seen)
	}
	return pass("%s", seen)
}

// bmcTime is the time of the BMC, and when it said so: by the Manager's DateTime, else by the header of an answer.
func (p *probe) bmcTime(manager *resource) (shown time.Time, source string, received time.Time, ok bool) {
	if manager != nil {
		if shown, err := dateTime(manager); err == nil {
			return shown, "DateTime", manager.received, true
		}
	}
	for _, r := range []*resource{manager, p.system} {
		if r == nil {
			continue
		}
		if shown, err := http.ParseTime(r.header.Get("Date")); err == nil {
			return shown, "Date header", r.received, true
		}
	}
	return time.Time{}, "", time.Time{}, false
}

// dateTime reads a Manager's DateTime; where that is without a zone, with DateTimeLocalOffset.
func dateTime(manager *resource) (time.Time, error) {
	text, err := manager.text("DateTime")
	if err != nil {
		return time.Time{}, err
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	offset, err := manager.text("DateTimeLocalOffset")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text+offset)
}

func direction(off time.Duration) string {
	if off < 0 {
		return (-off).String() + " slow"
	}
	return off.String() + " fast"
}

// badFirmware is a version of a BMC's firmware that is known to fail.
type badFirmware struct {
	vendor  vendor
	version string // as the Manager states it
	status  Status
	why     string
	update  string // the version to go to
}

// knownBadFirmware is short on purpose: only what somebody has reported in public with both versions.
func knownBadFirmware() []badFirmware {
	return []badFirmware{
		// redhat-performance/jetlag#286. A later comment there found no name servers on those BMCs, so it only warns: what
		// bmc-dns says may be all there is to it.
		{dell, "5.10.10.00", Warn, "reported not to mount virtual media", "5.10.10.05"},
	}
}

func askFirmware(ctx context.Context, p *probe) finding {
	manager, err := p.readManager(ctx)
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	version, err := manager.text("FirmwareVersion")
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	if strings.TrimSpace(version) == "" {
		return unknown("FirmwareVersion is empty")
	}
	made := p.vendor(ctx)
	for _, bad := range knownBadFirmware() {
		if bad.vendor == made && bad.version == strings.TrimSpace(version) {
			return finding{bad.status, fmt.Sprintf("FirmwareVersion %s: %s", printable(version), bad.why), "update to " + bad.update + " or later"}
		}
	}
	return pass("FirmwareVersion %s, of which nothing bad is known", printable(version))
}
