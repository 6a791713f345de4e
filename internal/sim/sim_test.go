package sim_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/simtest"
	"github.com/labrun/labrun/labs"
	"sigs.k8s.io/yaml"
)

// facts are a small IPv4 lab's, as the loader gives them.
func facts(t *testing.T, name string, octet string) *labs.Facts {
	t.Helper()
	t.Setenv("BMC_PASSWORD", "bmc-of-the-lab")
	pull := filepath.Join(t.TempDir(), "pull-secret.json")
	if err := os.WriteFile(pull, []byte(`{"auths":{"registry.example":{"auth":"bGFiOm9mLXRoZS1sYWI="}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &labs.Facts{
		Stack: labs.IPv4, Domain: "lab.example",
		PullSecret: labs.SecretRef{File: labs.Path(pull)},
		SSHKey:     labs.PublicKey{Text: "ssh-ed25519 AAAA lab"},
		MCE:        labs.MCE{Namespace: "multicluster-engine", Channel: "stable-2.10", Catalog: "catalog-" + name, CatalogNamespace: "openshift-marketplace"},
		Hosted:     labs.HostedCluster{Name: name, Namespace: "clusters", NodeDrainTimeout: labs.Duration{Duration: 1}},
		Release: labs.Release{
			Image: "quay.io/openshift-release-dev/ocp-release:4.20.3-x86_64", Version: "4.20.3", Arch: "x86_64",
			RHCOS: labs.RHCOS{Version: "9.6", ISO: "http://x/iso", RootFS: "http://x/rootfs"},
		},
		Workers: []labs.Worker{{
			Name: "worker0", BootMAC: labs.MAC("52:54:00:00:00:" + octet),
			BMC: labs.BMC{
				Address:     "idrac-virtualmedia+https://192.0.2.1/redfish/v1/Systems/System.Embedded.1",
				Credentials: labs.BMCCredentials{Username: "root", Password: labs.SecretRef{Env: "BMC_PASSWORD"}},
			},
		}},
	}
	for to, cidr := range map[*[]labs.CIDR]string{&f.Networks.Machine: "192.0.2.0/24", &f.Networks.Cluster: "10.132.0.0/14", &f.Networks.Service: "172.31.0.0/16"} {
		var c labs.CIDR
		if err := c.UnmarshalText([]byte(cidr)); err != nil {
			t.Fatal(err)
		}
		*to = []labs.CIDR{c}
	}
	for _, p := range labs.Complete(name, f) {
		t.Fatalf("%s: %s", p.Path, p.Message)
	}
	return f
}

// TestJoin runs two labs on one management cluster.
func TestJoin(t *testing.T) {
	first := simtest.ForTest(t, sim.Options{Facts: facts(t, "first", "01")})
	second := simtest.ForTest(t, sim.Options{Facts: facts(t, "second", "02"), Hub: first})
	if first.Hub() != second.Hub() || first.DNS() != second.DNS() {
		t.Error("the second lab has a management cluster or name server of its own")
	}
	if first.Machines()[0].BMC == second.Machines()[0].BMC || first.Machines()[0].UUID == second.Machines()[0].UUID {
		t.Errorf("the labs share a BMC: %+v, %+v", first.Machines()[0], second.Machines()[0])
	}
	var values struct {
		Lab struct {
			Workers []struct {
				Name string
				BMC  struct {
					Address     string
					Credentials struct{ Password map[string]any }
					Insecure    bool `json:"disable_certificate_verification"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(second.Values(), &values); err != nil {
		t.Fatal(err)
	}
	w := values.Lab.Workers[0]
	if !strings.HasPrefix(w.BMC.Address, "idrac-virtualmedia+https://127.0.0.1:") || !w.BMC.Insecure {
		t.Errorf("the worker's BMC is %+v", w.BMC)
	}
	if env, ok := w.BMC.Credentials.Password["env"]; !ok || env != nil {
		t.Errorf("the lab file's variable is not taken away: %v", w.BMC.Credentials.Password)
	}
	writes, err := first.Hub().Writes()
	if err != nil {
		t.Fatal(err)
	}
	catalogs := map[string]bool{}
	for _, w := range writes {
		if w.User != "labsim" && w.User != "admin" && !strings.HasPrefix(w.User, "system:") {
			t.Errorf("a write of %q", w.User)
		}
		if w.Resource == "catalogsources" && w.Verb == "create" {
			catalogs[w.Name] = true
		}
	}
	if !catalogs["catalog-first"] || !catalogs["catalog-second"] {
		t.Errorf("catalogs made: %v", catalogs)
	}
	requests, err := second.BMCRequests()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if r.Write() {
			t.Errorf("a BMC was written to: %+v", r)
		}
	}
	if len(requests) == 0 {
		t.Error("the start's own request to the BMC is not in its log")
	}
}

// TestRefused tells names that nothing goes by before anything starts.
func TestRefused(t *testing.T) {
	for says, o := range map[string]sim.Options{
		"no player \"metal4\"": {Without: []string{"metal4"}},
		"no failure \"nope\"":  {Fail: []string{"nope"}},
		"no delay \"boot\"":    {Delays: map[string]time.Duration{"boot": 1}},
		"time goes forwards":   {Speed: -1},
		"no state folder":      {Dir: "-"},
	} {
		o.Facts = facts(t, "lab", "01")
		if o.Dir == "" {
			o.Dir = t.TempDir()
		} else {
			o.Dir = ""
		}
		_, err := sim.Start(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*")); o.Dir != "" && len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestDelays holds the list against what the players' packages say of themselves.
func TestDelays(t *testing.T) {
	var listed []string
	for _, d := range sim.Delays() {
		if slices.Contains(listed, d.Name) {
			t.Errorf("%s stands twice", d.Name)
		}
		listed = append(listed, d.Name)
	}
	files, err := filepath.Glob("players/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	row := regexp.MustCompile(`(?m)^//\t([a-z][a-z0-9.-]+) +[0-9]`)
	var said []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			said = append(said, m[1])
		}
	}
	for _, name := range said {
		if !slices.Contains(listed, name) {
			t.Errorf("a player knows delay %s, the list does not", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(said, name) {
			t.Errorf("the list has delay %s, no player's package does", name)
		}
	}
}
