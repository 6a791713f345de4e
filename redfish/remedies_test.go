package redfish

import (
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// TestRemedies holds what is said to do against what was really seen.
func TestRemedies(t *testing.T) {
	plain := start(t, bmctest.Config{})
	for _, test := range []struct {
		name      string
		address   string // empty: the BMC's
		fault     *bmctest.Fault
		id, seen  string
		want, not string
	}{
		{"https asked of a plain port", strings.Replace(plain.Address(bmctest.System), "+http://", "+https://", 1), nil,
			"tls", "speaks no TLS", "use redfish-virtualmedia+http, or", "+https"},
		{"no answer", "", &bmctest.Fault{Kind: bmctest.Close}, "root", "closed the connection", "reset the BMC: it takes a connection and answers no request", "this is not"},
		{"an error", "", &bmctest.Fault{Status: 500}, "root", "HTTP 500", "wait until the BMC has started, or reset it", "this is not"},
		{"another server", "", &bmctest.Fault{Status: 404}, "root", "HTTP 404", "check host and port: this is not the BMC's Redfish service", "reset"},
		{"another page", "", &bmctest.Fault{Status: 200, Body: "<html>"}, "root", "no JSON object", "check host and port: this is not the BMC's Redfish service", "reset"},
		{"a Manager's path", "redfish-virtualmedia+http://[2001:db8::5]:8000/redfish/v1/Managers/1", nil, "address", "its path is a Manager's",
			"write redfish-virtualmedia+http://[2001:db8::5]:8000/redfish/v1/Systems/ID, with an ID that curl -gku USER http://[2001:db8::5]:8000/redfish/v1/Systems lists", "will do"},
		{"no path but a slash", "redfish-virtualmedia://192.0.2.5:8443/", nil, "address", "a system's is needed",
			"write redfish-virtualmedia://192.0.2.5:8443/redfish/v1/Systems/ID, with an ID that curl -gku USER https://192.0.2.5:8443/redfish/v1/Systems lists", "will do"},
		{"a Manager's path, https", "idrac-virtualmedia://192.0.2.5/redfish/v1/Managers/iDRAC.Embedded.1", nil, "address", "its path is a Manager's",
			"write idrac-virtualmedia://192.0.2.5/redfish/v1/Systems/ID, with an ID that curl -gku USER https://192.0.2.5/redfish/v1/Systems lists", "Managers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := bmctest.Config{}
			if test.fault != nil {
				test.fault.Path = bmctest.Root
				config.Faults = []bmctest.Fault{*test.fault}
			}
			h := hostAt(start(t, config))
			if test.address != "" {
				h.Address = test.address
			}
			r := ask(t, h, Options{})
			want(t, r, test.id, Fail, test.seen)
			want(t, r, test.id, Fail, "→ "+test.want)
			if remedy := r.Check(test.id).Remedy; strings.Contains(remedy, test.not) {
				t.Errorf("the remedy says %q: %s", test.not, remedy)
			}
		})
	}
}
