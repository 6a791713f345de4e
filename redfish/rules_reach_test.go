package redfish

import (
	"crypto/x509"
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

func encrypted(s *scene) { s.config.TLS = true }

func atName(name string) func(*scene) {
	return host(func(h *Host) { h.Address = strings.Replace(h.Address, "127.0.0.1", name, 1) })
}

func reachRules(t *testing.T) []rule {
	root := func(f bmctest.Fault) func(*scene) { f.Path = bmctest.Root; return broken(f) }
	posting := func(status int, body string) func(*scene) {
		return broken(bmctest.Fault{Method: "POST", Path: bmctest.Sessions, Status: status, Body: body})
	}
	basic := func(s *scene) { s.config.Sessions = false }
	return []rule{
		{"address", passes, well, Pass, "redfish-virtualmedia+http, 127.0.0.1", nil},
		{"address", fires, host(func(h *Host) { h.Address = "192.0.2.1" }), Fail, "redfish-virtualmedia://192.0.2.1", nil},

		{"duplicate", passes, well, Pass, "shared with no other host", nil},
		{"duplicate", fires, func(s *scene) { s.peers = []Host{{Name: "worker0", Address: "192.0.2.1"}} }, Fail, "name worker0", nil},

		{"credentials", passes, well, Pass, "are there", nil},
		{"credentials", fires, host(func(h *Host) { h.Credentials.Password += "\n" }), Warn, "ends in a newline", nil},

		{"dns", passes, atName("localhost"), Pass, "localhost is 127.0.0.1", nil},
		{"dns", fires, all(atName("nowhere.invalid"), func(s *scene) { s.opts.Resolver = resolver(t) }), Fail, "nowhere.invalid does not resolve", nil},

		{"tcp", passes, well, Pass, "connected to 127.0.0.1", nil},
		{"tcp", fires, host(func(h *Host) { h.Address = "redfish-virtualmedia://" + closedPort(t) }), Fail, "refuses the connection", nil},

		{"tls", passes, encrypted, Pass, "good until", nil},
		{"tls", fires, all(encrypted, host(func(h *Host) { h.RootCAs = x509.NewCertPool() })), Fail, "unknown authority", nil},

		{"redirect", passes, well, Pass, "none", nil},
		{"redirect", fires, root(bmctest.Fault{Kind: bmctest.Redirect, Location: "https://192.0.2.9/redfish/v1/"}), Fail, "redirects to https://192.0.2.9", nil},
		{"redirect", silent, root(bmctest.Fault{Kind: bmctest.Close}), Unknown, "closed the connection", nil},

		{"root", passes, well, Pass, "RedfishVersion 1.5.0", nil},
		{"root", fires, root(bmctest.Fault{Status: 200, Body: "<html>"}), Fail, "no JSON object", nil},
		{"root", silent, tree(unset(bmctest.Root, "RedfishVersion")), Unknown, "RedfishVersion is missing", nil},

		{"auth", passes, well, Pass, "POST /redfish/v1/SessionService/Sessions: accepted", nil},
		{"auth", fires, host(func(h *Host) { h.Credentials.Password = "wrong" }), Fail, "HTTP 401", nil},
		{"auth", silent, all(basic, broken(bmctest.Fault{Path: bmctest.Systems, Status: 404})), Unknown, "HTTP 404", nil},

		{"session", passes, well, Pass, "deleted at the end", nil},
		{"session", fires, posting(503, `{"error": {"code": "Base.1.0.SessionLimitExceeded", "message": "too many"}}`), Fail, "too many", nil},
		{"session", silent, basic, Skip, "names no session collection", nil},
	}
}

func systemRules() []rule {
	const (
		reset   = "#ComputerSystem.Reset"
		inline  = "ResetType@Redfish.AllowableValues"
		targets = "BootSourceOverrideTarget@Redfish.AllowableValues"
	)
	return []rule{
		{"system", passes, well, Pass, bmctest.System, nil},
		{"system", fires, tree(unset(bmctest.System)), Fail, "HTTP 404", nil},
		{"system", silent, tree(unset(bmctest.System, "@odata.type")), Unknown, "@odata.type is missing", nil},

		{"power", passes, well, Pass, "PowerState Off", nil},
		{"power", fires, tree(set(bmctest.System, nil, "PowerState")), Fail, "PowerState is null", nil},
		{"power", silent, tree(unset(bmctest.System, "PowerState")), Unknown, "PowerState is missing", nil},

		{"health", passes, well, Pass, "Health OK, State Enabled", nil},
		{"health", fires, tree(set(bmctest.System, "Critical", "Status", "Health")), Warn, "Health Critical", nil},
		{"health", silent, tree(unset(bmctest.System, "Status")), Unknown, "Status.Health is missing", nil},

		{"reset", passes, well, Pass, "takes On and ForceOff", nil},
		{"reset", fires, tree(set(bmctest.System, []any{"On"}, "Actions", reset, inline)), Fail, "lacks ForceOff", nil},
		{"reset", silent, tree(unset(bmctest.System, "Actions", reset, inline)), Unknown, "not stated", nil},

		{"boot-mac", passes, well, Pass, "is " + bmctest.NIC, nil},
		{"boot-mac", fires, tree(set(bmctest.NIC, "52:54:00:99:99:99", "MACAddress")), Fail, "is not among 52:54:00:99:99:99", nil},
		{"boot-mac", silent, tree(set(bmctest.NICs, []any{}, "Members")), Unknown, "lists no interface", nil},

		{"link", passes, well, Pass, "LinkStatus LinkUp", nil},
		{"link", fires, tree(set(bmctest.NIC, "LinkDown", "LinkStatus")), Warn, "LinkStatus LinkDown", nil},
		{"link", silent, tree(unset(bmctest.NIC, "LinkStatus")), Unknown, "LinkStatus is missing", nil},

		{"boot-override", passes, well, Pass, "takes Cd", nil},
		{"boot-override", fires, tree(set(bmctest.System, []any{"None", "Pxe"}, "Boot", targets)), Fail, "takes None, Pxe", nil},
		{"boot-override", silent, tree(unset(bmctest.System, "Boot", targets)), Unknown, "is missing", nil},

		{"boot-mode", passes, well, Pass, "BootSourceOverrideMode UEFI", nil},
		{"boot-mode", fires, tree(set(bmctest.System, "Legacy", "Boot", "BootSourceOverrideMode")), Warn, "Legacy, and UEFI is asked for", nil},
		{"boot-mode", silent, tree(unset(bmctest.System, "Boot", "BootSourceOverrideMode")), Unknown, "BootSourceOverrideMode is missing", nil},

		{"secure-boot", passes, well, Pass, "SecureBootEnable false", nil},
		{"secure-boot", fires, all(mode("UEFISecureBoot"), broken(bmctest.Fault{Path: bmctest.SecureBoot, Status: 501})), Fail, "HTTP 501", nil},
		{"secure-boot", silent, tree(unset(bmctest.System, "SecureBoot")), Unknown, "SecureBoot.@odata.id is missing", nil},
	}
}
