// Package generic holds the steps that bring about, await and delete objects of
// any kind, for what no built-in step does.
package generic

import (
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps/kube"
)

// Kinds lists them.
func Kinds[E kube.Environment]() []pipeline.Kind[E] {
	return []pipeline.Kind[E]{
		kube.Use[Apply, E]("k8s/apply", "Applies objects of any kind to the management cluster, by server-side apply.", `
- id: settings
  uses: k8s/apply
  with:
    manifest:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: settings, namespace: "${{ lab.hosted_cluster.namespace }}"}
      data: {domain: "${{ lab.domain }}"}
`),
		kube.Use[Wait, E]("k8s/wait", "Waits until an expression over an object is true. A field that is not there yet is waited for.", `
- id: catalog
  uses: k8s/wait
  with:
    api_version: operators.coreos.com/v1alpha1
    kind: CatalogSource
    namespace: openshift-marketplace
    name: mirrored
    condition: object.status.connectionState.lastObservedState == 'READY'
  timeout: 10m
`),
		kube.Use[Delete, E]("k8s/delete", "Deletes an object where it is there, and waits until it is gone.", `
- id: old_settings
  uses: k8s/delete
  with: {api_version: v1, kind: ConfigMap, namespace: default, name: settings}
`),
	}
}
