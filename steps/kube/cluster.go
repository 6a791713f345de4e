package kube

import "k8s.io/client-go/rest"

// Cluster is a connection to one cluster.
type Cluster struct {
	config *rest.Config
}
