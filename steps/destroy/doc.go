// Package destroy takes a lab apart: in the one order in which a hosted cluster
// comes apart, by what the inventories on the management cluster hold, each object
// checked by label and UID. Its steps are those of any pipeline: pure functions over
// the facts, the inventories and what is seen; package kube deletes, watches and
// waits.
//
// What is to become of an entry is told by Judge, whose an object of a namespace is
// by Others. No step deletes what labrun did not make, and none takes a finalizer off.
package destroy

import (
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps/kube"
)

// Kinds lists the steps, in the order of their use.
func Kinds[E kube.Environment]() []pipeline.Kind[E] {
	return []pipeline.Kind[E]{
		kube.Use[Survey, E]("destroy/survey", "Reads the inventories and what they name, and refuses before anything is begun where a namespace that would go holds somebody else's objects.", ""),
		kube.Use[ManagedCluster, E]("destroy/managed-cluster", "Detaches the hosted cluster from multicluster engine, where that imported it by itself.", ""),
		kube.Use[ScaleDown, E]("destroy/scale-down", "Scales the NodePool to nothing and waits until its Machines have let the Agents go.", ""),
		kube.Use[TakeOut, E]("destroy/take-out", "Takes out of the NodePool just the workers that the lab file no longer has.", ""),
		kube.Use[Host, E]("destroy/host", "Deletes a BareMetalHost once it is not detached.", ""),
		kube.Use[Agent, E]("destroy/agent", "Deletes the Agents of a server whose BareMetalHost is gone, where their InfraEnv stays.", ""),
		kube.Use[Objects, E]("destroy/objects", "Deletes the lab's own objects of some kinds, or all that are left.", ""),
		kube.Use[HostedCluster, E]("destroy/hosted-cluster", "Deletes the HostedCluster with its NodePools, and waits for the end of its control plane.", ""),
		kube.Use[Namespace, E]("destroy/namespace", "Deletes the control plane's namespace where HyperShift left it.", ""),
		kube.Use[Namespaces, E]("destroy/namespaces", "Deletes the lab's other namespaces that hold nothing of somebody else's.", ""),
		kube.Use[HubObjects, E]("destroy/hub-objects", "Takes the lab off what the hub's labs share; the last one out deletes what labrun made of it, and restores the rest.", ""),
		pipeline.Use[Inventory[E], E]("destroy/inventory", "Deletes the inventories that hold nothing any more.", ""),
	}
}
