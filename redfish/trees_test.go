package redfish

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

var (
	nicPath     = regexp.MustCompile(`/EthernetInterfaces/[^/]+$|/NetworkAdapters/.+`)
	slotPath    = regexp.MustCompile(`/VirtualMedia/[^/]+$`)
	storagePath = regexp.MustCompile(`/Storage(/[^/]+)?$`)
)

// classify counts requests by what they are for.
func classify(requests []bmctest.Request) classes {
	var out classes
	for _, r := range requests {
		switch {
		case nicPath.MatchString(r.Path):
			out.nics++
		case slotPath.MatchString(r.Path):
			out.slots++
		case storagePath.MatchString(r.Path):
			out.storage++
		default:
			out.fixed++
		}
	}
	return out
}

// realTree is the crawl of a real BMC, where there are any; elsewhere the project's own small trees stand for themselves.
func realTree(t *testing.T, file string) bmctest.Tree {
	t.Helper()
	folder := os.Getenv("LABRUN_REDFISH_TREES")
	if folder == "" {
		t.Skip("LABRUN_REDFISH_TREES names no folder with trees of real BMCs")
	}
	tree, err := bmctest.ReadTree(filepath.Join(folder, file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestTreesOfRealBMCs asks crawls of real BMCs, in the most costly way: about a disk and an image with a name. Every result
// stands in the table with the property that decided it.
func TestTreesOfRealBMCs(t *testing.T) {
	for _, c := range crawls() {
		t.Run(c.file, func(t *testing.T) {
			tree := realTree(t, c.file)
			c.ask(t, tree)
			c.askAboutAnotherMAC(t, tree)
		})
	}
}

func (c crawl) start(t *testing.T, tree bmctest.Tree) (*bmctest.BMC, Host, Options) {
	t.Helper()
	config := bmctest.Config{Tree: tree, Sessions: true}
	if c.user != "" {
		config.Username, config.Password = c.user, password
	}
	b := start(t, config)
	h := hostAt(b)
	h.Address, h.BootMAC, h.Image = b.Address(bmctest.Systems+"/"+c.system), c.mac, "https://images.example:6183/redfish/boot-1.iso"
	if c.kind != "" {
		h.Address = strings.Replace(h.Address, "redfish-virtualmedia", c.kind, 1)
	}
	if c.user != "" {
		h.Credentials.Username = c.user
	}
	if c.mac == "" {
		h.BootMAC = bmctest.MAC
	}
	text, _ := tree[bmctest.Root+"/Managers/"+c.manager]["DateTime"].(string)
	taken, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return b, h, Options{Now: func() time.Time { return taken.Add(5 * time.Second) }} // as if asked when the crawl was taken
}

func (c crawl) ask(t *testing.T, tree bmctest.Tree) {
	b, h, opts := c.start(t, tree)
	r := ask(t, h, opts)
	table := slices.Concat(everyCrawl(c.kind), c.checks)
	for _, e := range table {
		want(t, r, e.check, e.status, e.seen)
	}
	for _, got := range r.Checks {
		if n := len(slices.DeleteFunc(slices.Clone(table), func(e expected) bool { return e.check != got.ID })); n != 1 {
			t.Errorf("%s stands in the table %d times", got.ID, n)
		}
	}
	if len(table) != len(r.Checks) {
		t.Errorf("%d results of %d in the table", len(r.Checks), len(table))
	}
	counted := classify(b.Requests())
	if counted != c.requests || counted.fixed > mostFixed || r.Requests != len(b.Requests()) {
		t.Errorf("%d requests reported, %d got, by class %+v, want %+v: %v", r.Requests, len(b.Requests()), counted, c.requests, b.Requests())
	}
	seen := map[string]bool{}
	for _, q := range b.Requests() {
		if seen[q.Method+q.Path] {
			t.Errorf("asked twice: %s", q)
		}
		seen[q.Method+q.Path] = true
	}
	if open, _ := b.Sessions(); open != 0 || r.Firmware == "" {
		t.Errorf("%d sessions left, firmware %q", open, r.Firmware)
	}
	t.Logf("%s %s %s: %s, %d requests: %+v", r.Vendor, r.Model, r.Firmware, r.Status, r.Requests, counted)
}

// askAboutAnotherMAC asks for a MAC that no machine has: that is known only of a BMC that lists interfaces.
func (c crawl) askAboutAnotherMAC(t *testing.T, tree bmctest.Tree) {
	_, h, opts := c.start(t, tree)
	h.BootMAC = "02:00:00:00:00:01"
	boot := ask(t, h, opts).Check("boot-mac")
	if expected := map[bool]Status{true: Unknown, false: Fail}[c.mac == ""]; boot.Status != expected || c.mac != "" && !strings.Contains(boot.Seen, "is not among") {
		t.Errorf("an unknown boot MAC is %s: %s", boot.Status, boot.Seen)
	}
}
