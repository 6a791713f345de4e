package bmctest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// get reads a JSON object.
func get(t *testing.T, b *bmctest.BMC, path string) (int, map[string]any) {
	t.Helper()
	res, body, err := send(t, "GET", b.URL()+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%s: %s is no object: %v", path, body, err)
	}
	return res.StatusCode, out
}

// macs are the MACs that the members of a collection state, "-" for one that is a link only.
func macs(body map[string]any) (out []string) {
	members, _ := body["Members"].([]any)
	for _, m := range members {
		object, _ := m.(map[string]any)
		mac, ok := object["MACAddress"].(string)
		if !ok {
			mac = "-"
		}
		out = append(out, mac)
	}
	return out
}

func TestExpand(t *testing.T) {
	const second = "52:54:00:00:00:02"
	for _, test := range []struct {
		name       string
		expand     bmctest.Expand
		query      string
		advertised bool
		status     int
		macs       string
	}{
		{"not asked", bmctest.ExpandWorks, "", true, 200, "--"},
		{"subordinate", bmctest.ExpandWorks, "?$expand=.", true, 200, "AB"},
		{"all, with levels", bmctest.ExpandWorks, "?$expand=*($levels=1)", true, 200, "AB"},
		{"encoded", bmctest.ExpandWorks, "?" + url.QueryEscape("$expand") + "=.%28%24levels%3D1%29", true, 200, "AB"},
		{"links only", bmctest.ExpandWorks, "?$expand=~", true, 200, "--"},
		{"too deep", bmctest.ExpandWorks, "?$expand=.($levels=9)", true, 400, ""},
		{"no value", bmctest.ExpandWorks, "?$expand=x", true, 400, ""},
		{"not advertised", bmctest.ExpandNone, "?$expand=.", false, 200, "--"},
		{"refused", bmctest.ExpandRefused, "?$expand=.", true, 501, ""},
		{"invalid", bmctest.ExpandInvalid, "?$expand=.", true, 400, ""},
		{"ignored", bmctest.ExpandIgnored, "?$expand=.", true, 200, "--"},
		{"partial", bmctest.ExpandPartial, "?$expand=.", true, 200, "A-"},
		{"excerpts", bmctest.ExpandExcerpts, "?$expand=.", true, 200, "--"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Tree: bmctest.Small().AddNIC("2", second), Expand: test.expand})
			status, body := get(t, b, bmctest.NICs+test.query)
			got := ""
			for _, mac := range macs(body) {
				got += map[string]string{bmctest.MAC: "A", second: "B", "-": "-"}[mac]
			}
			if status != test.status || got != test.macs {
				t.Errorf("%d %q, want %d %q: %v", status, got, test.status, test.macs, body)
			}
			if b.Property(bmctest.Root, "ProtocolFeaturesSupported", "ExpandQuery", "NoLinks") != nil != test.advertised {
				t.Error("what the root advertises is wrong")
			}
		})
	}
}

func TestExpandLevels(t *testing.T) {
	b := start(t, bmctest.Config{Expand: bmctest.ExpandWorks})
	at := func(query string, names ...string) any {
		_, body := get(t, b, bmctest.System+query)
		var value any = body
		for _, name := range names {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		return value
	}
	if got, ok := at("?$expand=.", "EthernetInterfaces", "Members").([]any); !ok || len(got) != 1 || len(got[0].(map[string]any)) != 1 {
		t.Errorf("one level: the collection is to be there with links, not %v", got)
	}
	if got, ok := at("?$expand=.($levels=2)", "EthernetInterfaces", "Members").([]any); !ok || got[0].(map[string]any)["MACAddress"] != bmctest.MAC {
		t.Errorf("two levels: %v", got)
	}
	managed := at("?$expand=.", "Links", "ManagedBy").([]any)[0].(map[string]any)
	if len(managed) != 1 {
		t.Errorf("what stands in Links is not subordinate: %v", managed)
	}
	if managed := at("?$expand=~", "Links", "ManagedBy").([]any)[0].(map[string]any); managed["FirmwareVersion"] != "1.00" {
		t.Errorf("~: %v", managed)
	}
}

func TestPages(t *testing.T) {
	b := start(t, bmctest.Config{Tree: bmctest.Small().AddNIC("2", "52:54:00:00:00:02").AddNIC("3", "52:54:00:00:00:03"), PageSize: 2, Expand: bmctest.ExpandWorks})
	var all []string
	next := bmctest.NICs + "?$expand=."
	for range 3 {
		status, body := get(t, b, next)
		if status != http.StatusOK || body["Members@odata.count"] != 3.0 {
			t.Errorf("%s: %d, count %v", next, status, body["Members@odata.count"])
		}
		all = append(all, macs(body)...)
		var more bool
		if next, more = body["Members@odata.nextLink"].(string); !more {
			break
		}
	}
	if len(all) != 3 || all[2] != "52:54:00:00:00:03" || next != "" {
		t.Errorf("%v, and then %q", all, next)
	}
	if status, _ := get(t, b, bmctest.NICs+"?$skip=x"); status != 400 {
		t.Errorf("$skip=x: %d", status)
	}
}
