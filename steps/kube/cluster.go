package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// What one client may ask a second. labrun's requests are few; the limit only
// keeps a mistake from becoming a flood.
const (
	requestsPerSecond = 200
	requestsAtOnce    = 400
)

// Cluster is a connection to one cluster. Its methods may be called side by side.
type Cluster struct {
	config    *rest.Config
	http      *http.Client
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	kinds     *kinds
	requests  *counter
	inventory sync.Map // name of an inventory's ConfigMap → *inventory

	tellSilence, endSilence time.Duration // how long a request of a step may go unanswered
	lingering               time.Duration // how much longer than the run one that changes something
	lastWord                time.Duration // how long an answer that may pass is not taken for the last one
}

// Connect makes a connection to the cluster of a context ("" for the current
// one) of a kubeconfig file. It asks the server nothing.
func Connect(kubeconfig, contextName string) (*Cluster, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: contextName}).ClientConfig()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the kubeconfig %s: no such file", kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig %s: %w", kubeconfig, err)
	}
	return NewCluster(config)
}

// ConnectBytes is Connect of a kubeconfig's text.
func ConnectBytes(kubeconfig []byte, contextName string) (*Cluster, error) {
	raw, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading a kubeconfig: %w", err)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, contextName, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading a kubeconfig: %w", err)
	}
	return NewCluster(config)
}

// NewCluster makes a connection as config says.
func NewCluster(config *rest.Config) (*Cluster, error) {
	c := &Cluster{config: rest.CopyConfig(config), requests: newCounter(), tellSilence: tellSilence, endSilence: endSilence, lingering: lingering, lastWord: lastWord}
	c.config.UserAgent = "labrun"
	c.config.QPS, c.config.Burst = requestsPerSecond, requestsAtOnce
	c.config.WarningHandler = rest.NoWarnings{}
	c.config.Wrap(c.requests.wrap)
	var err error
	if c.http, err = rest.HTTPClientFor(c.config); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, c.http); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	if c.metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(c.config), c.http); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	if c.kinds, err = newKinds(c.config, c.http); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	return c, nil
}

// Host is where the API server answers, as the kubeconfig names it.
func (c *Cluster) Host() string { return c.config.Host }

// Requests are those sent so far.
func (c *Cluster) Requests() Requests { return c.requests.total() }

// Close ends the connections that are kept open between requests.
func (c *Cluster) Close() { c.http.CloseIdleConnections() }
