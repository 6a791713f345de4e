package faults

import (
	"net"
	"strings"

	"github.com/labrun/labrun/internal/sim/dns"
	"github.com/labrun/labrun/redfish/bmctest"
)

// All lists the faults. What Metal3 says was seen with baremetal-operator v0.6.0 and v0.13.1 and Ironic 32.0.1 and 39.0.0.
func All() []Fault {
	return append(reach(), further()...)
}

// reach are the faults of the way to the BMC.
func reach() []Fault {
	return []Fault{
		{
			ID: "wrong-password", Title: "wrong password", After: "2–11 s, with two failed logins a try", Area: "bmc",
			Words: "registration error: Failed to get power state for node U. Error: Redfish exception occurred. Error: HTTP GET http://HOST/redfish/v1/Systems/U returned code 401. Base.1.0.GeneralError: Incorrect username or password …",
			set:   func(l *lab) error { return l.passwordIn([]byte("not-the-password")) },
		},
		{
			ID: "wrong-system", Title: "wrong system id", After: "3–12 s", Area: "bmc",
			Words: "registration error: Failed to get power state for node U. Error: Redfish exception occurred. Error: Resource http://HOST/redfish/v1/Systems/U not found",
			set: func(l *lab) error {
				l.rewrite(func(a string) string { return strings.TrimSuffix(a, "/1") + "/17" })
				return nil
			},
		},
		{
			ID: "refused", Title: "connection refused", After: "**162 s**", Area: "bmc",
			Words: "registration error: Failed to get power state for node U. Error: Redfish connection failed for node U: Unable to connect to http://HOST/redfish/v1/. Error: HTTPConnectionPool(…): Max retries exceeded … [Errno 111] Connection refused\"))",
			set: func(l *lab) error {
				closed, err := net.Listen("tcp", "127.0.0.1:0") // a port that nobody else listens on, given back
				if err != nil {
					return err
				}
				l.bmcFact("address", "redfish-virtualmedia+http://"+closed.Addr().String()+bmctest.System)
				return closed.Close()
			},
		},
		{
			ID: "no-name", Title: "a name that does not resolve", After: "**222 s**", Area: "bmc",
			Words: "registration error: Failed to get power state for node U. Error: Redfish connection failed for node U: … NameResolutionError(… [Errno -2] Name or service not known)",
			set: func(l *lab) error {
				server, err := dns.Start("127.0.0.1")
				if err != nil {
					return err
				}
				l.ends = append(l.ends, func() { _ = server.Stop() })
				l.facts["dns"] = map[string]any{"server": server.Address()}
				l.bmcFact("address", "redfish-virtualmedia+https://bmc-worker1.hypershiftbm.lab"+bmctest.System)
				return nil
			},
		},
		{
			ID: "silent", Title: "accepts, never answers", After: "**not within 8 minutes** (53 minutes by computation)", Area: "bmc",
			set: func(l *lab) error {
				l.bmc.Faults = []bmctest.Fault{{Kind: bmctest.Hang}}
				return nil
			},
		},
		{
			ID: "self-signed", Title: "self-signed certificate, verification on", After: "68 s", Area: "bmc",
			Words: "registration error: … SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate …",
			set: func(l *lab) error {
				l.bmc.TLS = true
				return nil
			},
		},
		{
			ID: "https-of-http", Title: "https asked of an http BMC", After: "70 s", Area: "bmc",
			Words: "registration error: … SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number …",
			set: func(l *lab) error {
				l.rewrite(func(a string) string { return "redfish-virtualmedia+https://" + after(a, "://") })
				return nil
			},
		},
	}
}

// further are the faults of facts, media and images.
func further() []Fault {
	return []Fault{
		{
			ID: "no-credential", Title: "no credential", After: "5 s", Area: "bmc",
			Words: "registration error: BMC CredentialsName secret doesn't exist The BMC secret NS/NAME does not exist",
			set:   func(l *lab) error { return l.passwordIn(nil) },
		},
		{
			ID: "empty-password", Title: "empty password", After: "0.5 s", Area: "bmc",
			Words: "registration error: Validation error with BMC credentials: Missing BMC connection details 'password' in credentials",
			set:   func(l *lab) error { return l.passwordIn([]byte("\n")) },
		},
		{
			ID: "bad-scheme", Title: "bad scheme", After: "as soon as a run comes to the hosts", Area: "bmc",
			Words: "registration error: failed to parse BMC address information: Unknown BMC type 'foo' for address foo://…",
			set: func(l *lab) error {
				l.rewrite(func(a string) string { return "foo://" + after(a, "://") })
				return nil
			},
		},
		{
			ID: "one-mac", Title: "two hosts, one MAC", After: "as soon as a run comes to the hosts", Area: "bmc",
			Words: "registration error: MAC address 52:54:00:00:00:18 conflicts with existing node NS~NAME",
			set: func(l *lab) error {
				l.change = func(w map[string]any) { w["boot_mac"] = mac(0) }
				return nil
			},
		},
		{
			ID: "no-media", Title: "no virtual media", After: "28–55 s, but only when it provisions: it registers as available, OK", Area: "bmc",
			Words: "provisioning error: Image provisioning failed: Deploy step deploy.deploy failed with MissingAttributeError: The attribute Links/ManagedBy is missing from the resource /redfish/v1/Systems/U. …",
			set: func(l *lab) error {
				l.bmc.Tree.Unset(bmctest.System, "VirtualMedia").Unset(bmctest.System, "Links", "ManagedBy")
				return nil
			},
		},
		{
			ID: "floppy", Title: "only a floppy slot", After: "28 s, but only when it provisions", Area: "bmc",
			Words: "provisioning error: Image provisioning failed: Deploy step deploy.deploy failed: No suitable virtual media device found.",
			set: func(l *lab) error {
				l.bmc.Tree.Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes")
				return nil
			},
		},
		{
			ID: "insert-400", Title: "insert answers 400", After: "28 s, but only when it provisions", Area: "bmc", Active: true,
			Words: "provisioning error: Image provisioning failed: Deploy step deploy.deploy failed: All virtual media mount attempts failed. Most recent error: Inserting virtual media into VirtualMediaType.CD failed for node U, moving to next virtual media device, if available. HTTP POST …/Actions/VirtualMedia.InsertMedia returned code 400. …",
			set: func(l *lab) error {
				l.bmc.Faults = []bmctest.Fault{{Kind: bmctest.Status, Method: "POST", Path: bmctest.Slot + "/Actions/VirtualMedia.InsertMedia", Status: 400,
					Body: `{"error": {"code": "Base.1.0.ActionNotSupported", "message": "The action InsertMedia is not supported by the resource."}}`}}
				return nil
			},
		},
		{
			ID: "image-404", Title: "image 404", After: "28–34 s, but only when it provisions", Area: "images",
			Words: "provisioning error: Image provisioning failed: Deploy step deploy.deploy failed: Validation of image href http://…/nope.iso failed, reason: Got HTTP code 404 instead of 200 in response to HEAD request.",
			set: func(l *lab) error {
				url := l.web()
				l.facts["release"] = map[string]any{"rhcos": map[string]any{"live_iso": url + "/nope.iso", "rootfs": url + "/nope.img"}}
				return nil
			},
		},
	}
}
