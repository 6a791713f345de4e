package site

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// everything is what a cluster administrator may.
func everything() kube.Access { return kube.Access{Verb: "*", Group: "*", Resource: "*"} }

// needed is what a run does with one kind of object.
type needed struct {
	group, resource string
	namespaces      []string // nil: in all, or of the cluster
	verbs           []string
}

func neededBy(f *labs.Facts) []needed {
	control := []string{f.ControlPlaneNamespace()}
	hosted := []string{f.Hosted.Namespace}
	reads := []string{"get", "list", "watch"}
	// Objects are applied (patch), some are first created, some merged (update).
	applies := slices.Concat(reads, []string{"create", "patch", "update"})
	all := []needed{
		{"", "nodes", nil, reads},
		{"apiextensions.k8s.io", "customresourcedefinitions", nil, reads},
		{"config.openshift.io", "clusterversions", nil, reads},
		{"apps", "deployments", []string{f.MCE.Namespace, "hypershift", "openshift-machine-api"}, reads},
		{"", "namespaces", nil, applies},
		{"", "secrets", slices.Concat(hosted, control), applies},
		{"", "configmaps", []string{kube.InventoryNamespace, f.MCE.Namespace}, applies},
		{"coordination.k8s.io", "leases", []string{kube.InventoryNamespace}, []string{"get", "create", "update", "delete"}},
		{"operators.coreos.com", "operatorgroups", []string{f.MCE.Namespace}, applies},
		{"operators.coreos.com", "subscriptions", []string{f.MCE.Namespace}, applies},
		{"operators.coreos.com", "clusterserviceversions", []string{f.MCE.Namespace}, reads},
		{"multicluster.openshift.io", "multiclusterengines", nil, applies},
		{"agent-install.openshift.io", "agentserviceconfigs", nil, applies},
		{"metal3.io", "provisionings", nil, applies},
		{"hypershift.openshift.io", "hostedclusters", hosted, applies},
		{"hypershift.openshift.io", "nodepools", hosted, applies},
		{"rbac.authorization.k8s.io", "roles", control, applies},
		{"agent-install.openshift.io", "infraenvs", control, applies},
		{"agent-install.openshift.io", "nmstateconfigs", control, applies},
		{"agent-install.openshift.io", "agents", control, applies},
		{"metal3.io", "baremetalhosts", control, applies},
	}
	if f.Disconnected {
		all = append(all,
			needed{"", "configmaps", []string{"openshift-config", "local-cluster", f.Hosted.Namespace}, applies},
			needed{"config.openshift.io", "images", nil, applies})
	}
	return all
}

// accesses are all single rights.
func accesses(f *labs.Facts) []kube.Access {
	var all []kube.Access
	for _, n := range neededBy(f) {
		namespaces := n.namespaces
		if namespaces == nil {
			namespaces = []string{""}
		}
		for _, namespace := range namespaces {
			for _, verb := range n.verbs {
				all = append(all, kube.Access{Verb: verb, Group: n.group, Resource: n.resource, Namespace: namespace})
			}
		}
	}
	return all
}

func askRights(ctx context.Context, s Site) finding {
	hub, err := s.Hub(ctx)
	if err != nil {
		return clusterFailed(err)
	}
	admin, err := hub.May(ctx, everything())
	if err != nil {
		return clusterFailed(err)
	}
	if admin {
		return pass("the user may do everything")
	}
	all := accesses(s.Facts)
	allowed := make([]bool, len(all))
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i, a := range all {
		group.Go(func() (err error) {
			allowed[i], err = hub.May(limited, a)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return clusterFailed(err)
	}
	return judged(all, allowed)
}

// judged names the rights that are missing, those of one kind of object together.
func judged(all []kube.Access, allowed []bool) finding {
	var order []string
	verbs := map[string][]string{}
	missing := 0
	for i, a := range all {
		if allowed[i] {
			continue
		}
		missing++
		what := a.Resource
		if a.Group != "" {
			what += "." + a.Group
		}
		if a.Namespace != "" {
			what += " in " + a.Namespace
		}
		if verbs[what] == nil {
			order = append(order, what)
		}
		verbs[what] = append(verbs[what], a.Verb)
	}
	if missing == 0 {
		return pass("all %d rights that a run needs are there", len(all))
	}
	const shown = 4
	var told []string
	for _, what := range order[:min(shown, len(order))] {
		told = append(told, strings.Join(verbs[what], ", ")+" "+what)
	}
	if len(order) > shown {
		told = append(told, fmt.Sprintf("and %d more kinds of objects", len(order)-shown))
	}
	return fail("", "%d of %d rights that a run needs are missing: %s", missing, len(all), strings.Join(told, "; "))
}
