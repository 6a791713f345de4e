package redfish

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ address, url, system string }{
		{"redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1", "https://192.0.2.5", "/redfish/v1/Systems/1"},
		{"redfish-virtualmedia+http://192.0.2.5:8000/redfish/v1/Systems/1", "http://192.0.2.5:8000", "/redfish/v1/Systems/1"},
		{"redfish-virtualmedia+https://[2620:52:0:1305::1]:9000/redfish/v1/Systems/a-b", "https://[2620:52:0:1305::1]:9000", "/redfish/v1/Systems/a-b"},
		{"redfish-virtualmedia://[2001:db8::1]/redfish/v1/Systems/1", "https://[2001:db8::1]", "/redfish/v1/Systems/1"},
		{"idrac-virtualmedia://bmc1.example.com/redfish/v1/Systems/System.Embedded.1", "https://bmc1.example.com", "/redfish/v1/Systems/System.Embedded.1"},
		{"ilo5-virtualmedia://bmc1/redfish/v1/Systems/1", "https://bmc1", "/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://bmc1:443", "https://bmc1", ""},
	} {
		a, err := ParseAddress(test.address)
		if err != nil {
			t.Errorf("%s: %v", test.address, err)
			continue
		}
		if a.URL() != test.url || a.System != test.system {
			t.Errorf("%s: got %s %s, want %s %s", test.address, a.URL(), a.System, test.url, test.system)
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("%s: read again from %s it is %+v, %v", test.address, a, again, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, test := range []struct{ address, problem, corrected string }{
		{"", "empty", ""},
		{" redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1", "white space", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"192.0.2.5", "IPMI", "redfish-virtualmedia://192.0.2.5"},
		{"192.0.2.5:8000", "IPMI", "redfish-virtualmedia://192.0.2.5:8000"},
		{"ipmi://192.0.2.5", "no Redfish virtual media", "redfish-virtualmedia://192.0.2.5"},
		{"redfish://192.0.2.5/redfish/v1/Systems/1", "no Redfish virtual media", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish+http://192.0.2.5/redfish/v1/Systems/1", "no Redfish virtual media", "redfish-virtualmedia+http://192.0.2.5/redfish/v1/Systems/1"},
		{"idrac-redfish://192.0.2.5/redfish/v1/Systems/1", "no Redfish virtual media", "idrac-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"ilo4-virtualmedia://192.0.2.5/redfish/v1/Systems/1", "no Redfish virtual media", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"https://192.0.2.5/redfish/v1/Systems/1", `scheme "https"`, "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"http://192.0.2.5:8000/redfish/v1/Systems/1", `scheme "http"`, "redfish-virtualmedia+http://192.0.2.5:8000/redfish/v1/Systems/1"},
		{"foo://192.0.2.5/redfish/v1/Systems/1", "Unknown BMC type 'foo'", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia:///redfish/v1/Systems/1", "no host", ""},
		{"redfish-virtualmedia://192.0.2.5:99999/redfish/v1/Systems/1", "port 99999", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://192.0.2.5:0/redfish/v1/Systems/1", "port 0", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://192.0.2.5:/redfish/v1/Systems/1", "port is missing", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://192.0.2.5:x/redfish/v1/Systems/1", "Metal3 refuses it", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://root:calvin@192.0.2.5/redfish/v1/Systems/1", "user info", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://root:cal/vin@192.0.2.5/redfish/v1/Systems/1", "user info", ""},
		{"redfish-virtualmedia://192.0.2.5/redfish/v1/Managers/1", "Manager", "redfish-virtualmedia://192.0.2.5"},
		{"redfish-virtualmedia://192.0.2.5/", `path is "/"`, "redfish-virtualmedia://192.0.2.5"},
		{"redfish-virtualmedia://2001:db8::1/redfish/v1/Systems/1", "without brackets", "redfish-virtualmedia://[2001:db8::1]/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://2620:52:0:1305::1:9000/redfish/v1/Systems/1", "without brackets", "redfish-virtualmedia://[2620:52:0:1305::1]:9000/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://[fe80::1%25eth0]/redfish/v1/Systems/1", "zone id", ""},
		{"redfish-virtualmedia://bmc_1/redfish/v1/Systems/1", "is invalid", ""},
		{"redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1?a=b", "query", "redfish-virtualmedia://192.0.2.5/redfish/v1/Systems/1"},
	} {
		_, err := ParseAddress(test.address)
		var bad *AddressError
		if !errors.As(err, &bad) {
			t.Errorf("%q: accepted, or another error: %v", test.address, err)
			continue
		}
		if !strings.Contains(bad.Problem, test.problem) || bad.Corrected != test.corrected {
			t.Errorf("%q: got %q, corrected %q; want %q, corrected %q", test.address, bad.Problem, bad.Corrected, test.problem, test.corrected)
		}
		for _, secret := range []string{"calvin", "vin@", "root:"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q: the error holds %q: %v", test.address, secret, err)
			}
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{
		"redfish-virtualmedia+http://[::1]:8000/redfish/v1/Systems/1", "192.0.2.5:80", "2001:db8::1", "://", "a:b@c", "ipmi:[", "redfish-virtualmedia://%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		a, err := ParseAddress(address)
		var bad *AddressError
		switch {
		case err == nil:
			if a.Host == "" || a.Port < 1 || a.Port > 65535 || a.Scheme != "http" && a.Scheme != "https" {
				t.Errorf("%q: accepted as %+v", address, a)
			}
		case !errors.As(err, &bad):
			t.Errorf("%q: %T is no *AddressError", address, err)
		case bad.Corrected != "":
			if _, err := ParseAddress(bad.Corrected); err != nil {
				t.Errorf("%q: corrected to %q, which is refused: %v", address, bad.Corrected, err)
			}
		}
	})
}
