package steps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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

func routerDeployment() kube.Ref { return deploymentRef(ingressNamespace, "router-default") }

func routerService() kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Service", Namespace: ingressNamespace, Name: "router-default"}
}

// OnHostedCluster says where the step works.
func (Router) OnHostedCluster() {}

// Reads the router and the nodes.
func (Router) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{routerPods(), routerDeployment(), routerService(), nodes()}
}

// Objects are none.
func (Router) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge waits for all replicas, as a name server names the nodes of all of them.
func (s Router) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if f.Hosted.Ingress.Mode == "MetalLB" {
		if addresses := loadBalancer(seen); len(addresses) > 0 {
			return done("router at %s", addresses[0])
		}
		return s.waits(f, routerService(), "it has no load balancer address yet")
	}
	on, want := routerNodes(seen), routersWanted(seen)
	if len(on) >= want {
		return done("router on %s", strings.Join(on, ", "))
	}
	for _, u := range seen.List(routerPods()) {
		if c := crd.ConditionOf(u, "PodScheduled"); c.Is("False") {
			return s.waits(f, routerDeployment(), condition(c))
		}
	}
	if len(on) == 0 {
		return s.waits(f, routerDeployment(), "no pod of the router runs on a node yet")
	}
	return s.waits(f, routerDeployment(), fmt.Sprintf("its pods run on %d of %s: %s", len(on), count(want, "node"), strings.Join(on, ", ")))
}

// routersWanted is on how many nodes the router is to run: those that its
// Deployment asks for, and not more than there are.
func routersWanted(seen kube.Seen) int {
	replicas := int(number(seen.Get(routerDeployment()), "spec", "replicas"))
	return max(1, min(replicas, len(seen.List(nodes()))))
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
	for _, node := range routerNodes(seen) {
		out.Node = cmp.Or(out.Node, node)
		out.Addresses = append(out.Addresses, internalIPs(seen, node)...)
	}
	slices.Sort(out.Addresses)
	return out
}

// routerNodes are the nodes that run the router and have an address, by name.
func routerNodes(seen kube.Seen) []string {
	var on []string
	for _, u := range seen.List(routerPods()) {
		pod := kube.Convert[corev1.Pod](u)
		if pod == nil || pod.Spec.NodeName == "" || pod.DeletionTimestamp != nil ||
			pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded { // evicted: it stays, and runs nowhere
			continue
		}
		if len(internalIPs(seen, pod.Spec.NodeName)) > 0 {
			on = append(on, pod.Spec.NodeName)
		}
	}
	slices.Sort(on)
	return slices.Compact(on)
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
