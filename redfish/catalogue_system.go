package redfish

// systemChecks ask about the ComputerSystem.
func systemChecks() []Check {
	return []Check{
		{
			ID: "system", Needs: []string{"auth", "session"}, ask: askSystem,
			Asks:   "whether the address's path is a ComputerSystem; without a path, whether there is exactly one",
			Rule:   "fails where it is not; warns where the address has no path",
			Why:    "A path that leads elsewhere registers nothing, or another machine.",
			Remedy: "use one of the paths listed",
		},
		{
			ID: "power", Needs: []string{"system"}, ask: askPower,
			Asks:   "the system's PowerState",
			Rule:   "warns on On, since the host will be power-cycled (unless it has its BareMetalHost already); fails on null",
			Why:    "A machine that is on may be in use. One whose BMC does not know its power state cannot be turned off and on.",
			Remedy: "reset the BMC: it does not know its own machine's power state",
		},
		{
			ID: "health", Needs: []string{"system"}, ask: askHealth,
			Asks:   "the system's Status.Health and Status.State",
			Rule:   "warns where they are not OK and Enabled",
			Why:    "A machine with a broken fan, disk or memory module fails in the middle of an installation.",
			Remedy: "look into the BMC's event log",
		},
		{
			ID: "reset", Needs: []string{"system"}, ask: askReset,
			Asks:   "whether the system's Reset action takes On and ForceOff, stated inline or by ActionInfo",
			Rule:   "fails where a stated list lacks one, or there is no such action",
			Why:    "Metal3 turns hosts off and on by these.",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "boot-mac", Needs: []string{"system"}, ask: askBootMAC,
			Asks:   "whether the host's boot MAC is among the system's EthernetInterfaces, or, where it lists none, its NetworkAdapters",
			Rule:   "fails where the BMC lists interfaces and none has it; unknown where it lists none",
			Why:    "The installer tells machines apart by this MAC: with another machine's, the host waits for ever.",
			Remedy: "use the MAC of one of the interfaces listed",
		},
		{
			ID: "link", Needs: []string{"boot-mac"}, ask: askLink,
			Asks:   "the link of the interface with the boot MAC",
			Rule:   "warns on LinkDown",
			Why:    "Without a link the booted image reaches nobody.",
			Remedy: "check cable and switch port",
		},
	}
}

// bootChecks ask how the system boots.
func bootChecks() []Check {
	return []Check{
		{
			ID: "boot-override", Needs: []string{"system"}, ask: askBootOverride,
			Asks:   "whether the system takes Cd (or UsbCd) as its boot override",
			Rule:   "fails where the values are stated and hold neither; warns where they hold UsbCd alone, which Ironic does not ask for",
			Why:    "The host would boot from its disk, and the image would be in the drive for nothing.",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "boot-mode", Needs: []string{"system"}, ask: askBootMode,
			Asks:   "the mode of the boot override against the host's boot mode",
			Rule:   "warns on Legacy where UEFI is asked for, and the other way round",
			Why:    "An image that boots in one mode does not boot in the other: the host hangs before its first message.",
			Remedy: "set the boot mode in the machine's setup, or the worker's boot_mode",
		},
		{
			ID: "secure-boot", Needs: []string{"system"}, ask: askSecureBoot,
			Asks:   "the system's SecureBoot against the host's boot mode",
			Rule:   "fails where UEFISecureBoot is asked for and the BMC says that it has no such thing; warns where it is on and not asked for, and where it has no keys",
			Why:    "An image that is not signed does not boot with secure boot on; Metal3 cannot turn on what is not there.",
			Remedy: "turn secure boot off in the machine's setup, or set the worker's boot_mode to UEFISecureBoot",
		},
	}
}
