package redfish

import (
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

const secondMAC = "52:54:00:00:00:02"

// modest is a small tree without some of what every check may do without: there is room in its budget for tries and pages.
func modest() bmctest.Tree {
	return bmctest.Small().Unset(bmctest.Manager, "NetworkProtocol").Unset(bmctest.System, "SecureBoot")
}

// rich is a tree with two interfaces, the second of which is the boot one, and two slots, the second of which takes a CD.
func rich(tree bmctest.Tree) bmctest.Tree {
	tree.AddNIC("2", secondMAC).Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes")
	tree.AddSlot(bmctest.Media, "Second", "CD")
	return tree
}

// unasked is a tree whose interfaces stand in their collection, as HPE's do in some firmware.
func unasked() bmctest.Tree {
	tree := rich(modest())
	return tree.Set(bmctest.NICs, []any{tree[bmctest.NIC], tree[bmctest.NICs+"/2"]}, "Members")
}

// results are the statuses and findings of a report, without those that count requests or time, or name the port.
func results(r Report) (out []string) {
	for _, c := range r.Checks {
		if !contains([]string{"address", "tcp", "clock", "latency"}, c.ID) {
			out = append(out, c.ID+" "+string(c.Status)+": "+c.Seen)
		}
	}
	return out
}

// Whatever a BMC makes of $expand, the answers are the same, nothing is asked twice, and the requests are these.
func TestExpand(t *testing.T) {
	withoutActions := func() bmctest.Tree {
		return rich(modest()).Unset(bmctest.Slot, "Actions").Unset(bmctest.Media+"/Second", "Actions")
	}
	for _, test := range []struct {
		name   string
		config bmctest.Config
		fewer  int // requests than without $expand; below 0: more
	}{
		{"not advertised", bmctest.Config{}, 0},
		{"works", bmctest.Config{Expand: bmctest.ExpandWorks}, 4},
		{"refused with 501", bmctest.Config{Expand: bmctest.ExpandRefused}, -1},
		{"refused with 400", bmctest.Config{Expand: bmctest.ExpandInvalid}, -1},
		{"ignored", bmctest.Config{Expand: bmctest.ExpandIgnored}, 0},
		{"the first member only", bmctest.Config{Expand: bmctest.ExpandPartial}, 2},
		{"excerpts", bmctest.Config{Expand: bmctest.ExpandExcerpts}, 0},
		{"breaks off", bmctest.Config{Expand: bmctest.ExpandWorks, Faults: []bmctest.Fault{{Kind: bmctest.HalfBody, Query: "$expand"}}}, -1},
		{"is garbage", bmctest.Config{Expand: bmctest.ExpandWorks, Faults: []bmctest.Fault{{Status: 200, Body: "<html>", Query: "$expand"}}}, -1},
		{"members of a wrong type", bmctest.Config{Expand: bmctest.ExpandWorks,
			Faults: []bmctest.Fault{{Kind: bmctest.Replace, Query: "$expand", Property: []string{"Members"}, Value: "none"}}}, -1},
		{"members are missing", bmctest.Config{Expand: bmctest.ExpandWorks,
			Faults: []bmctest.Fault{{Kind: bmctest.Replace, Query: "$expand", Property: []string{"Members"}, Value: []any{}}}}, -1},
		{"pages", bmctest.Config{Expand: bmctest.ExpandWorks, PageSize: 1}, 2},
		{"pages without it", bmctest.Config{PageSize: 1}, -2},
		{"unasked", bmctest.Config{Tree: unasked()}, 2},
		// without an action, a slot's own headers say whether it takes a PATCH: those of the CD, not of the floppy
		{"no actions", bmctest.Config{Expand: bmctest.ExpandWorks, Tree: withoutActions(), Patch: true}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := rich(modest())
			if test.config.Tree != nil && test.config.Patch {
				tree = test.config.Tree
			}
			if test.config.Tree == nil {
				test.config.Tree = tree
			}
			plain := start(t, bmctest.Config{Tree: tree, Patch: test.config.Patch, Sessions: true})
			test.config.Sessions = true
			b := start(t, test.config)
			other, h := hostAt(plain), hostAt(b)
			other.BootMAC, h.BootMAC = secondMAC, secondMAC
			expected, r := ask(t, other, Options{}), ask(t, h, Options{})
			for i, got := range results(r) {
				if want := results(expected)[i]; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
			if r.Status != Pass {
				t.Errorf("the status is %s", r.Status)
			}
			if twice := b.Twice(); len(twice) > 0 {
				t.Errorf("asked twice: %v", twice)
			}
			if fewer := expected.Requests - r.Requests; fewer != test.fewer || r.Requests != len(b.Requests()) {
				t.Errorf("%d requests, %d fewer than without, want %d: %v", r.Requests, fewer, test.fewer, b.Requests())
			}
		})
	}
}

// Crawls of real BMCs say the same with $expand as without, in fewer requests.
func TestExpandOnTreesOfRealBMCs(t *testing.T) {
	for _, c := range crawls() {
		t.Run(c.file, func(t *testing.T) {
			tree := realTree(t, c.file)
			plain, h, opts := c.start(t, tree)
			expected := ask(t, h, opts)
			b := start(t, bmctest.Config{Tree: tree, Sessions: true, Expand: bmctest.ExpandWorks, Username: h.Credentials.Username, Password: password})
			h.Address = strings.ReplaceAll(h.Address, plain.URL()[len("http://"):], b.URL()[len("http://"):])
			r := ask(t, h, opts)
			for i, got := range r.Checks { // what was seen may be more, with all members at hand
				if without := expected.Checks[i]; got.Status != without.Status {
					t.Errorf("with $expand %+v, without %+v", got, without)
				}
			}
			with, without := classify(b.Requests()), classify(plain.Requests())
			if r.Requests >= expected.Requests || with.fixed > mostFixed || len(b.Twice()) != 0 {
				t.Errorf("with $expand %+v, without %+v, asked twice: %v", with, without, b.Twice())
			}
			t.Logf("with $expand %+v, without %+v", with, without)
		})
	}
}

func TestExpandQuery(t *testing.T) {
	for _, test := range []struct {
		features map[string]any
		query    string
	}{
		{nil, ""},
		{map[string]any{"ExpandAll": false, "Levels": false, "Links": false, "NoLinks": false}, ""},      // OpenBMC
		{map[string]any{"ExpandAll": false, "Levels": true, "NoLinks": true}, "$expand=.($levels=1)"},    // iLO 5
		{map[string]any{"ExpandAll": true, "Levels": true, "NoLinks": true}, "$expand=.($levels=1)"},     // iDRAC 9
		{map[string]any{"ExpandAll": true, "Levels": true, "NoLinks": false}, "$expand=*($levels=1)"},    //
		{map[string]any{"NoLinks": true}, "$expand=."},                                                   //
		{map[string]any{"Links": true}, ""},                                                              // members are no Links
		{map[string]any{"NoLinks": "true", "ExpandAll": nil, "Levels": 1}, ""},                           // wrong types are no promise
		{map[string]any{"NoLinks": map[string]any{}, "ExpandAll": true, "Levels": []any{}}, "$expand=*"}, //
	} {
		root := &resource{path: serviceRoot, body: map[string]any{"ProtocolFeaturesSupported": map[string]any{"ExpandQuery": test.features}}}
		if got := expandQuery(root); got != test.query {
			t.Errorf("%v: %q, want %q", test.features, got, test.query)
		}
	}
}

// A chain of pages that bites its own tail ends, and what is not known is not claimed.
func TestPagesThatDoNotEnd(t *testing.T) {
	for name, next := range map[string]any{
		"itself":        bmctest.NICs,
		"another host":  "http://192.0.2.1/redfish/v1/next",
		"not there":     bmctest.NICs + "/next",
		"no collection": bmctest.System,
	} {
		tree := rich(modest()).Set(bmctest.NICs, next, "Members@odata.nextLink")
		b := start(t, bmctest.Config{Tree: tree})
		h := hostAt(b)
		h.BootMAC = "52:54:00:00:00:09"
		want(t, ask(t, h, Options{}), "boot-mac", Unknown, "")
		if n := b.Count("GET", bmctest.NICs); n > 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// Members that a collection brings are those it names, whatever else stands in them.
func TestKeepMembers(t *testing.T) {
	c := testConn(t)
	c.cache = map[string]answer{"/redfish/v1/c/known": {resource: &resource{path: "first"}}}
	collection, err := decode("/redfish/v1/c", nil, []byte(`{"Members": [
		{"@odata.id": "/redfish/v1/c/1", "@odata.type": "#X.v1.X", "@odata.etag": "W/1", "Size": null},
		{"@odata.id": "/redfish/v1/c/known", "@odata.type": "#X.v1.X", "Size": 1},
		{"@odata.id": "/redfish/v1/c/link"},
		{"@odata.id": "/redfish/v1/c/excerpt", "@odata.type": "#X.v1.X", "Id": "x", "Name": "x", "Description": "x", "Size@Redfish.AllowableValues": []},
		{"@odata.id": "/redfish/v1/c/failed", "@odata.type": "#X.v1.X", "error": {"code": "x"}},
		{"@odata.id": "http://192.0.2.1/redfish/v1/c/far", "@odata.type": "#X.v1.X", "Size": 1},
		{"@odata.id": 7, "@odata.type": "#X.v1.X", "Size": 1}, null, "x", []]}`))
	if err != nil {
		t.Fatal(err)
	}
	c.keepMembers(collection)
	var keys []string
	for key := range c.cache {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if got := strings.Join(keys, " "); got != "/redfish/v1/c/1 /redfish/v1/c/known" {
		t.Error(got)
	}
	if m := c.cache["/redfish/v1/c/1"].resource; !m.expanded || m.header.Get("ETag") != "W/1" || m.path != "/redfish/v1/c/1" {
		t.Errorf("%+v", m)
	}
	if c.cache["/redfish/v1/c/known"].resource.path != "first" {
		t.Error("what was read by itself is replaced")
	}
}

func testConn(t testing.TB) *conn {
	t.Helper()
	h := Host{Address: "redfish-virtualmedia://192.0.2.1" + bmctest.System, Credentials: Credentials{user, password}}
	address, err := ParseAddress(h.Address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConn(h, address, Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
