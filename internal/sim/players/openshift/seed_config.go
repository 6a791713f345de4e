package openshift

import (
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// long is when the hub was installed.
func long() time.Time { return time.Now().Add(-24 * time.Hour).Truncate(time.Second) }

func seedNodes(o SeedOptions) []client.Object {
	var all []client.Object
	for _, n := range o.Nodes {
		node := &core.Node{ObjectMeta: meta.ObjectMeta{Name: n.Name, Labels: map[string]string{
			"kubernetes.io/hostname":                n.Name,
			"kubernetes.io/arch":                    "amd64",
			"kubernetes.io/os":                      "linux",
			"node-role.kubernetes.io/control-plane": "",
			"node-role.kubernetes.io/master":        "",
			"node-role.kubernetes.io/worker":        "",
		}}}
		for _, ip := range n.IPs {
			node.Status.Addresses = append(node.Status.Addresses, core.NodeAddress{Type: core.NodeInternalIP, Address: ip})
		}
		node.Status.Addresses = append(node.Status.Addresses, core.NodeAddress{Type: core.NodeHostName, Address: n.Name})
		node.Status.Capacity = core.ResourceList{core.ResourceCPU: resource.MustParse("16"), core.ResourceMemory: resource.MustParse("48Gi"), core.ResourcePods: resource.MustParse("250")}
		node.Status.Allocatable = node.Status.Capacity
		node.Status.NodeInfo = core.NodeSystemInfo{Architecture: "amd64", OperatingSystem: "linux", KubeletVersion: "v1.33.5", OSImage: "Red Hat Enterprise Linux CoreOS 9.6"}
		node.Status.Conditions = []core.NodeCondition{{
			Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status",
			LastHeartbeatTime: meta.NewTime(long()), LastTransitionTime: meta.NewTime(long()),
		}}
		all = append(all, node)
	}
	return all
}

// seedConfig makes the cluster's own configuration: the objects called "cluster", and ClusterVersion "version".
func seedConfig(o SeedOptions) []client.Object {
	cluster := func(kind string, spec, status map[string]any) client.Object {
		u := obj.New(obj.Config, kind, "", "cluster")
		u.Object["spec"] = spec
		if status != nil {
			u.Object["status"] = status
		}
		return u
	}
	topology := "HighlyAvailable"
	if len(o.Nodes) == 1 {
		topology = "SingleReplica"
	}
	network := map[string]any{"clusterNetwork": podNetworks(o.Clusters), "serviceNetwork": texts(o.Services), "networkType": "OVNKubernetes"}
	return []client.Object{
		seedVersion(o),
		cluster("Infrastructure", map[string]any{"platformSpec": map[string]any{"type": "BareMetal", "baremetal": map[string]any{}}}, map[string]any{
			"apiServerURL":           "https://api." + o.Domain + ":6443",
			"apiServerInternalURI":   "https://api-int." + o.Domain + ":6443",
			"controlPlaneTopology":   topology,
			"infrastructureTopology": topology,
			"cpuPartitioning":        "None",
			"etcdDiscoveryDomain":    "",
			"infrastructureName":     "hub-" + strings.Split(o.Domain, ".")[0],
			"platform":               "BareMetal",
			"platformStatus":         map[string]any{"type": "BareMetal"},
		}),
		cluster("Ingress", map[string]any{"domain": "apps." + o.Domain}, nil),
		cluster("DNS", map[string]any{"baseDomain": o.Domain}, nil),
		cluster("Network", network, map[string]any{"clusterNetwork": podNetworks(o.Clusters), "serviceNetwork": texts(o.Services), "networkType": "OVNKubernetes"}),
		cluster("Proxy", map[string]any{"trustedCA": map[string]any{"name": ""}}, nil),
		cluster("Image", map[string]any{}, nil),
		cluster("OperatorHub", map[string]any{"disableAllDefaultSources": o.Disconnected}, nil),
	}
}

func podNetworks(cidrs []string) []any {
	var all []any
	for _, c := range cidrs {
		prefix := int64(23)
		if strings.Contains(c, ":") {
			prefix = 64
		}
		all = append(all, map[string]any{"cidr": c, "hostPrefix": prefix})
	}
	return all
}

func texts(list []string) []any {
	var all []any
	for _, s := range list {
		all = append(all, s)
	}
	return all
}

func seedVersion(o SeedOptions) client.Object {
	since := long().UTC().Format(time.RFC3339)
	minor := strings.Join(strings.SplitN(o.Version, ".", 3)[:2], ".")
	u := obj.New(obj.Config, "ClusterVersion", "", "version")
	u.Object["spec"] = map[string]any{"clusterID": "6f1d3b7a-91c5-4a53-8f5e-2f1d8a9b7c64", "channel": "stable-" + minor}
	u.Object["status"] = map[string]any{
		"availableUpdates":   nil,
		"desired":            map[string]any{"version": o.Version, "image": o.Image},
		"observedGeneration": int64(1),
		"versionHash":        "simulated",
		"history": []any{map[string]any{
			"state": "Completed", "startedTime": since, "completionTime": since, "version": o.Version, "image": o.Image, "verified": false,
		}},
		"conditions": []any{
			condition("Available", obj.True, "", "Done applying "+o.Version, since),
			condition("Failing", obj.False, "", "", since),
			condition("Progressing", obj.False, "", "Cluster version is "+o.Version, since),
		},
	}
	return u
}

func condition(kind, status, reason, message, since string) map[string]any {
	return map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
}

func seedOperators(o SeedOptions) []client.Object {
	since := long().UTC().Format(time.RFC3339)
	var all []client.Object
	for _, name := range []string{
		"authentication", "baremetal", "console", "dns", "etcd", "image-registry", "ingress", "kube-apiserver", "machine-config",
		"marketplace", "monitoring", "network", "operator-lifecycle-manager", "storage",
	} {
		u := obj.New(obj.Config, "ClusterOperator", "", name)
		u.Object["spec"] = map[string]any{}
		u.Object["status"] = map[string]any{
			"versions":   []any{map[string]any{"name": "operator", "version": o.Version}},
			"conditions": []any{condition("Available", obj.True, "AsExpected", "", since), condition("Progressing", obj.False, "AsExpected", "", since), condition("Degraded", obj.False, "AsExpected", "", since)},
		}
		all = append(all, u)
	}
	return all
}

func seedPools(o SeedOptions) []client.Object {
	var all []client.Object
	for name, count := range map[string]int64{"master": int64(len(o.Nodes)), "worker": 0} {
		u := obj.New(obj.MachineConf, "MachineConfigPool", "", name)
		rendered := "rendered-" + name + "-5f1c7d0e8a6b4c2d9e3f7a1b5c8d0e2f"
		u.Object["spec"] = map[string]any{
			"configuration":         map[string]any{"name": rendered},
			"nodeSelector":          map[string]any{"matchLabels": map[string]any{"node-role.kubernetes.io/" + name: ""}},
			"machineConfigSelector": map[string]any{"matchLabels": map[string]any{"machineconfiguration.openshift.io/role": name}},
		}
		u.Object["status"] = map[string]any{
			"machineCount": count, "readyMachineCount": count, "updatedMachineCount": count,
			"unavailableMachineCount": int64(0), "degradedMachineCount": int64(0), "observedGeneration": int64(1),
			"configuration": map[string]any{"name": rendered},
		}
		poolStatus(u, false)
		all = append(all, u)
	}
	return all
}
