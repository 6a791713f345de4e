package hypershift

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/labrun/labrun/internal/sim/world"
	configv1 "github.com/openshift/api/config/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errNoHosted says that the simulated lab has no hosted API servers.
var errNoHosted = errors.New("this simulated lab starts no hosted API server")

// sites are the hosted clusters, by their control plane's namespace, and the releases that were read.
type sites struct {
	world *world.World

	mu       sync.Mutex
	apis     map[string]*world.HostedAPI
	clients  map[string]client.Client
	releases map[string]release
}

// api starts the hosted API server, once.
func (s *sites) api(ctx context.Context, namespace string) (*world.HostedAPI, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.apis[namespace]; ok {
		return known, nil
	}
	if s.world.Hosted == nil {
		return nil, errNoHosted
	}
	api, err := s.world.Hosted(ctx, namespace)
	if err != nil {
		return nil, fmt.Errorf("starting the API server of %s: %w", namespace, err)
	}
	if s.apis == nil {
		s.apis, s.clients = map[string]*world.HostedAPI{}, map[string]client.Client{}
	}
	s.apis[namespace] = api
	return api, nil
}

// client is an administrator's of a hosted cluster.
func (s *sites) client(ctx context.Context, namespace string) (client.Client, error) {
	api, err := s.api(ctx, namespace)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.clients[namespace]; ok {
		return known, nil
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, configv1.Install} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("registering the hosted cluster's kinds: %w", err)
		}
	}
	made, err := client.New(api.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to the hosted cluster of %s: %w", namespace, err)
	}
	s.clients[namespace] = made
	return made, nil
}

func (s *sites) forget(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apis, namespace)
	delete(s.clients, namespace)
}

func (s *sites) release(key string) (release, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.releases[key]
	return found, ok
}

func (s *sites) remember(key string, found release) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.releases == nil {
		s.releases = map[string]release{}
	}
	s.releases[key] = found
}
