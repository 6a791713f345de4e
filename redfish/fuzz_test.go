package redfish

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// canned answers without a network: the fuzzed body for one path, the small tree for the others.
type canned struct {
	tree map[string][]byte
	path string
	body []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := c.tree[r.URL.Path]
	if r.URL.Path == c.path {
		body, ok = c.body, true
	}
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

// FuzzBodies puts any body at any resource: no check may panic, and each gives a known status and says what was seen.
func FuzzBodies(f *testing.F) {
	tree := map[string][]byte{}
	paths := []string{"/redfish/v1/"}
	for path := range bmctest.Small() {
		if path != bmctest.Root {
			paths = append(paths, path)
		}
	}
	encoded := bmctest.Small().JSON()
	for path, body := range encoded {
		if path == bmctest.Root {
			path += "/"
		}
		tree[path] = body
		for i := range paths {
			if paths[i] == path {
				f.Add(i, body)
			}
		}
	}
	f.Add(1, []byte(`{"Members":[{"@odata.id":"//x/"},{"@odata.id":"http://[::1"},{"@odata.id":""},{"@odata.id":"../.."}]}`))
	f.Add(2, []byte(`{"Actions":{"#ComputerSystem.Reset":{"target":"","@Redfish.ActionInfo":"%zz"}}}`))
	catalogue := Catalogue()
	f.Fuzz(func(t *testing.T, at int, body []byte) {
		h := Host{Name: "worker0", Address: "redfish-virtualmedia+http://192.0.2.1" + bmctest.System, BootMAC: bmctest.MAC,
			Credentials: Credentials{user, password}, BootMode: "UEFI", Image: "https://images.example/boot.iso", Minimum: Minimum{1, 1}, NeedsDisk: true}
		r := &run{opts: Options{}.withDefaults(), peers: newPeers([]Host{h})}
		s := r.services([]Host{h})[0]
		s.conn.client.Transport = canned{tree, paths[uint(at)%uint(len(paths))], body}
		s.shared = map[string]finding{"tcp": pass("not asked"), "tls": pass("not asked")} // there is no network
		s.probes[0].askAll(t.Context())
		report := s.probes[0].report
		if len(report.Checks) != len(catalogue) {
			t.Fatalf("%d results", len(report.Checks))
		}
		for _, c := range report.Checks {
			switch c.Status {
			case Pass, Warn, Fail, Skip, Unknown:
			default:
				t.Errorf("%s has the status %q", c.ID, c.Status)
			}
			if c.Seen == "" {
				t.Errorf("%s is %s and says nothing", c.ID, c.Status)
			}
			if c.Status == Fail && c.Remedy == "" {
				t.Errorf("%s fails without a remedy", c.ID)
			}
			for _, control := range []byte{0x1b, '\n', 0} {
				if bytes.IndexByte([]byte(c.Seen+c.Remedy), control) >= 0 {
					t.Errorf("%s shows a control character: %q", c.ID, c.Seen)
				}
			}
		}
	})
}
