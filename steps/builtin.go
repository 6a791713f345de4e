// Package steps holds the built-in steps of labrun: each a small file that does
// one thing, listed once in Builtin. A Kubernetes step is two pure functions,
// Objects and Judge, over the engine of package kube; the others have Run.
package steps

import (
	"context"
	"reflect"
	"slices"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/kube/generic"
)

// Schema tells the engine of the facts of a lab.
func Schema() pipeline.Schema {
	return pipeline.Schema{
		Facts: reflect.TypeFor[labs.Facts](),
		Complete: func(name string, facts any) []pipeline.FactProblem {
			var problems []pipeline.FactProblem
			f := facts.(*labs.Facts)
			for _, p := range slices.Concat(labs.Complete(name, f), wrongSizes(f), wrongAddresses(f), wrongChecks(f)) {
				problems = append(problems, pipeline.FactProblem(p))
			}
			return problems
		},
		SecretFiles:     func(facts any) []string { return facts.(*labs.Facts).SecretFiles() },
		SecretVariables: func(facts any) []string { return facts.(*labs.Facts).SecretVariables() },
	}
}

// Builtin lists the kinds of steps, in the order of the workflow.
func Builtin() []pipeline.Kind[*Env] {
	all := hubKinds()
	all = append(all, hostedKinds()...)
	all = append(all, workerKinds()...)
	all = append(all, generic.Kinds[*Env]()...)
	return append(all, generalKinds()...)
}

func hubKinds() []pipeline.Kind[*Env] {
	return []pipeline.Kind[*Env]{
		kube.Use[HubInfo, *Env]("openshift/hub-info", "Reads what the management cluster is: its version, nodes, MCE and AgentServiceConfig.", `
- id: hub_info
  uses: openshift/hub-info
`),
		kube.Use[RegistryCA, *Env]("openshift/registry-ca", "Makes the management cluster trust the lab's registry: a ConfigMap with its CA, or a further key in the one that images.config names already.", `
- id: registry_ca
  uses: openshift/registry-ca
  with: {name: registry-config}
`),
		kube.Use[ImageConfig, *Env]("openshift/image-config", "Names that ConfigMap in images.config, where none is named yet.", `
- id: image_config
  uses: openshift/image-config
  with: {name: registry-config}
`),
		kube.Use[UserCABundle, *Env]("openshift/user-ca-bundle", "Extends user-ca-bundle of the management cluster by the registry's CA; its nodes restart.", `
- id: user_ca_bundle
  uses: openshift/user-ca-bundle
`),
		kube.Use[MCEOperator, *Env]("mce/operator", "Installs multicluster engine's operator from a catalog, or uses the one that is there.", `
- id: mce_operator
  uses: mce/operator
`),
		kube.Use[MCEEngine, *Env]("mce/engine", "Turns on the Agent and HyperShift components of the MultiClusterEngine, and waits for them.", `
- id: mce
  uses: mce/engine
`),
		kube.Use[InstallFlags, *Env]("hypershift/install-flags", "Takes the telemetry flag out of the HyperShift operator where that would ignore HostedClusters: in a disconnected lab, or without Secret telemeter-client.", `
- id: install_flags
  uses: hypershift/install-flags
`),
		kube.Use[HyperShiftOperator, *Env]("hypershift/operator", "Waits for the HyperShift operator, and checks that it supports the lab's release.", `
- id: hypershift_operator
  uses: hypershift/operator
`),
		kube.Use[Provisioning, *Env]("metal3/provisioning", "Lets Metal3 see hosts of all namespaces, and waits for its restart.", `
- id: provisioning
  uses: metal3/provisioning
`),
		kube.Use[ImageServer, *Env]("metal3/image-server", "Reads from where BMCs will fetch their boot image: by default it is Ironic's copy, not the discovery image itself.", `
- id: image_server
  uses: metal3/image-server
`),
		kube.Use[Registries, *Env]("assisted/registries", "Tells assisted-service where images are mirrored.", `
- id: registries
  uses: assisted/registries
`),
		kube.Use[AssistedConfig, *Env]("assisted/config", "Sets assisted-service's own settings: converged flow, registries without credentials.", `
- id: assisted_config
  uses: assisted/config
`),
		kube.Use[AgentService, *Env]("assisted/service", "Runs assisted-service with the lab's live image, and waits until it is healthy.", `
- id: agent_service
  uses: assisted/service
`),
	}
}

// waiting bounds a kind that waits, where its step gives no timeout.
func waiting(k pipeline.Kind[*Env]) pipeline.Kind[*Env] {
	k.Timeout = kube.DefaultTimeout
	return k
}

// looks is a kind that changes nothing: it only looks.
func looks(k pipeline.Kind[*Env]) pipeline.Kind[*Env] {
	k.Plan = func(context.Context, *Env, any) (pipeline.Change, error) {
		return pipeline.Change{Note: "only looks"}, nil
	}
	return k
}

// needless names the options of a kind that can say that nothing is to do.
func needless(k pipeline.Kind[*Env], options ...string) pipeline.Kind[*Env] {
	k.Needless = options
	return k
}

func generalKinds() []pipeline.Kind[*Env] {
	return []pipeline.Kind[*Env]{
		looks(waiting(pipeline.Use[HTTPServed]("http/served", "Waits until URLs serve bytes.", `
- id: os_images
  uses: http/served
  with: {urls: ["${{ lab.release.rhcos.live_iso }}"]}
`))),
		looks(waiting(pipeline.Use[DNSResolves]("dns/resolves", "Waits until names resolve to given addresses, asked of the lab's own name server.", `
- id: apps
  uses: dns/resolves
  with: {names: [console.apps.hosted.lab.example], addresses: ["2001:db8::10"]}
`))),
		needless(pipeline.Use[Exec]("exec", "Runs a program on this machine, without a shell unless one is asked for.", `
- id: nodes_by_hand
  uses: exec
  with: {command: [kubectl, get, nodes]}
`), "creates", "unless", "once"),
		looks(pipeline.Use[Assert]("assert", "Fails unless an expression is true.", `
- id: enough_workers
  uses: assert
  with: {that: "len(lab.workers) >= 2", message: this lab needs two workers}
`)),
	}
}
