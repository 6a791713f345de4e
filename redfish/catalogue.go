package redfish

import "slices"

// Catalogue lists the checks in the order in which they are asked and reported. A check comes after those it needs.
func Catalogue() []Check {
	return slices.Concat(reachChecks(), systemChecks(), mediaChecks(), bootChecks())
}

// reachChecks ask whether the BMC can be talked to.
func reachChecks() []Check {
	return []Check{
		{
			ID: "address", ask: askAddress,
			Asks:   "whether Metal3's own parser, and a stricter one, accept the BMC address",
			Rule:   "fails on a type without virtual media (a bare IP means IPMI), an empty host, a port out of range, user info, a Manager's path, IPv6 without brackets and a zone id; warns on a link-local address",
			Remedy: "write the address as redfish-virtualmedia[+http]://HOST[:PORT]/redfish/v1/Systems/ID, IPv6 in brackets",
		},
		{
			ID: "duplicate", ask: askDuplicate,
			Asks:   "whether two hosts share a name, a BMC and path, a boot MAC or a system UUID",
			Rule:   "fails: Metal3 would register one machine twice",
			Remedy: duplicateRemedy,
		},
		{
			ID: "credentials", ask: askCredentials,
			Asks:   "whether user and password are there and free of stray white space",
			Rule:   "fails where one is empty; warns on white space at an end, mostly the newline of a file",
			Remedy: "correct the user and password of this host's BMC",
		},
		{
			ID: "dns", Needs: []string{"address"}, perService: true, ask: askDNS,
			Asks:   "whether the BMC's host name resolves, in a family that this lab has",
			Rule:   "fails where it does not: Metal3 says so only after minutes",
			Remedy: "use the BMC's IP address, or correct its DNS entry",
		},
		{
			ID: "tcp", Needs: []string{"dns"}, perService: true, ask: askTCP,
			Asks:   "whether a TCP connection to the BMC opens within 5 s",
			Rule:   "fails; refused (nothing listens there) and no answer (nothing gets there) are different answers",
			Remedy: "check the port, firewalls and the route to the BMC",
		},
		{
			ID: "tls", Needs: []string{"tcp"}, perService: true, ask: askTLS,
			Asks:   "whether the certificate's chain, name and dates are good",
			Rule:   "fails where the host's certificate verification is on, warns where it is off, and warns in the 30 days before expiry",
			Remedy: "give the CA that signed it, or set disableCertificateVerification",
		},
		{
			ID: "redirect", Needs: []string{"tls"}, perService: true, ask: askRedirect,
			Asks:   "whether the service root redirects",
			Rule:   "fails where it leads to another host, port or scheme: no credential is sent there; within the service it is followed",
			Remedy: "use the URL that the BMC redirects to",
		},
		{
			ID: "root", Needs: []string{"redirect"}, perService: true, ask: askRoot,
			Asks:   "whether /redfish/v1/ is a Redfish service root that states its RedfishVersion",
			Rule:   "fails where something else answers",
			Remedy: "check host and port: this is not the BMC's Redfish service",
		},
		{
			ID: "auth", Needs: []string{"root", "credentials"}, perService: true, ask: askAuth,
			Asks:   "whether the BMC accepts the credential: by opening a session where sessions are advertised, else by exactly one GET with Basic",
			Rule:   "fails on 401, without a second attempt, since BMCs lock accounts; warns on 403",
			Remedy: "correct the user and password of this host's BMC",
		},
		{
			ID: "session", Needs: []string{"auth"}, perService: true, ask: askSession,
			Asks:   "whether a session opens and is deleted again, where sessions are advertised",
			Rule:   "warns where either does not work; fails where the session table is full",
			Remedy: "close sessions on the BMC, or reset it",
		},
	}
}

// systemChecks ask about the ComputerSystem.
func systemChecks() []Check {
	return []Check{
		{
			ID: "system", Needs: []string{"auth", "session"}, ask: askSystem,
			Asks:   "whether the address's path is a ComputerSystem; without a path, whether there is exactly one",
			Rule:   "fails where it is not",
			Remedy: "use one of the paths listed",
		},
		{
			ID: "power", Needs: []string{"system"}, ask: askPower,
			Asks:   "the system's PowerState",
			Rule:   "warns on On, since the host will be power-cycled (unless it has its BareMetalHost already); fails on null",
			Remedy: "reset the BMC: it does not know its own machine's power state",
		},
		{
			ID: "health", Needs: []string{"system"}, ask: askHealth,
			Asks:   "the system's Status.Health and Status.State",
			Rule:   "warns where they are not OK and Enabled",
			Remedy: "look into the BMC's event log",
		},
		{
			ID: "reset", Needs: []string{"system"}, ask: askReset,
			Asks:   "whether the system's Reset action takes On and ForceOff, stated inline or by ActionInfo",
			Rule:   "fails where a stated list lacks one, or there is no such action: Metal3 turns hosts off and on by these",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "boot-mac", Needs: []string{"system"}, ask: askBootMAC,
			Asks:   "whether the host's boot MAC is among the system's network interfaces",
			Rule:   "fails where the BMC lists interfaces and none has it; unknown where it lists none",
			Remedy: "use the MAC of one of the interfaces listed",
		},
		{
			ID: "link", Needs: []string{"boot-mac"}, ask: askLink,
			Asks:   "the link of the interface with the boot MAC",
			Rule:   "warns on LinkDown",
			Remedy: "check cable and switch port",
		},
	}
}

// mediaChecks ask about virtual media.
func mediaChecks() []Check {
	return []Check{
		{
			ID: "media", Needs: []string{"system"}, ask: askMedia,
			Asks:   "whether the system, or else its Manager, has virtual media",
			Rule:   "fails where neither has a slot: Metal3 says so only when it provisions",
			Remedy: "update the BMC's firmware, or install the licence that virtual media needs",
		},
		{
			ID: "media-type", Needs: []string{"media"}, ask: askMediaType,
			Asks:   "whether a slot takes a CD or DVD",
			Rule:   "fails where all slots say that they do not; warns where a slot does not say",
			Remedy: "update the BMC's firmware, or enable its virtual CD",
		},
		{
			ID: "media-action", Needs: []string{"media-type"}, ask: askMediaAction,
			Asks:   "whether an image can be inserted into such a slot: by the InsertMedia action or by PATCH",
			Rule:   "fails where neither is there; a missing EjectMedia action on an empty slot is normal",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "media-busy", Needs: []string{"media-type"}, ask: askMediaBusy,
			Asks:   "whether such a slot is free",
			Rule:   "warns where an image is in it (this lab's own is right where the host has its BareMetalHost); fails where a person's console holds it",
			Remedy: "eject the image",
		},
	}
}

// bootChecks ask how the system boots.
func bootChecks() []Check {
	return []Check{
		{
			ID: "boot-override", Needs: []string{"system"}, ask: askBootOverride,
			Asks:   "whether the system takes Cd (or UsbCd) as its boot override",
			Rule:   "fails where the values are stated and hold neither",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "boot-mode", Needs: []string{"system"}, ask: askBootMode,
			Asks:   "the mode of the boot override against the host's boot mode",
			Rule:   "warns on Legacy where UEFI is asked for, and the other way round",
			Remedy: "set the boot mode in the machine's setup, or the lab's bootMode",
		},
	}
}
