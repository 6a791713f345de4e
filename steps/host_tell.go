package steps

import (
	"fmt"

	"github.com/labrun/labrun/steps/trouble"
)

// hostTrouble names the trouble of one of Metal3's error types.
func hostTrouble(errorType string) trouble.ID {
	switch errorType {
	case "registration error", "provisioned registration error":
		return trouble.HostRegistration
	case "power management error":
		return trouble.HostPower
	case "provisioning error":
		return trouble.HostProvisioning
	}
	return trouble.HostError
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// ordinal writes 1st, 2nd, 3rd, 4th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
