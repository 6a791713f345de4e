package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/labrun/labrun/internal/sim/world"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// hosted are the API servers of the hosted clusters, by their control plane's namespace. One is started when its
// HyperShift asks for it, or taken from the one that was begun when HyperShift came. Where its namespace was deleted and
// made again, the cluster is another one.
type hosted struct {
	life   context.Context
	dir    string
	assets proc.Assets
	family controlplane.Family
	hub    *kubernetes.Clientset

	mu      sync.Mutex
	all     map[string]*site
	started int       // for folders of their own
	spare   *starting // nobody's yet
}

// starting is an API server that is being started.
type starting struct {
	done chan struct{}
	cp   *controlplane.ControlPlane
	err  error
}

type site struct {
	namespace types.UID
	cp        *controlplane.ControlPlane
	api       *world.HostedAPI
}

func newHosted(life context.Context, l *Lab) (*hosted, error) {
	client, err := kubernetes.NewForConfig(l.player())
	if err != nil {
		return nil, err
	}
	return &hosted{
		life: life, dir: filepath.Join(l.options.Dir, "hosted"), assets: l.options.Assets,
		family: l.family(), hub: client, all: map[string]*site{},
	}, nil
}

// api gives the API server of a namespace's hosted cluster, started where there is none yet.
func (h *hosted) api(ctx context.Context, namespace string) (*world.HostedAPI, error) {
	ns, err := h.hub.CoreV1().Namespaces().Get(ctx, namespace, meta.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("starting a hosted API server: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.all[namespace]; known != nil {
		if known.namespace == ns.UID {
			return known.api, nil
		}
		delete(h.all, namespace)
		if err := errors.Join(known.cp.Stop(ctx), os.RemoveAll(known.cp.Dir())); err != nil {
			return nil, fmt.Errorf("ending the API server of a hosted cluster that is gone: %w", err)
		}
	}
	next := h.spare
	if h.spare = nil; next == nil {
		next = h.start()
	}
	<-next.done // it has a time limit of its own
	if next.err != nil {
		return nil, next.err
	}
	cp := next.cp
	ip, port := cp.Address()
	s := &site{namespace: ns.UID, cp: cp, api: &world.HostedAPI{
		Config:     cp.ConfigFor("labsim", "system:masters"),
		Kubeconfig: cp.KubeconfigFor("system:admin", "system:masters"),
		Host:       ip, Port: int32(port),
	}}
	h.all[namespace] = s
	return s.api, nil
}

// Hosted is the API server of a hosted cluster, by its control plane's namespace; nil where there is none (yet). It logs
// all writes, as the management cluster does.
func (l *Lab) Hosted(namespace string) *controlplane.ControlPlane {
	if l.options.Hub != nil {
		return l.options.Hub.Hosted(namespace)
	}
	l.hosted.mu.Lock()
	defer l.hosted.mu.Unlock()
	if s := l.hosted.all[namespace]; s != nil {
		return s.cp
	}
	return nil
}

// warm begins to start the next API server before it is asked for: that takes seconds, and HyperShift's own stages
// pass meanwhile.
func (h *hosted) warm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spare == nil && len(h.all) == 0 {
		h.spare = h.start()
	}
}

func (h *hosted) start() *starting {
	h.started++
	s := &starting{done: make(chan struct{})}
	dir := filepath.Join(h.dir, strconv.Itoa(h.started))
	go func() {
		defer close(s.done)
		s.cp, s.err = controlplane.Start(h.life, controlplane.Options{
			Dir: dir, Assets: h.assets, Name: "hosted", Family: h.family, CRDs: []string{"openshift"},
			Audit: true,
		})
	}()
	return s
}

func (h *hosted) stop(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, s := range h.all {
		errs = append(errs, s.cp.Stop(ctx))
	}
	h.all = map[string]*site{}
	if h.spare != nil {
		if <-h.spare.done; h.spare.cp != nil {
			errs = append(errs, h.spare.cp.Stop(ctx))
		}
		h.spare = nil
	}
	return errors.Join(errs...)
}
