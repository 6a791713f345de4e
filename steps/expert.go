package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// bmcLimit bounds what one BMC is asked after a failure.
const bmcLimit = 8 * time.Second

// around finds what operators make of an object: by its kind, in its namespace
// and, of a HostedCluster, in that of its control plane.
func around(f *labs.Facts, u *unstructured.Unstructured) []kube.Ref {
	in := func(namespace, apiVersion string, kinds ...string) []kube.Ref {
		var refs []kube.Ref
		for _, kind := range kinds {
			refs = append(refs, kube.Ref{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Optional: true})
		}
		return refs
	}
	here := u.GetNamespace()
	switch u.GetKind() {
	case "HostedCluster":
		plane := f.ControlPlaneNamespace()
		refs := []kube.Ref{secretRef(here, text(u, "spec", "pullSecret", "name")), secretRef(here, text(u, "spec", "sshKey", "name"))}
		if bundle := text(u, "spec", "additionalTrustBundle", "name"); bundle != "" {
			refs = append(refs, configMapRef(here, bundle))
		}
		return append(refs, append(append(in(plane, hyperShiftVersion, "HostedControlPlane"),
			in(plane, "v1", "Pod", "PersistentVolumeClaim")...), in(here, hyperShiftVersion, "NodePool")...)...)
	case "NodePool":
		return append(in(f.ControlPlaneNamespace(), "cluster.x-k8s.io/v1beta1", "Machine", "MachineSet"),
			append([]kube.Ref{agentMachines(f), agents(f)}, hosts(f))...)
	case "BareMetalHost":
		return []kube.Ref{
			{APIVersion: crd.Metal3Version, Kind: "PreprovisioningImage", Namespace: here, Name: u.GetName(), Optional: true},
			{APIVersion: "metal3.io/v1alpha1", Kind: "Provisioning", Name: "provisioning-configuration", Optional: true}, infraEnv(f)}
	case "AgentServiceConfig":
		return append(in(f.MCE.Namespace, "apps/v1", "Deployment", "StatefulSet"), in(f.MCE.Namespace, "v1", "Pod", "PersistentVolumeClaim")...)
	case "MultiClusterEngine":
		return append(in(f.MCE.Namespace, "apps/v1", "Deployment"), in(f.MCE.Namespace, "v1", "Pod")...)
	case "Subscription":
		return append(in(here, "operators.coreos.com/v1alpha1", "InstallPlan"),
			kube.Ref{APIVersion: "operators.coreos.com/v1alpha1", Kind: "CatalogSource", Namespace: f.MCE.CatalogNamespace, Name: f.MCE.Catalog, Optional: true})
	case "Provisioning":
		return in("openshift-machine-api", "v1", "Pod")
	}
	return nil
}

// operators selects the pods that see to objects of a kind.
func operators(f *labs.Facts, kind string) []kube.Ref {
	pods := func(namespace, labels string) kube.Ref {
		return kube.Ref{APIVersion: "v1", Kind: "Pod", Namespace: namespace, Labels: labels}
	}
	switch kind {
	case "HostedCluster", "NodePool":
		return []kube.Ref{pods("hypershift", ""), pods(f.ControlPlaneNamespace(), "app in (control-plane-operator,cluster-api,capi-provider-controller-manager)")}
	case "Machine", "AgentMachine":
		return []kube.Ref{pods(f.ControlPlaneNamespace(), "app in (control-plane-operator,cluster-api,capi-provider-controller-manager)")}
	case "BareMetalHost", "PreprovisioningImage", "Provisioning":
		return []kube.Ref{pods("openshift-machine-api", "")}
	case "Agent", "InfraEnv", "AgentServiceConfig", "NMStateConfig":
		return []kube.Ref{pods(f.MCE.Namespace, "app in (assisted-service,assisted-image-service)"), pods(f.MCE.Namespace, "control-plane=infrastructure-operator")}
	case "MultiClusterEngine", "ManagedClusterAddOn":
		return []kube.Ref{pods(f.MCE.Namespace, "name=multicluster-engine-operator")}
	case "Subscription", "ClusterServiceVersion", "InstallPlan":
		return []kube.Ref{pods("openshift-operator-lifecycle-manager", "app in (catalog-operator,olm-operator)")}
	}
	return nil
}

// Around gives what an expert looks at beside an object.
func (e *Env) Around(u *unstructured.Unstructured) []kube.Ref { return around(e.facts, u) }

// Operators selects the pods whose logs tell about an object.
func (e *Env) Operators(u *unstructured.Unstructured) []kube.Ref {
	return operators(e.facts, u.GetKind())
}

// InHosted gives the nodes and operators of the hosted cluster.
func (e *Env) InHosted() []kube.Ref {
	return []kube.Ref{clusterVersion(), {APIVersion: "config.openshift.io/v1", Kind: "ClusterOperator", Optional: true}, nodes(), routerPods(), routerService()}
}

// Witness keeps how the BMCs see the servers.
func (s Preflight) Witness(ctx context.Context, env *Env, keep pipeline.Keep) error {
	return kube.WitnessMachines(ctx, env, s.Hosts, keep)
}

// AskBMC writes down power, boot override and virtual media as the BMC of a
// worker has them.
func (e *Env) AskBMC(ctx context.Context, w labs.Worker) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, bmcLimit)
	defer cancel()
	host, err := Preflight{}.host(ctx, e.Lab, w, trustedPool(e.facts.Registry.CA.Text))
	if err != nil {
		return nil, err
	}
	service, err := redfish.Open(ctx, host)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, service.Close(ctx)) }()
	var out strings.Builder
	fmt.Fprintf(&out, "%s as %s\n", w.BMC.Address, w.BMC.Credentials.Username)
	system, err := service.System(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&out, "system    %s %s %s, UUID %s\n", system.Path, system.Manufacturer, system.Model, system.UUID)
	fmt.Fprintf(&out, "power     %s\nboot      %s, %s\n", system.PowerState, orNone(system.BootTarget), orNone(system.BootEnabled))
	media, err := service.Media(ctx)
	for _, m := range media {
		fmt.Fprintf(&out, "media     %s (%s): inserted %t, image %s\n", m.Path, strings.Join(m.MediaTypes, ", "), m.Inserted, orNone(m.Image))
	}
	return []byte(out.String()), err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// Machines are the worker's server.
func (s Host) Machines(*labs.Facts) []labs.Worker { return []labs.Worker{s.Worker} }

// Machines are the worker's server.
func (s Agent) Machines(*labs.Facts) []labs.Worker { return []labs.Worker{s.Worker} }

// Machines are the worker's server.
func (s Installed) Machines(*labs.Facts) []labs.Worker { return []labs.Worker{s.Worker} }
