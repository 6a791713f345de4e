// Package openshift plays what an OpenShift hub brings itself, so that the other operators find what they stand on: a
// kubelet and the workload controllers (Workloads), the cluster-baremetal-operator (Provisioning), the machine config
// operator as far as registries go (ImageConfig), and the objects of a fresh cluster (Seed).
//
// Delays, by the name that --delay takes, with the real durations:
//
//	deployment      30 s    pods of a Deployment or StatefulSet become ready
//	pod-retry       10 s    a pod that lacks a ConfigMap, Secret or volume is tried again
//	node-config      3 min  the nodes take a change of registries or certificates
package openshift

import (
	"time"

	"github.com/labrun/labrun/internal/sim/world"
)

func deploymentTime(p world.Pace) time.Duration { return p.Delay("deployment", 30*time.Second) }
func podRetryTime(p world.Pace) time.Duration {
	return max(50*time.Millisecond, p.Delay("pod-retry", 10*time.Second))
}
func nodeConfigTime(p world.Pace) time.Duration { return p.Delay("node-config", 3*time.Minute) }
