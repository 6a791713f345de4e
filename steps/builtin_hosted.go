package steps

import (
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps/kube"
)

func hostedKinds() []pipeline.Kind[*Env] {
	return []pipeline.Kind[*Env]{
		kube.Use[Namespaces, *Env]("hypershift/namespaces", "Makes the namespaces of the HostedCluster and of its control plane.", `
- id: namespaces
  uses: hypershift/namespaces
`),
		kube.Use[PullSecret, *Env]("hypershift/pull-secret", "Brings the pull secret, with the credentials of the lab's registry merged into it.", `
- id: pull_secret
  uses: hypershift/pull-secret
`),
		kube.Use[SSHKey, *Env]("hypershift/ssh-key", "Brings the SSH public key that may log in to the workers.", `
- id: ssh_key
  uses: hypershift/ssh-key
`),
		kube.Use[EtcdKey, *Env]("hypershift/etcd-key", "Makes the key that encrypts etcd, once and never again.", `
- id: etcd_key
  uses: hypershift/etcd-key
`),
		kube.Use[TrustBundle, *Env]("hypershift/trust-bundle", "Makes the hosted cluster trust the lab's registry.", `
- id: trust_bundle
  uses: hypershift/trust-bundle
`),
		kube.Use[CAPIRole, *Env]("hypershift/capi-role", "Lets the Cluster API provider work with Agents.", `
- id: capi_role
  uses: hypershift/capi-role
`),
		kube.Use[HostedCluster, *Env]("hypershift/hosted-cluster", "Makes the HostedCluster and waits for its control plane.", `
- id: hosted_cluster
  uses: hypershift/hosted-cluster
  with: {patch: {spec: {autoscaling: {maxNodesTotal: 4}}}}
`),
		kube.Use[NodePool, *Env]("hypershift/node-pool", "Makes the NodePool, empty.", `
- id: node_pool
  uses: hypershift/node-pool
`),
	}
}

func workerKinds() []pipeline.Kind[*Env] {
	return []pipeline.Kind[*Env]{
		kube.Use[NMState, *Env]("assisted/nmstate", "Gives one worker its static network in the discovery image.", `
- id: network
  forEach: lab.workers
  when: item.network.addresses != []
  uses: assisted/nmstate
  with: {worker: "${{ item }}"}
`),
		kube.Use[InfraEnv, *Env]("assisted/infraenv", "Makes the InfraEnv and waits for its discovery image.", `
- id: infraenv
  uses: assisted/infraenv
`),
		pipeline.Use[Preflight]("redfish/preflight", "Asks every worker's BMC whether it can do what the lab needs of it, before any BareMetalHost exists.", `
- id: probe_bmcs
  uses: redfish/preflight
  with: {hosts: "${{ lab.workers }}", image: "${{ steps.infraenv.outputs.iso_url }}"}
`),
		kube.Use[Host, *Env]("metal3/host", "Hands one worker to Metal3 and waits until it was powered on from the discovery image.", `
- id: host
  forEach: lab.workers
  when: item.name in steps.probe_bmcs.outputs.usable
  uses: metal3/host
  with: {worker: "${{ item }}"}
`),
		kube.Use[Agent, *Env]("assisted/agent", "Waits until a worker's Agent has registered and is ready to be bound.", `
- id: agent
  forEach: lab.workers
  uses: assisted/agent
  with: {worker: "${{ item }}"}
`),
		kube.Use[Scale, *Env]("hypershift/scale", "Gives the NodePool its workers; never takes one away.", `
- id: scale
  uses: hypershift/scale
  with: {replicas: 2}
`),
		kube.Use[Installed, *Env]("assisted/installed", "Follows the installation of one worker to its end.", `
- id: installed
  forEach: lab.workers
  uses: assisted/installed
  with: {worker: "${{ item }}"}
`),
		kube.Use[Nodes, *Env]("openshift/nodes", "Waits until every worker is a Ready node of the hosted cluster.", `
- id: nodes
  uses: openshift/nodes
  with: {workers: [worker0, worker1]}
`),
		kube.Use[Router, *Env]("openshift/router", "Finds the worker that runs the hosted cluster's router.", `
- id: router
  uses: openshift/router
`),
		kube.Use[Completed, *Env]("hypershift/completed", "Waits until the hosted cluster's version is Completed.", `
- id: completed
  uses: hypershift/completed
`),
		pipeline.Use[Credentials]("hypershift/credentials", "Writes the hosted cluster's kubeconfig and kubeadmin's password to files of mode 0600.", `
- id: kubeconfig
  uses: hypershift/credentials
`),
	}
}
