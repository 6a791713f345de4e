package redfish

// accessChecks ask what the BMC lets its user do.
func accessChecks() []Check {
	return []Check{
		{
			ID: "lockdown", Needs: []string{"system"}, ask: askLockdown,
			Asks:   "whether an iDRAC has its system locked down",
			Rule:   "fails where Lockdown.1.SystemLockdown is Enabled",
			Why:    "A locked system refuses every change: power, boot and virtual media.",
			Remedy: "turn off System Lockdown Mode in the iDRAC",
		},
		{
			ID: "licence", Needs: []string{"system"}, ask: askLicence,
			Asks:   "whether virtual media is licensed: an iLO's feature VM, a Supermicro's licences, else the LicenseService",
			Rule:   "fails on an explicit no: the feature is off, the licence has ended, or there is none; warns where the BMC does not say",
			Why:    "Without its licence a BMC shows slots that take no image.",
			Remedy: "install the licence that virtual media needs",
		},
		{
			ID: "privilege", Needs: []string{"system"}, ask: askPrivilege,
			Asks:   "whether the user's role has ConfigureComponents (boot) and ConfigureManager (virtual media)",
			Rule:   "fails where one is missing; warns where the BMC does not say",
			Why:    "A user who may read everything passes registration, and fails when the host is to be booted.",
			Remedy: "give the user the role Administrator",
		},
	}
}

// machineChecks ask what the machine and its BMC are.
func machineChecks() []Check {
	return []Check{
		{
			ID: "clock", Needs: []string{"system"}, ask: askClock,
			Asks:   "the Manager's DateTime with its offset, else the Date header of an answer, against labrun's clock",
			Rule:   "warns over 60 s, fails over 1 h",
			Why:    "The booted image takes its time from the machine: with a wrong one every certificate is too young or too old.",
			Remedy: "set the BMC's clock, or give it an NTP server",
		},
		{
			ID: "firmware", Needs: []string{"system"}, ask: askFirmware,
			Asks:   "the Manager's FirmwareVersion against versions that are known to fail",
			Rule:   "fails or warns as the version does",
			Why:    "Some versions accept an image and never mount it.",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "resources", Needs: []string{"system"}, ask: askResources,
			Asks:   "processors and memory against the lab's minimum, and a disk where the lab installs on one",
			Rule:   "fails where there is less; unknown where the BMC does not know",
			Why:    "The installer refuses a machine that is too small, after it has booted: half an hour later.",
			Remedy: "use a larger machine: assisted-service takes none with less",
		},
		{
			ID: "latency", Needs: []string{"tcp"}, ask: askLatency,
			Asks:   "how long the answers took: the slowest, and within what 95% came",
			Rule:   "warns where one took over 3 s",
			Why:    "Ironic gives up on a BMC that answers too slowly, mostly in the middle of something.",
			Remedy: "reset the BMC",
		},
	}
}
