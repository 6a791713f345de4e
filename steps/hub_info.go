package steps

import (
	"fmt"
	"slices"

	configv1 "github.com/openshift/api/config/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/site"
	"github.com/labrun/labrun/steps/trouble"
)

// HubInfo reads what the management cluster is.
type HubInfo struct{}

// HubInfoOutputs is what was found.
type HubInfoOutputs struct {
	Version      string            `yaml:"version" doc:"OpenShift version"`
	Nodes        int               `yaml:"nodes" doc:"number of nodes"`
	MCE          string            `yaml:"mce" doc:"name of the MultiClusterEngine, empty where there is none"`
	MCEVersion   string            `yaml:"mce_version" doc:"its version"`
	AgentService string            `yaml:"agent_service" doc:"name of the AgentServiceConfig, empty where there is none"`
	Hosts        []string          `yaml:"hosts" doc:"names of the BareMetalHosts that the lab has already"`
	IDs          map[string]string `yaml:"ids" doc:"Ironic's id of each of them that is registered, by name"`
	Missing      []string          `yaml:"missing" doc:"CustomResourceDefinitions that the workflow begins with and the cluster lacks; a run with one of them ends here"`
}

func clusterVersion() kube.Ref {
	return kube.Ref{APIVersion: "config.openshift.io/v1", Kind: "ClusterVersion", Name: "version", Optional: true}
}

// hosts are the BareMetalHosts of the lab.
func hosts(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: crd.Metal3Version, Kind: "BareMetalHost", Namespace: f.ControlPlaneNamespace(), Optional: true}
}

func nodes() kube.Ref { return kube.Ref{APIVersion: "v1", Kind: "Node"} }

func multiClusterEngines() kube.Ref {
	return kube.Ref{APIVersion: "multicluster.openshift.io/v1", Kind: "MultiClusterEngine", Optional: true}
}

func agentServiceConfigs() kube.Ref {
	return kube.Ref{APIVersion: "agent-install.openshift.io/v1beta1", Kind: "AgentServiceConfig", Optional: true}
}

// Reads are the objects that tell what the hub is.
func (HubInfo) Reads(f *labs.Facts) []kube.Ref {
	refs := []kube.Ref{clusterVersion(), nodes(), multiClusterEngines(), agentServiceConfigs(), hosts(f)}
	for _, p := range site.Prerequisites() {
		refs = append(refs, crdRef(p.Definition))
	}
	return refs
}

// Objects are none: nothing is changed.
func (HubInfo) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge refuses a cluster that is not OpenShift, or lacks an operator that the
// workflow begins with.
func (s HubInfo) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	out := s.Outputs(f, seen)
	if out.Version == "" {
		return fail(clusterVersion(), trouble.NoOpenShift, "is missing or has no version",
			"", "point lab.management_cluster.kubeconfig at the OpenShift cluster that hosts the control plane")
	}
	for _, p := range site.Prerequisites() {
		if slices.Contains(out.Missing, p.Definition) {
			return fail(crdRef(p.Definition), trouble.OperatorMissing, "is missing", "",
				"enable "+p.From+" of the management cluster (a capability of its installation): oc get clusterversion version -o yaml")
		}
	}
	mce := "no MCE yet"
	switch {
	case out.MCEVersion != "":
		mce = "MCE " + out.MCEVersion
	case out.MCE != "":
		mce = "MCE " + out.MCE + " without a version yet"
	}
	return done("OpenShift %s, %s, %s", out.Version, mce, count(out.Nodes, "node"))
}

// Outputs are what was found.
func (HubInfo) Outputs(f *labs.Facts, seen kube.Seen) HubInfoOutputs {
	out := HubInfoOutputs{Nodes: len(seen.List(nodes())), Hosts: []string{}, IDs: map[string]string{}, Missing: []string{}}
	for _, p := range site.Prerequisites() {
		if seen.Get(crdRef(p.Definition)) == nil {
			out.Missing = append(out.Missing, p.Definition)
		}
	}
	for _, u := range seen.List(hosts(f)) {
		out.Hosts = append(out.Hosts, u.GetName())
		if id := text(u, "status", "provisioning", "ID"); id != "" {
			out.IDs[u.GetName()] = id
		}
	}
	if cv := kube.As[configv1.ClusterVersion](seen, clusterVersion()); cv != nil {
		for _, h := range cv.Status.History {
			if h.State == configv1.CompletedUpdate {
				out.Version = h.Version
				break
			}
		}
	}
	if found := seen.List(multiClusterEngines()); len(found) > 0 {
		out.MCE = found[0].GetName()
		out.MCEVersion = text(found[0], "status", "currentVersion")
	}
	if found := seen.List(agentServiceConfigs()); len(found) > 0 {
		out.AgentService = found[0].GetName()
	}
	return out
}

// count writes a number with its noun: 1 node, 3 nodes.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
