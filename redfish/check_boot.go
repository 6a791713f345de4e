package redfish

import (
	"context"
	"net/http"
	"strings"
)

func askBootOverride(_ context.Context, p *probe) finding {
	targets, err := p.system.stated("Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case discTarget(p.system) == "UsbCd" && contains(targets, "Cd"):
		return pass("BootSourceOverrideTarget takes Cd and UsbCd, which is the virtual drive of a Supermicro")
	case contains(targets, "Cd"):
		return pass("BootSourceOverrideTarget takes Cd")
	case contains(targets, "UsbCd"):
		return warn("update the BMC's firmware: Ironic asks for Cd, and its client refuses what is not listed", "BootSourceOverrideTarget takes UsbCd and not Cd")
	}
	return fail("", "BootSourceOverrideTarget takes %s", listed(targets))
}

// discTarget is how the BMC calls the virtual drive. On a Supermicro that lists both, it is UsbCd, and Ironic sets that; Cd
// boots nothing there.
func discTarget(system *resource) string {
	targets, err := system.texts("Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
	supermicro := strings.EqualFold(orEmpty(system.text("Manufacturer")), "Supermicro")
	if err == nil && contains(targets, "UsbCd") && (supermicro || !contains(targets, "Cd")) {
		return "UsbCd"
	}
	return "Cd"
}

func askBootMode(_ context.Context, p *probe) finding {
	if p.host.BootMode == "" {
		return skip("no boot mode is given")
	}
	mode, err := p.system.text("Boot", "BootSourceOverrideMode")
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	asked := strings.HasPrefix(strings.ToLower(p.host.BootMode), "uefi")
	switch mode {
	case "UEFI", "Legacy":
		if asked == (mode == "UEFI") {
			return pass("BootSourceOverrideMode %s", mode)
		}
		return warn("", "BootSourceOverrideMode %s, and %s is asked for", mode, p.host.BootMode)
	}
	return unknown("BootSourceOverrideMode %q, which the standard does not know", printable(mode))
}

// askSecureBoot asks whether secure boot can be had where it is asked for, and whether it is off where it is not.
func askSecureBoot(ctx context.Context, p *probe) finding {
	if p.host.BootMode == "" {
		return skip("no boot mode is given")
	}
	asked := strings.EqualFold(p.host.BootMode, "UEFISecureBoot")
	link, err := p.system.link("SecureBoot")
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	r, err := p.service.conn.get(ctx, link)
	switch status := statusOf(err); {
	case asked && (status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed):
		return fail("set the worker's boot_mode to UEFI", "%s", reasonOf(err))
	case err != nil:
		return unknown("%s", reasonOf(err))
	}
	enabled, err := r.flag("SecureBootEnable")
	current, currentErr := r.text("SecureBootCurrentBoot")
	switch {
	case asked && err != nil:
		return unknown("%s", reasonOf(err))
	case asked && orEmpty(r.text("SecureBootMode")) == "SetupMode" && !enabled:
		return warn("enrol the platform's default keys in the machine's setup", "SecureBootMode SetupMode: there are no keys to boot by")
	case asked:
		return pass("SecureBootEnable %t, and can be set", enabled)
	case err == nil && enabled:
		return warn("", "SecureBootEnable true, and %s is asked for", p.host.BootMode)
	case currentErr == nil && current == "Enabled":
		return warn("", "SecureBootCurrentBoot Enabled, and %s is asked for", p.host.BootMode)
	case err == nil:
		return pass("SecureBootEnable false")
	case currentErr == nil && current == "Disabled":
		return pass("SecureBootCurrentBoot Disabled")
	}
	return unknown("%s", reasonOf(err))
}
