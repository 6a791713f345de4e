package redfish

import (
	"context"
	"strings"
)

func askBootOverride(_ context.Context, p *probe) finding {
	targets, err := p.system.texts("Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
	switch {
	case err != nil:
		return unknown("%s", reasonOf(err))
	case contains(targets, "Cd"):
		return pass("BootSourceOverrideTarget takes Cd")
	case contains(targets, "UsbCd"):
		return pass("BootSourceOverrideTarget takes UsbCd")
	}
	return fail("", "BootSourceOverrideTarget takes %s", listed(targets))
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
