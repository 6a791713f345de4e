package redfish

// reachChecks ask whether the BMC can be talked to.
func reachChecks() []Check {
	return []Check{
		{
			ID: "address", ask: askAddress,
			Asks:   "whether Metal3's own parser, and a stricter one, accept the BMC address",
			Rule:   "fails on a type without virtual media (a bare IP means IPMI), an empty host, a port out of range, user info, a Manager's path, IPv6 without brackets and a zone id, and where redfish-virtualmedia leads to a Dell with firmware before 6; warns on a link-local address, and on redfish-virtualmedia where it leads to another Dell",
			Why:    "Metal3 refuses an address that it cannot read, takes one without virtual media for another protocol, and then never boots the host. Of a Dell it wants to be told: idrac-virtualmedia.",
			Remedy: "write the address as redfish-virtualmedia[+http]://HOST[:PORT]/redfish/v1/Systems/ID, IPv6 in brackets",
		},
		{
			ID: "duplicate", ask: askDuplicate,
			Asks:   "whether two hosts share a name, a BMC and path, a boot MAC or a system UUID",
			Rule:   "fails",
			Why:    "Metal3 would register one machine twice, and two hosts would power-cycle and boot each other.",
			Remedy: duplicateRemedy,
		},
		{
			ID: "credentials", ask: askCredentials,
			Asks:   "whether user and password are there and free of stray white space",
			Rule:   "fails where one is empty; warns on white space at an end, mostly the newline of a file",
			Why:    "A newline at the end of a password is sent as part of it: the BMC refuses it, and locks the account after a few tries.",
			Remedy: "correct the user and password of this host's BMC",
		},
		{
			ID: "dns", Needs: []string{"address"}, perService: true, ask: askDNS,
			Asks:   "whether the BMC's host name resolves, in a family that this lab has",
			Rule:   "fails where it does not",
			Why:    "Metal3 says so only after minutes, in the words of a connection that failed.",
			Remedy: "use the BMC's IP address, or correct its DNS entry",
		},
		{
			ID: "tcp", Needs: []string{"dns"}, perService: true, ask: askTCP,
			Asks:   "whether a TCP connection to the BMC opens within 5 s",
			Rule:   "fails; refused (nothing listens there) and no answer (nothing gets there) are different answers",
			Why:    "Metal3 tries for minutes before it says that a connection is refused, and does not end where nothing answers.",
			Remedy: "check the port, firewalls and the route to the BMC",
		},
		{
			ID: "tls", Needs: []string{"tcp"}, perService: true, ask: askTLS,
			Asks:   "whether the TLS handshake succeeds, and the certificate's chain, name and dates are good",
			Rule:   "fails where the BMC offers no protocol and cipher that fit; of a bad certificate it fails where the host's certificate verification is on, warns where it is off, and warns in the 30 days before expiry",
			Why:    "Metal3 cannot register a host whose certificate it does not trust; one that expires later stops its reconciliation then.",
			Remedy: "install a certificate that this machine and Metal3 trust, or set bmc.disable_certificate_verification",
		},
		{
			ID: "redirect", Needs: []string{"tls"}, perService: true, ask: askRedirect,
			Asks:   "whether the service root redirects",
			Rule:   "fails where it leads to another host, port or scheme: no credential is sent there; within the service it is followed",
			Why:    "Clients drop or leak credentials across hosts, and a POST that is redirected becomes a GET.",
			Remedy: "use the URL that the BMC redirects to",
		},
		{
			ID: "root", Needs: []string{"redirect"}, perService: true, ask: askRoot,
			Asks:   "whether /redfish/v1/ is a Redfish service root that states its RedfishVersion",
			Rule:   "fails where something else answers",
			Why:    "Everything else is found from there.",
			Remedy: "check host and port: this is not the BMC's Redfish service",
		},
		{
			ID: "auth", Needs: []string{"root", "credentials"}, perService: true, ask: askAuth,
			Asks:   "whether the BMC accepts the credential: by opening a session where sessions are advertised, else by exactly one GET with Basic",
			Rule:   "fails on 401, without a second attempt, since BMCs lock accounts; warns on 403",
			Why:    "Metal3 tries a wrong password again and again, and BMCs lock the account or block the address for that.",
			Remedy: "correct the user and password of this host's BMC",
		},
		{
			ID: "session", Needs: []string{"auth"}, perService: true, ask: askSession,
			Asks:   "whether a session opens and is deleted again, where sessions are advertised",
			Rule:   "warns where either does not work; fails where the session table is full",
			Why:    "Ironic opens sessions too: where none is to be had, registration fails with an error that comes and goes.",
			Remedy: "close sessions on the BMC, or reset it",
		},
	}
}
