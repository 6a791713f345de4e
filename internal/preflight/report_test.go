package preflight

import (
	"bytes"
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/site"
)

func aReport() Report {
	return New("lab", []redfish.Report{
		{Name: "w0", Address: "redfish://a", Status: redfish.Pass, Requests: 3, Checks: []redfish.Result{{ID: "tcp", Status: redfish.Pass, Seen: "connected"}, {ID: "link", Status: redfish.Unknown, Seen: "does not say"}}},
		{Name: "w1", Address: "redfish://b", Vendor: "Acme", Model: " R1 ", Status: redfish.Warn, Requests: 4, Checks: []redfish.Result{{ID: "power", Status: redfish.Warn, Seen: "On", Remedy: "turn it off"}}},
		{Name: "w2", Address: "redfish://c", Vendor: "Acme", Status: redfish.Fail, Checks: []redfish.Result{{ID: "tls", Status: redfish.Warn, Seen: "old", Remedy: "renew"}, {ID: "auth", Status: redfish.Fail, Seen: "HTTP 401\x1b[2J\uffff", Remedy: "mend"}, {ID: "system", Status: redfish.Skip, Seen: "not asked: auth failed"}}},
	}, []site.Report{{Area: "cluster", Status: redfish.Unknown, Checks: []redfish.Result{{ID: "hub", Status: redfish.Unknown, Seen: "no kubeconfig", Remedy: "build it"}}}}, 1500*time.Millisecond)
}

// The worst stands first, a failure before its warnings, and once more at the end; what nobody can do anything about is told
// with --verbose only.
func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := aReport().Text(&out, Table{}); err != nil {
		t.Fatal(err)
	}
	want := `✗ w2       Acme         1 fail, 1 warn, 1 skip    0.0s
    BMC       redfish://c
    fail      auth: HTTP 401 [2J
    do        mend
    warn      tls: old
    do        renew
? cluster               1 unknown                 0.0s
    unknown   hub: no kubeconfig
    do        build it
! w1       Acme R1      1 warn                    0.0s
    warn      power: On
    do        turn it off
✓ w0       redfish://a  1 unknown, 1 pass         0.0s

2 of 3 workers can be used · 1 failure · 2 warnings · 7 requests · 1.5s
✗ w2: auth: HTTP 401 [2J
  do: mend
`
	if got := strings.ReplaceAll(out.String(), "\uffff", ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	if err := aReport().Text(&out, Table{Verbose: true}); err != nil || !strings.Contains(out.String(), "unknown   link: does not say") || !strings.Contains(out.String(), "skip      system: ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// What a BMC says cannot break the XML.
func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := aReport().JUnit(&out); err != nil {
		t.Fatal(err)
	}
	var all junit.Testsuites
	if err := xml.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if all.Tests != 7 || all.Failures != 1 || all.Skipped != 3 || all.Suites[1].Testcases[0].SystemOut == nil {
		t.Errorf("%+v", all)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  Choice
		wrong string
	}{
		{nil, nil, ""},
		{[]string{"dns"}, Choice{"dns": {"lab-dns", "name-api", "name-api-int", "name-apps", "name-registry"}}, ""},
		{[]string{"bmc/dns", "boot-mac", "boot-mac"}, Choice{"bmc": {"dns", "boot-mac"}}, ""},
		{[]string{"images", "live-iso", "hub"}, Choice{"images": {"live-iso", "rootfs"}, "cluster": {"hub"}}, ""},
		{[]string{"images", "nothing"}, nil, "nothing"},
	} {
		got, wrong, _ := Choose(c.words)
		if wrong != c.wrong || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, %q", c.words, got, wrong)
		}
	}
}
