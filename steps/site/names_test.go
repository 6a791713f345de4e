package site

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/dns"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// aSite is a site of an IPv4 lab whose name server is a real one on loopback, and which has no management cluster.
func aSite(t *testing.T) (Site, *dns.Server) {
	t.Helper()
	server, err := dns.Start("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	f := &labs.Facts{Stack: labs.IPv4, Disconnected: true, Domain: "lab.example"}
	f.DNS.Server = server.Address()
	f.Hosted.Name, f.Hosted.Namespace = "h", "clusters"
	f.Hosted.Services.APIServer, f.Hosted.Ingress.Mode = "NodePort", "HostNetwork"
	f.Hosted.NodePort.Address = "api.h.lab.example"
	f.Networks.Machine = []labs.CIDR{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}, {Prefix: netip.MustParsePrefix("2001:db8::/64")}}
	f.Registry.Host = "registry.lab.example"
	return Site{Facts: f, Kubeconfig: "/nowhere", Hub: func(context.Context) (*kube.Cluster, error) { return nil, errors.New("no hub") }}, server
}

// one asks one check, and what it needs.
func one(t *testing.T, s Site, id string) redfish.Result {
	t.Helper()
	for _, r := range Ask(t.Context(), s, Options{Only: []string{id}}) {
		for _, c := range r.Checks {
			if c.ID == id {
				return c
			}
		}
	}
	t.Fatalf("%s was not asked", id)
	return redfish.Result{}
}

// want holds a result to its status and to what it says; what fails or warns also says what to do.
func want(t *testing.T, name string, r redfish.Result, status redfish.Status, seen string) {
	t.Helper()
	if r.Status != status || !strings.Contains(r.Seen, seen) {
		t.Errorf("%s: %s %s: %q (%s), want %s with %q", name, r.Status, r.ID, r.Seen, r.Remedy, status, seen)
	}
	if (status == redfish.Fail || status == redfish.Warn) && r.Remedy == "" {
		t.Errorf("%s: %s does not say what to do", name, r.ID)
	}
}

func TestNames(t *testing.T) {
	const (
		v4, worker, outside, v6 = "192.0.2.1", "192.0.2.10", "198.51.100.1", "2001:db8::1"

		api, internal, apps, registry = "api.h.lab.example", "api-int.h.lab.example", "*.apps.h.lab.example", "registry.lab.example"
	)
	for _, c := range []struct {
		name   string
		id     string
		set    string // name
		to     string // addresses
		change func(f *labs.Facts)
		status redfish.Status
		seen   string
	}{
		{"the server answers", "lab-dns", "", "", nil, redfish.Pass, "answers"},
		{"no server", "lab-dns", "", "", func(f *labs.Facts) { f.DNS.Server = "" }, redfish.Pass, "the system's resolver is asked"},
		{"nobody there", "lab-dns", "", "", func(f *labs.Facts) { f.DNS.Server = "127.0.0.1:1" }, redfish.Fail, "the name server 127.0.0.1:1 does not answer: connection refused"},
		{"below a dead server", "name-api", "", "", func(f *labs.Facts) { f.DNS.Server = "127.0.0.1:1" }, redfish.Skip, "not asked: lab-dns failed"},

		{"right", "name-api", api, v4, nil, redfish.Pass, "api.h.lab.example is 192.0.2.1"},
		{"absent", "name-api", "", "", nil, redfish.Fail, "knows no address of api.h.lab.example"},
		{"absent with a load balancer", "name-api", "", "", func(f *labs.Facts) { f.Hosted.Services.APIServer = "LoadBalancer" }, redfish.Warn, "knows no address"},
		{"absent, and the address is given bare", "name-api", "", "", func(f *labs.Facts) { f.Hosted.NodePort.Address = v4 }, redfish.Warn, "knows no address"},
		{"the other family", "name-api", api, v6, nil, redfish.Fail, "is 2001:db8::1, and the lab is IPv4: there is no A record"},
		{"the other family of an IPv6 lab", "name-api", api, v4, func(f *labs.Facts) { f.Stack = labs.IPv6 }, redfish.Fail, "the lab is IPv6: there is no AAAA record"},
		{"one family of two", "name-api", api, v6, func(f *labs.Facts) { f.Stack = labs.Dual }, redfish.Pass, "is 2001:db8::1"},

		{"right", "name-api-int", internal, v4, nil, redfish.Pass, "is 192.0.2.1"},
		{"absent", "name-api-int", "", "", nil, redfish.Warn, "knows no address of api-int.h.lab.example"},

		{"a worker", "name-apps", apps, worker, nil, redfish.Pass, "console-openshift-console.apps.h.lab.example is 192.0.2.10"},
		{"absent", "name-apps", "", "", nil, redfish.Warn, "knows no address"},
		{"in no machine network", "name-apps", apps, outside, nil, redfish.Fail, "198.51.100.1 is in no machine network"},
		{"in no machine network, with MetalLB", "name-apps", apps, outside, func(f *labs.Facts) { f.Hosted.Ingress.Mode = "MetalLB" }, redfish.Pass, "is 198.51.100.1"},
		{"what is stated", "name-apps", apps, outside, func(f *labs.Facts) { f.Hosted.Ingress.Address = outside }, redfish.Pass, "is 198.51.100.1"},
		{"not what is stated", "name-apps", apps, worker, func(f *labs.Facts) { f.Hosted.Ingress.Address = outside }, redfish.Fail, "not 198.51.100.1 (lab.hosted_cluster.ingress.address)"},

		{"right", "name-registry", registry, v4, nil, redfish.Pass, "registry.lab.example is 192.0.2.1"},
		{"absent", "name-registry", "", "", nil, redfish.Fail, "knows no address of registry.lab.example"},
		{"connected", "name-registry", "", "", func(f *labs.Facts) { f.Disconnected = false }, redfish.Skip, "the lab is connected"},
	} {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			s, server := aSite(t)
			if c.set != "" {
				server.Set(c.set, netip.MustParseAddr(c.to))
			}
			if c.change != nil {
				c.change(s.Facts)
			}
			want(t, c.name, one(t, s, c.id), c.status, c.seen)
		})
	}
}
