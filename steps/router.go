package steps

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Nodes waits until every worker is a Ready node of the hosted cluster.
type Nodes struct {
	Workers []string `yaml:"workers" doc:"names of the workers"`
}

// OnHostedCluster says where the step works.
func (Nodes) OnHostedCluster() {}

// Reads the nodes.
func (Nodes) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{nodes()} }

// Objects are none.
func (Nodes) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge looks for a node of each worker's name.
func (s Nodes) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	for _, worker := range s.Workers {
		ref := nodes()
		ref.Name = worker
		v, ready := awaited(ref, nodeOf(seen, worker), "Ready")
		if !ready {
			v.Report.Next = onHosted(f, "get csr,nodes")
			return known(v, trouble.NodeNotReady)
		}
	}
	return done("%s Ready", count(len(s.Workers), "node"))
}

// Router finds the worker that runs the hosted cluster's router, which *.apps
// must lead to; with MetalLB it is the address of the router's Service.
type Router struct{}

// RouterOutputs is where the router is reached.
type RouterOutputs struct {
	Node      string   `yaml:"node" doc:"worker that runs the router; empty with MetalLB"`
	Addresses []string `yaml:"addresses" doc:"addresses that *.apps must resolve to"`
}

const ingressNamespace = "openshift-ingress"

func routerPods() kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Pod", Namespace: ingressNamespace, Labels: "ingresscontroller.operator.openshift.io/deployment-ingresscontroller=default"}
}

func routerService() kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Service", Namespace: ingressNamespace, Name: "router-default"}
}

// OnHostedCluster says where the step works.
func (Router) OnHostedCluster() {}

// Reads the router and the nodes.
func (Router) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{routerPods(), routerService(), nodes()}
}

// Objects are none.
func (Router) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge waits for an address.
func (s Router) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	out := s.Outputs(f, seen)
	if len(out.Addresses) > 0 && out.Node != "" {
		return done("router on %s", out.Node)
	}
	if len(out.Addresses) > 0 {
		return done("router at %s", out.Addresses[0])
	}
	if f.Hosted.Ingress.Mode == "MetalLB" {
		return s.waits(f, routerService(), "it has no load balancer address yet")
	}
	ref := deploymentRef(ingressNamespace, "router-default")
	for _, u := range seen.List(routerPods()) {
		if c := crd.ConditionOf(u, "PodScheduled"); c.Is("False") {
			return s.waits(f, ref, condition(c))
		}
	}
	return s.waits(f, ref, "no pod of the router runs on a node yet")
}

func (Router) waits(f *labs.Facts, ref kube.Ref, seen string) kube.Verdict {
	v := wait(ref, seen)
	v.Report.Next = onHosted(f, "get -n "+ingressNamespace+" pods,services")
	return known(v, trouble.RouterNotRunning)
}

// Outputs say where the router is reached.
func (Router) Outputs(f *labs.Facts, seen kube.Seen) RouterOutputs {
	if f.Hosted.Ingress.Mode == "MetalLB" {
		return RouterOutputs{Addresses: loadBalancer(seen)}
	}
	var out RouterOutputs
	for _, u := range seen.List(routerPods()) {
		pod := kube.Convert[corev1.Pod](u)
		if pod == nil || pod.Spec.NodeName == "" || pod.DeletionTimestamp != nil ||
			pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded { // evicted: it stays, and runs nowhere
			continue
		}
		if addresses := internalIPs(seen, pod.Spec.NodeName); len(addresses) > 0 {
			out.Node = pod.Spec.NodeName
			out.Addresses = append(out.Addresses, addresses...)
		}
	}
	slices.Sort(out.Addresses)
	return out
}

func loadBalancer(seen kube.Seen) []string {
	service := kube.As[corev1.Service](seen, routerService())
	if service == nil {
		return nil
	}
	var out []string
	for _, i := range service.Status.LoadBalancer.Ingress {
		if i.IP != "" {
			out = append(out, i.IP)
		}
	}
	return out
}

func internalIPs(seen kube.Seen, name string) []string {
	u := nodeOf(seen, name)
	if u == nil {
		return nil
	}
	var out []string
	if node := kube.Convert[corev1.Node](u); node != nil {
		for _, a := range node.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				out = append(out, a.Address)
			}
		}
	}
	return out
}
