package traps

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/runtime"
	clientscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/simtest"
	"github.com/labrun/labrun/internal/sim/world"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps"
)

// site is a simulated management cluster with a rack, which several labs share.
type site struct {
	lab     *sim.Lab
	admin   client.WithWatch // somebody else than labrun, who changes things by hand
	values  map[string]any
	servers []any // of values
	secrets []string
	taken   atomic.Int32 // servers given to labs
	labs    atomic.Int32
}

// nobodysCA is a CA that signed for nobody here.
func nobodysCA(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/mistakes/site/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newSite starts a management cluster without any operator, and a rack of servers.
func newSite(t testing.TB, servers int, o sim.Options) *site {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "site.yaml")
	text := facts
	for n := range servers {
		text += strings.ReplaceAll(worker, "{n}", fmt.Sprint(10+n))
	}
	write(t, file, replace(text+"steps: [{id: nothing, uses: assert, with: {that: \"true\"}}]\n", map[string]string{"lab": "site", "hosted": "site", "own": "site", "dir": dir}))
	write(t, filepath.Join(dir, "ca.crt"), nobodysCA(t))
	p, found := pipeline.Load(pipeline.Request[*steps.Env]{File: file, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(), Environ: []string{}})
	if len(found) > 0 {
		var b strings.Builder
		_ = found.Render(&b, p.Files)
		t.Fatal(b.String())
	}
	o.Facts = p.Facts.(*labs.Facts)
	small := fmt.Sprintf("worker%d", 10+servers-2) // has too little memory; the last one is nobody's
	o.Server = func(m *world.Machine) {
		if m.Name == small {
			m.MemoryGB = 4
		}
	}
	s := &site{lab: simtest.ForTest(t, o)}
	var values struct {
		Lab map[string]any `json:"lab"`
	}
	if err := yaml.Unmarshal(s.lab.Values(), &values); err != nil {
		t.Fatal(err)
	}
	s.values = values.Lab
	s.servers, _ = s.values["workers"].([]any)
	delete(s.values, "workers")
	for _, m := range s.lab.Machines() {
		s.secrets = append(s.secrets, m.Password)
	}
	scheme := runtime.NewScheme()
	if err := clientscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.admin, err = client.NewWithWatch(s.lab.Hub().ConfigFor("somebody", "system:masters"), client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return s
}

// install runs the hub's part of the shared step file, as the first lab of a site does.
func (s *site) install(t testing.TB, r row) {
	t.Helper()
	l := s.try(t, r)
	if o := l.run(); o.exit != 0 {
		t.Fatal(o.text)
	}
}

// hubSteps are those that make a management cluster ready for labs.
func hubSteps() []string {
	return []string{"hub_info", "registry_ca", "image_config", "mce_operator", "registries", "assisted_config", "mce", "install_flags",
		"hypershift_operator", "provisioning", "os_images", "agent_service"}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// valuesWith are the site's values for a lab that has n of its servers; their names start at worker0 anew.
func (s *site) valuesFor(t testing.TB, names []string) string {
	t.Helper()
	lab := map[string]any{}
	text, err := json.Marshal(s.values)
	if err == nil {
		err = json.Unmarshal(text, &lab)
	}
	if err != nil {
		t.Fatal(err)
	}
	var mine []any
	for _, server := range s.servers {
		for _, name := range names {
			if m, ok := server.(map[string]any); ok && m["name"] == name {
				mine = append(mine, m)
			}
		}
	}
	lab["workers"] = mine
	out, err := yaml.Marshal(map[string]any{"lab": lab})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
