package steps

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// ImageServer reads from where BMCs will fetch their boot image. By default that is
// a copy that Ironic serves itself, with its own certificate, and not the discovery
// image's own URL.
type ImageServer struct{}

// ImageServerOutputs say from where BMCs fetch their boot image.
type ImageServerOutputs struct {
	ServedBy string   `yaml:"served_by" enum:"ironic|image-service" doc:"ironic, or image-service: the discovery image's own URL; empty where it is not known"`
	URLs     []string `yaml:"urls" doc:"Ironic's web server, https://192.168.125.20:6183, at each address that it has; a BMC with an IPv6 address is handed the IPv6 one"`
	From     string   `yaml:"from" doc:"how that is known, or that it is assumed"`
}

const (
	ironic       = "ironic"
	imageService = "image-service"
)

// The ports of Ironic's web server for boot images, with TLS and without.
const (
	ironicTLSPort   = "6183"
	ironicPlainPort = "6180"
)

// ironicPods are those that Ironic runs in; the baremetal-operator's have another
// value of this label.
func ironicPods() kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Pod", Namespace: "openshift-machine-api", Labels: "baremetal.openshift.io/cluster-baremetal-operator=metal3-state"}
}

// Reads the configuration of Metal3, and where Ironic runs.
func (ImageServer) Reads(*labs.Facts) []kube.Ref {
	configuration := provisioning()
	configuration.Optional = true
	return []kube.Ref{configuration, ironicPods(), nodes()}
}

// Objects are none: nothing is changed.
func (ImageServer) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge tells what was found; that it is not known fails nothing.
func (s ImageServer) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	out := s.Outputs(f, seen)
	switch {
	case out.ServedBy == imageService:
		return done("BMCs fetch the discovery image's own URL: %s", out.From)
	case len(out.URLs) == 0:
		return done("it is not known from where BMCs fetch their image: lab.management_cluster.virtual_media can say it")
	}
	return done("BMCs fetch from %s: %s", strings.Join(out.URLs, " or "), out.From)
}

// Outputs are what the management cluster says, else what the lab file does.
func (ImageServer) Outputs(f *labs.Facts, seen kube.Seen) ImageServerOutputs {
	p := seen.Get(provisioning())
	if p == nil {
		return statedServer(f.Management.VirtualMedia)
	}
	if text(p, "spec", "bootIsoSource") == "http" {
		return ImageServerOutputs{ServedBy: imageService, URLs: []string{}, From: "the Provisioning has bootIsoSource http"}
	}
	addresses, from := ironicAddresses(p, seen.List(ironicPods()))
	if len(addresses) == 0 {
		if stated := statedServer(f.Management.VirtualMedia); stated.ServedBy == ironic {
			return stated
		}
		addresses, from = likelyAddresses(f, seen)
	}
	out := ImageServerOutputs{ServedBy: ironic, URLs: []string{}, From: from}
	scheme, port := "https://", ironicTLSPort
	if plain, _, _ := unstructured.NestedBool(p.Object, "spec", "disableVirtualMediaTLS"); plain { // a hub that lacks the field has TLS
		scheme, port = "http://", ironicPlainPort
	}
	for _, a := range addresses {
		out.URLs = append(out.URLs, scheme+net.JoinHostPort(a, port))
	}
	return out
}

// statedServer is what the lab file says.
func statedServer(v labs.VirtualMedia) ImageServerOutputs {
	out := ImageServerOutputs{URLs: []string{}, From: "lab.management_cluster.virtual_media says so"}
	switch {
	case v.ServedBy == imageService:
		out.ServedBy = imageService
	case v.URL != "":
		out.ServedBy, out.URLs = ironic, []string{strings.TrimSuffix(v.URL, "/")}
	default:
		out.From = ""
	}
	return out
}

// ironicAddresses are where Ironic serves images: by the provisioning network where
// there is one that virtual media uses, else at its node's addresses.
func ironicAddresses(p *unstructured.Unstructured, pods []*unstructured.Unstructured) (addresses []string, from string) {
	external, _, _ := unstructured.NestedBool(p.Object, "spec", "virtualMediaViaExternalNetwork")
	if ip := text(p, "spec", "provisioningIP"); ip != "" && !external && text(p, "spec", "provisioningNetwork") != "Disabled" {
		return []string{ip}, "Ironic serves them at the Provisioning's provisioningIP"
	}
	for _, u := range pods {
		pod := kube.Convert[corev1.Pod](u)
		if pod == nil || pod.DeletionTimestamp != nil || pod.Status.HostIP == "" {
			continue
		}
		return hostAddresses(pod), "Ironic runs on node " + pod.Spec.NodeName
	}
	return nil, ""
}

// hostAddresses are those of the node that a pod runs on, the one that Kubernetes
// names first at the front.
func hostAddresses(pod *corev1.Pod) []string {
	all := []string{pod.Status.HostIP}
	for _, ip := range pod.Status.HostIPs {
		if !slices.Contains(all, ip.IP) {
			all = append(all, ip.IP)
		}
	}
	if pod.Spec.HostNetwork { // then the pod's addresses are the node's
		for _, ip := range pod.Status.PodIPs {
			if !slices.Contains(all, ip.IP) {
				all = append(all, ip.IP)
			}
		}
	}
	return all
}

// likelyAddresses are those of a control plane node in the lab's families: Ironic
// runs on one of them.
func likelyAddresses(f *labs.Facts, seen kube.Seen) (addresses []string, from string) {
	for _, u := range seen.List(nodes()) {
		node := kube.Convert[corev1.Node](u)
		if node == nil || !isControlPlane(node) {
			continue
		}
		for _, a := range node.Status.Addresses {
			ip, err := netip.ParseAddr(a.Address)
			if err == nil && a.Type == corev1.NodeInternalIP && f.Has(ip) {
				addresses = append(addresses, a.Address)
			}
		}
		if len(addresses) > 0 {
			return addresses, "assumed: no pod of Ironic is found, and control plane node " + node.Name + " has this address"
		}
	}
	return nil, ""
}

func isControlPlane(node *corev1.Node) bool {
	_, is := node.Labels["node-role.kubernetes.io/control-plane"]
	_, was := node.Labels["node-role.kubernetes.io/master"] // before 4.12
	return is || was
}
