package hypershift

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The address at which pods of a hosted cluster find their API server, where the HostedCluster names none.
const (
	advertiseIPv4 = "172.20.0.1"
	advertiseIPv6 = "fd00::1"
)

// network is one CIDR of a HostedCluster and the field that it stands in.
type network struct {
	path string
	cidr net.IPNet
}

func networks(n hyperv1.ClusterNetworking) (all, first []network) {
	add := func(path string, cidrs []net.IPNet) {
		for i, cidr := range cidrs {
			all = append(all, network{path, cidr})
			if i == 0 {
				first = append(first, network{path, cidr})
			}
		}
	}
	var machine, service, cluster []net.IPNet
	for _, e := range n.MachineNetwork {
		machine = append(machine, net.IPNet(e.CIDR))
	}
	for _, e := range n.ServiceNetwork {
		service = append(service, net.IPNet(e.CIDR))
	}
	for _, e := range n.ClusterNetwork {
		cluster = append(cluster, net.IPNet(e.CIDR))
	}
	add("spec.networking.MachineNetwork", machine)
	add("spec.networking.ServiceNetwork", service)
	add("spec.networking.ClusterNetwork", cluster)
	return all, first
}

// judgeNetworks says what is wrong with the networks: families mixed in the first entries, CIDRs that overlap, a CIDR
// that holds the advertise address, a node port address within the service network.
func judgeNetworks(hc *hyperv1.HostedCluster) field.ErrorList {
	all, first := networks(hc.Spec.Networking)
	advertise, err := advertiseAddress(hc)
	if err != nil {
		return field.ErrorList{err}
	}
	var errs field.ErrorList
	errs = append(errs, judgeFamilies(first, advertise)...)
	errs = append(errs, judgeOverlap(all)...)
	for _, n := range first {
		if ip := net.IP(advertise.AsSlice()); n.cidr.Contains(ip) {
			errs = append(errs, field.Invalid(field.NewPath(n.path), n.cidr.String(),
				fmt.Sprintf("the field %s with content %s overlaps with the defined AdvertiseAddress %s prefix: <nil>", n.path, n.cidr.String(), advertise)))
		}
	}
	return append(errs, judgeNodePorts(hc)...)
}

func advertiseAddress(hc *hyperv1.HostedCluster) (netip.Addr, *field.Error) {
	n := hc.Spec.Networking
	if n.APIServer != nil && n.APIServer.AdvertiseAddress != nil {
		addr, err := netip.ParseAddr(*n.APIServer.AdvertiseAddress)
		if err != nil {
			return addr, field.Invalid(field.NewPath("hc.Spec.Networking.APIServer.AdvertiseAddress"), *n.APIServer.AdvertiseAddress,
				fmt.Sprintf("advertise address set in HostedCluster %s is not parseable", *n.APIServer.AdvertiseAddress))
		}
		return addr, nil
	}
	if len(n.ClusterNetwork) > 0 && n.ClusterNetwork[0].CIDR.IP.To4() == nil {
		return netip.MustParseAddr(advertiseIPv6), nil
	}
	return netip.MustParseAddr(advertiseIPv4), nil
}

func judgeFamilies(first []network, advertise netip.Addr) field.ErrorList {
	ips := []string{advertise.String()}
	for _, n := range first {
		ips = append(ips, n.cidr.IP.String())
	}
	slices.Sort(ips)
	var v4, v6 []string
	for _, ip := range ips {
		if strings.Contains(ip, ":") {
			v6 = append(v6, ip)
		} else {
			v4 = append(v4, ip)
		}
	}
	if len(v4) == 0 || len(v6) == 0 {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec.networking"), fmt.Sprintf(
		"declare multiple network stacks as primary network in the cluster definition is not allowed, ipv4: %v, ipv6: %v", v4, v6))}
}

func judgeOverlap(all []network) field.ErrorList {
	var errs field.ErrorList
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.cidr.Contains(b.cidr.IP) || b.cidr.Contains(a.cidr.IP) {
				errs = append(errs, field.Invalid(field.NewPath(a.path), a.cidr.String(),
					fmt.Sprintf("%s and %s overlap: %s and %s", a.path, b.path, a.cidr.String(), b.cidr.String())))
			}
		}
	}
	return errs
}

// judgeNodePorts judges how the API server is published on node ports.
func judgeNodePorts(hc *hyperv1.HostedCluster) field.ErrorList {
	var errs field.ErrorList
	for i, svc := range hc.Spec.Services {
		if svc.Type != hyperv1.NodePort {
			continue
		}
		at := fmt.Sprintf("spec.services[%d].nodePort", i)
		if svc.NodePort == nil {
			errs = append(errs, field.Required(field.NewPath(at), "Nodeport can not be empty"))
			continue
		}
		if strings.ContainsAny(svc.NodePort.Address, "[]") {
			errs = append(errs, field.Invalid(field.NewPath(at+".address"), svc.NodePort.Address, "address must be a DNS name or an IP address without brackets"))
		}
		if svc.Service != hyperv1.APIServer {
			continue
		}
		if port := svc.NodePort.Port; port > 0 && (port < 30000 || port > 32767) {
			errs = append(errs, field.Invalid(field.NewPath(at+".port"), port, "port must be within the configured range 30000-32767 or 0 for dynamic assignment"))
		}
		ip := net.ParseIP(svc.NodePort.Address)
		for _, e := range hc.Spec.Networking.ServiceNetwork {
			cidr := net.IPNet(e.CIDR)
			if ip != nil && cidr.Contains(ip) {
				errs = append(errs, field.Invalid(field.NewPath("spec.networking.ServiceNetwork"), cidr.String(),
					fmt.Sprintf("Nodeport IP is within the service network range: %s is within %s", ip, cidr.String())))
			}
		}
	}
	return errs
}
