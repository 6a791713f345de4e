package redfish

// mediaChecks ask about virtual media.
func mediaChecks() []Check {
	return []Check{
		{
			ID: "media", Needs: []string{"system"}, ask: askMedia,
			Asks:   "whether the system, or where it links to none one of its Managers, has virtual media",
			Rule:   "fails where there is no slot, and where the system names no Manager",
			Why:    "Metal3 boots the host from an image in virtual media, and says only when it provisions that there is none.",
			Remedy: "update the BMC's firmware, or install the licence that virtual media needs",
		},
		{
			ID: "media-type", Needs: []string{"media"}, ask: askMediaType,
			Asks:   "whether a slot takes a CD or DVD",
			Rule:   "fails where all slots say that they do not; warns where a slot does not say",
			Why:    "An ISO boots from a CD or DVD drive only.",
			Remedy: "update the BMC's firmware, or enable its virtual CD",
		},
		{
			ID: "media-action", Needs: []string{"media-type"}, ask: askMediaAction,
			Asks:   "whether an image can be inserted into such a slot: by the InsertMedia action or by PATCH",
			Rule:   "fails where neither is there: a PATCH counts where the Allow header names it, or the BMC is a Lenovo's; fails where an action has no target; warns where the first such slot has neither and a later one has; a missing EjectMedia action on an empty slot is normal",
			Why:    "Without it the image cannot be put into the drive; Metal3 says so only when it provisions.",
			Remedy: "update the BMC's firmware",
		},
		{
			ID: "media-busy", Needs: []string{"media-type"}, ask: askMediaBusy,
			Asks:   "whether such slots are free, the system's and its Managers'",
			Rule:   "gives the worst of them: warns where an image is in one (this lab's own is right where the host has its BareMetalHost already); fails where a person's console holds one, with no image or one that is no URL",
			Why:    "Ironic ejects what it finds: somebody's installation would lose its medium, or the console that holds the drive keeps Ironic out.",
			Remedy: "eject the image",
		},
		{
			ID: "media-service", Needs: []string{"system"}, ask: askMediaService,
			Asks:   "whether virtual media is switched on as a whole: the Manager's NetworkProtocol, AMI's RMediaStatus, an iDRAC's VirtualMedia.1",
			Rule:   "fails where one of them says that it is off",
			Why:    "A BMC with virtual media switched off accepts an image and shows it to nobody, or lists no slots.",
			Remedy: "enable virtual media in the BMC's settings",
		},
	}
}

// imageChecks ask about the URL that the BMC will fetch. Where that is not known yet, they are unknown.
func imageChecks() []Check {
	return []Check{
		{
			ID: "media-protocol", Needs: []string{"media-type"}, ask: askMediaProtocol,
			Asks:   "whether the slot takes the scheme of the image's URL, by the stated values of TransferProtocolType",
			Rule:   "fails where the values are stated and lack it",
			Why:    "The BMC would refuse the image, or take another protocol for it.",
			Remedy: "serve the image over a protocol that the BMC takes: http, as a rule",
		},
		{
			ID: "media-cert", Needs: []string{"media-type"}, ask: askMediaCert,
			Asks:   "whether the slot verifies certificates (VerifyCertificate, AcceptSelfSigned, RFS.1.IgnoreCertWarning), where the image is served over https",
			Rule:   "warns where it does: the certificates of Ironic and of a lab's own servers come from no CA that a BMC knows",
			Why:    "The BMC refuses to fetch the image, mostly without a word of certificates.",
			Remedy: "give the BMC the CA, turn VerifyCertificate off, or serve the image over http (Provisioning: disableVirtualMediaTLS)",
		},
		{
			ID: "image-url", ask: askImageURL,
			Asks:   "the URL of the image that the BMC will fetch",
			Rule:   "warns where its path does not end in .iso, where it has a query string, and where its host is a name that the BMC must resolve",
			Why:    "BMCs tell an ISO by its ending, cut off query strings, and often have no name servers.",
			Remedy: "give the image's URL with an address and an ending of .iso",
		},
		{
			ID: "bmc-dns", Needs: []string{"system"}, ask: askBMCDNS,
			Asks:   "whether the Manager's interfaces have a name server, where the image's URL has a name",
			Rule:   "fails where they have none",
			Why:    "The BMC cannot find the image's server, and calls that a wrong path or a wrong password.",
			Remedy: "use an address in the image's URL, or give the BMC a name server",
		},
	}
}
