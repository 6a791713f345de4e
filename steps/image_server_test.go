package steps

import (
	"slices"
	"strings"
	"testing"
)

const (
	hubNodes = `{apiVersion: v1, kind: Node, metadata: {name: compute-0, labels: {node-role.kubernetes.io/worker: ""}}, status: {addresses: [{type: InternalIP, address: 192.168.125.90}, {type: InternalIP, address: "2620:52:0:1305::90"}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: ctlplane-0, labels: {node-role.kubernetes.io/control-plane: ""}}, status: {addresses: [{type: Hostname, address: ctlplane-0}, {type: ExternalIP, address: 203.0.113.20}, {type: InternalIP, address: 192.168.125.20}, {type: InternalIP, address: "2620:52:0:1305::20"}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: ctlplane-1, labels: {node-role.kubernetes.io/control-plane: ""}}, status: {addresses: [{type: InternalIP, address: 192.168.125.21}]}}
---
`
	ironicGone = `{apiVersion: v1, kind: Pod, metadata: {name: metal3-old, namespace: openshift-machine-api, deletionTimestamp: "2026-11-23T11:00:00Z", finalizers: [x]}, spec: {nodeName: ctlplane-0}, status: {hostIP: 192.168.125.20}}
---
{apiVersion: v1, kind: Pod, metadata: {name: metal3-pending, namespace: openshift-machine-api}, spec: {}, status: {phase: Pending}}
---
`
	ironicRuns = `{apiVersion: v1, kind: Pod, metadata: {name: metal3-new, namespace: openshift-machine-api}, spec: {nodeName: ctlplane-1, hostNetwork: true, containers: [{name: metal3-ironic}]}, status: {hostIP: 192.168.125.21, podIPs: [{ip: 192.168.125.21}, {ip: "2620:52:0:1305::21"}]}}
---
`
)

func provisioningWith(spec string) string {
	return `{apiVersion: metal3.io/v1alpha1, kind: Provisioning, metadata: {name: provisioning-configuration}, spec: {` + spec + `}}` + "\n---\n"
}

func TestImageServer(t *testing.T) {
	const v4BMC, v6BMC, namedBMC = "redfish-virtualmedia://192.168.1.9/redfish/v1/Systems/1", "redfish-virtualmedia+https://[2620:52:0:1305::1]:9000/redfish/v1/Systems/1", "redfish-virtualmedia://bmc.example/redfish/v1/Systems/1"
	const iso = "https://assisted-image-service.apps.hub.example/images/1?api_key=x"
	stated := []string{"lab.management_cluster.virtual_media.url=http://198.51.100.7:8000/"}
	for _, c := range []struct {
		name, lab string
		facts     []string
		hub       string
		v4, v6    string // what BMCs with such an address fetch
		from      string
		summary   string
	}{
		{"Ironic on its pod's node", ipv4, nil, provisioningWith("provisioningNetwork: Disabled") + ironicGone + ironicRuns + hubNodes,
			"https://192.168.125.21:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::21]:6183/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1",
			"BMCs fetch from https://192.168.125.21:6183 or https://[2620:52:0:1305::21]:6183: Ironic runs on node ctlplane-1"},
		{"without TLS", ipv4, nil, provisioningWith("provisioningNetwork: Disabled, disableVirtualMediaTLS: true") + ironicRuns,
			"http://192.168.125.21:6180/redfish/boot-UUID.iso", "http://[2620:52:0:1305::21]:6180/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1", ""},
		{"the image service's route", ipv4, nil, provisioningWith("bootIsoSource: http, disableVirtualMediaTLS: true") + ironicRuns, iso, iso,
			"the Provisioning has bootIsoSource http", "BMCs fetch the discovery image's own URL: the Provisioning has bootIsoSource http"},
		{"bootIsoSource local is the default", ipv4, nil, provisioningWith("bootIsoSource: local, provisioningNetwork: Disabled") + ironicRuns,
			"https://192.168.125.21:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::21]:6183/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1", ""},
		{"a provisioning network", ipv4, nil, provisioningWith("provisioningNetwork: Managed, provisioningIP: 172.22.0.3") + ironicRuns,
			"https://172.22.0.3:6183/redfish/boot-UUID.iso", "https://172.22.0.3:6183/redfish/boot-UUID.iso", "Ironic serves them at the Provisioning's provisioningIP", ""},
		{"virtual media past the provisioning network", ipv4, nil, provisioningWith("provisioningNetwork: Managed, provisioningIP: 172.22.0.3, virtualMediaViaExternalNetwork: true") + ironicRuns,
			"https://192.168.125.21:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::21]:6183/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1", ""},
		{"a provisioning network that is disabled", ipv4, nil, provisioningWith("provisioningNetwork: Disabled, provisioningIP: 192.168.125.5") + ironicRuns,
			"https://192.168.125.21:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::21]:6183/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1", ""},
		{"no pod: a control plane node of an IPv4 lab", ipv4, nil, provisioningWith("provisioningNetwork: Disabled") + ironicGone + hubNodes,
			"https://192.168.125.20:6183/redfish/boot-UUID.iso", "https://192.168.125.20:6183/redfish/boot-UUID.iso",
			"assumed: no pod of Ironic is found, and control plane node ctlplane-0 has this address", ""},
		{"no pod: a control plane node of an IPv6 lab", ipv6, nil, provisioningWith("") + hubNodes,
			"https://[2620:52:0:1305::20]:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::20]:6183/redfish/boot-UUID.iso",
			"assumed: no pod of Ironic is found, and control plane node ctlplane-0 has this address", ""},
		{"no pod, and the lab says it", ipv4, stated, provisioningWith("") + hubNodes,
			"http://198.51.100.7:8000/redfish/boot-UUID.iso", "http://198.51.100.7:8000/redfish/boot-UUID.iso", "lab.management_cluster.virtual_media says so", ""},
		{"the hub comes before what the lab says", ipv4, stated, provisioningWith("provisioningNetwork: Disabled") + ironicRuns,
			"https://192.168.125.21:6183/redfish/boot-UUID.iso", "https://[2620:52:0:1305::21]:6183/redfish/boot-UUID.iso", "Ironic runs on node ctlplane-1", ""},
		{"no Provisioning, and the lab says it", ipv4, []string{"lab.management_cluster.virtual_media.served_by=image-service"}, hubNodes, iso, iso, "lab.management_cluster.virtual_media says so", ""},
		{"no Provisioning", ipv4, nil, hubNodes + ironicRuns, "", "", "", "it is not known from where BMCs fetch their image: lab.management_cluster.virtual_media can say it"},
		{"no node of the lab's family", ipv6, nil, provisioningWith("") + `{apiVersion: v1, kind: Node, metadata: {name: ctlplane-1, labels: {node-role.kubernetes.io/master: ""}}, status: {addresses: [{type: InternalIP, address: 192.168.125.21}]}}`,
			"", "", "", "it is not known from where BMCs fetch their image: lab.management_cluster.virtual_media can say it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf(t, c.lab, c.facts...)
			s := ImageServer{}
			seen := sees(t, f, s, nil, c.hub)
			out := s.Outputs(f, seen)
			for bmc, want := range map[string]string{v4BMC: c.v4, v6BMC: c.v6, namedBMC: c.v4} {
				if got := bootImage(out, iso, bmc, ""); got != want {
					t.Errorf("%s fetches %s, want %s", bmc, got, want)
				}
			}
			if out.From != c.from {
				t.Errorf("known from %q, want %q", out.From, c.from)
			}
			v := s.Judge(f, seen)
			if c.summary != "" && v.Summary != c.summary || !strings.Contains(v.Summary, c.from) {
				t.Errorf("told as %q, want %q", v.Summary, c.summary)
			}
			if known := c.v4 != ""; known != (out.ServedBy == imageService || len(out.URLs) > 0) {
				t.Errorf("outputs %+v", out)
			}
		})
	}
	if got := bootImage(ImageServerOutputs{ServedBy: imageService}, "", v4BMC, ""); got != "" {
		t.Errorf("an image that is not there yet is fetched from %s", got)
	}
	registered := bootImage(ImageServerOutputs{ServedBy: ironic, URLs: []string{"http://192.168.125.21:6180"}}, "", v4BMC, "14b5025e-81d5-4a17-93b9-3eb58dc610d0")
	if want := "http://192.168.125.21:6180/redfish/boot-14b5025e-81d5-4a17-93b9-3eb58dc610d0.iso"; registered != want {
		t.Errorf("a registered host's image is %s, want %s", registered, want)
	}
	if intents, err := (ImageServer{}).Objects(nil, sees(t, factsOf(t, ipv4), ImageServer{}, nil, "")); len(intents) > 0 || err != nil {
		t.Errorf("it changes %v, %v", intents, err)
	}
}

// TestPreflightKnowsTheImage has the second pre-flight of a run know what the BMCs
// will fetch, and the first one not.
func TestPreflightKnowsTheImage(t *testing.T) {
	first, f := step[Preflight](t, ipv6, "preflight")
	second, _ := step[Preflight](t, ipv6, "probe_bmcs")
	t.Setenv("BMC_PASSWORD", "x")
	l := NewLab(f, LabOptions{})
	for _, c := range []struct {
		of   Preflight
		want string
	}{{first, ""}, {second, "https://[2620:52:0:1305::20]:6183/redfish/boot-UUID.iso"}} {
		h, err := c.of.host(t.Context(), l, f.Workers[0], nil)
		if err != nil || h.Image != c.want {
			t.Errorf("the image is %q (%v), want %q", h.Image, err, c.want)
		}
	}
	if !slices.Equal(second.Told, []string{"worker0: seen before"}) {
		t.Errorf("told before: %q", second.Told)
	}
}
