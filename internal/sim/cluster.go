package sim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/labs"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fresh are the definitions that every OpenShift hub has; all others come with the operators that bring them.
func fresh() []string { return []string{"openshift", "metal3", "olm"} }

func (l *Lab) family() controlplane.Family {
	if l.ip == "::1" {
		return controlplane.IPv6
	}
	return controlplane.IPv4
}

// startClusterAndBMCs starts the management cluster and the BMCs side by side.
func (l *Lab) startClusterAndBMCs(life context.Context) error {
	if err := l.plan(); err != nil {
		return err
	}
	// A part that has started lives until the lab's end, not until this group's.
	parts := errgroup.Group{}
	for _, r := range l.racks {
		parts.Go(func() error { return l.startRack(life, r) })
	}
	parts.Go(func() error { return l.startHub(life) })
	if err := parts.Wait(); err != nil {
		return err
	}
	l.tellNames()
	return l.seed(life)
}

func (l *Lab) startHub(life context.Context) error {
	if l.options.Hub != nil {
		l.hub = l.options.Hub.hub
		return nil
	}
	hub, err := controlplane.Start(life, controlplane.Options{
		Dir: filepath.Join(l.options.Dir, "hub"), Assets: l.options.Assets, Name: "hub", Family: l.family(),
		Audit: true, CRDs: fresh(), WithControllerManager: true,
	})
	l.hub = hub
	return err
}

// player connects to the hub as the players do.
func (l *Lab) player() *rest.Config {
	config := l.hub.ConfigFor("labsim", "system:masters")
	config.WarningHandler = rest.NoWarnings{} // about versions that the real operators use
	return config
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, clientscheme.AddToScheme(scheme)
}

// seed makes a fresh OpenShift of the API server, or adds this lab's catalog to the hub that it joins.
func (l *Lab) seed(ctx context.Context) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	c, err := client.New(l.player(), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	if l.options.Hub == nil {
		if err := openshift.Seed(ctx, c, l.seedOptions()); err != nil {
			return err
		}
	}
	return l.seedCatalog(ctx, c)
}

// seedCatalog makes the CatalogSource that the lab file names, where Seed has not.
func (l *Lab) seedCatalog(ctx context.Context, c client.Client) error {
	m := l.facts.MCE
	u := obj.New(obj.OLM, "CatalogSource", m.CatalogNamespace, m.Catalog)
	obj.Set(u, map[string]any{"sourceType": "grpc", "image": l.catalogImage(), "displayName": m.Catalog, "publisher": "Red Hat"}, "spec")
	if err := obj.Create(ctx, c, u); err != nil {
		return fmt.Errorf("making CatalogSource %s/%s: %w", m.CatalogNamespace, m.Catalog, err)
	}
	return nil
}

func (l *Lab) catalogImage() string {
	tag := "v4.20"
	if parts := strings.SplitN(l.facts.Release.Version, ".", 3); len(parts) == 3 {
		tag = "v" + parts[0] + "." + parts[1]
	}
	if l.facts.Disconnected {
		return l.release.registry + "/redhat/redhat-operator-index:" + tag
	}
	return "registry.redhat.io/redhat/redhat-operator-index:" + tag
}

// seedOptions describe the hub of this lab, but for what the caller described.
func (l *Lab) seedOptions() openshift.SeedOptions {
	o := l.options.Seed
	if o.Domain == "" {
		o.Domain = l.hubDomain()
	}
	o.Disconnected = o.Disconnected || l.facts.Disconnected
	if o.Catalogs == nil {
		o.Catalogs = []openshift.Catalog{{Name: "redhat-operators", Image: "registry.redhat.io/redhat/redhat-operator-index:v4.20"}}
		if l.facts.Disconnected { // which has OpenShift's own catalogs turned off
			o.Catalogs = []openshift.Catalog{}
		}
	}
	if o.Nodes == nil {
		o.Nodes = l.hubNodes()
	}
	if l.facts.Stack != labs.IPv4 && o.Clusters == nil && o.Services == nil {
		o.Clusters, o.Services = []string{"fd01::/48"}, []string{"fd02::/112"}
		if l.facts.Stack == labs.Dual {
			o.Clusters, o.Services = []string{"10.128.0.0/14", "fd01::/48"}, []string{"172.30.0.0/16", "fd02::/112"}
		}
	}
	return o
}

// hubNodes are three nodes with addresses from the 20th of each machine network: the hub stands in the lab's network.
func (l *Lab) hubNodes() []openshift.SeedNode {
	nodes := make([]openshift.SeedNode, 3)
	for i := range nodes {
		nodes[i].Name = fmt.Sprintf("hub-ctlplane-%d", i)
		for _, n := range l.facts.Networks.Machine {
			if n.IsValid() {
				nodes[i].IPs = append(nodes[i].IPs, nth(n.Prefix, 20+i).String())
			}
		}
	}
	return nodes
}

func nth(network netip.Prefix, n int) netip.Addr {
	addr := network.Masked().Addr()
	for range n {
		addr = addr.Next()
	}
	return addr
}

// without says whether a player is left out.
func (l *Lab) without(name string) bool { return slices.Contains(l.options.Without, name) }

// errEnded is the failure of a player that ended before the lab did.
var errEnded = errors.New("ended by itself")
