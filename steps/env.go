package steps

import (
	"context"
	"path/filepath"
	"sync"

	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// Env is what a step of a lab works with: the facts, its own scope, the clock,
// and the clusters, which are connected to when they are first asked for.
type Env struct {
	*Lab
	scope *pipeline.Scope
}

// Scope is the running step's.
func (e *Env) Scope() *pipeline.Scope { return e.scope }

// Lab is what all steps of one run share. Its methods may be called side by side.
type Lab struct {
	facts *labs.Facts
	opts  LabOptions

	hub    *shared[*kube.Cluster]
	hosted *shared[*kube.Cluster]

	programs groups // that run
	tenure   *kube.Tenure

	mu      sync.Mutex
	secrets map[string]*shared[labs.Secret]
	redfish int
	logins  map[string]redfish.Host // of the BMCs of hosts that are to go, by name
}

// LabOptions say how a lab is worked on.
type LabOptions struct {
	Name       string // of the lab
	Kubeconfig string // instead of the lab file's
	StateDir   string // folder of the lab, for results that the file names no place for
	Now        func() time.Time
	Adopt      bool                          // take over objects that exist and are not the lab's
	Reveal     bool                          // render secrets as they are
	Conceal    func(secret string)           // is told each secret once it is found; may be nil
	Holds      func(text string) bool        // says whether one of them stands in a text; may be nil
	Keeps      func(step, key string) string // why an undo leaves what a step made, "" where it does not; may be nil
}

// NewLab makes what the steps of a run share. It connects to nothing.
func NewLab(facts *labs.Facts, opts LabOptions) *Lab {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Conceal == nil {
		opts.Conceal = func(string) {}
	}
	if opts.Holds == nil {
		opts.Holds = func(string) bool { return false }
	}
	return &Lab{facts: facts, opts: opts, hub: newShared[*kube.Cluster](), hosted: newShared[*kube.Cluster](), secrets: map[string]*shared[labs.Secret]{},
		logins: map[string]redfish.Host{}}
}

// Env gives the environment of one step.
func (l *Lab) Env(scope *pipeline.Scope) *Env { return &Env{Lab: l, scope: scope} }

// Facts are the lab's.
func (l *Lab) Facts() *labs.Facts { return l.facts }

// Now is the time.
func (l *Lab) Now() time.Time { return l.opts.Now() }

// Adopt says whether foreign objects are taken over.
func (l *Lab) Adopt() bool { return l.opts.Adopt }

// Keeps says why an undo leaves what the inventory holds.
func (l *Lab) Keeps(e kube.Entry) string {
	if l.opts.Keeps == nil {
		return ""
	}
	return l.opts.Keeps(e.Step, e.Key)
}

// RevealSecrets says whether secrets are rendered as they are.
func (l *Lab) RevealSecrets() bool { return l.opts.Reveal }

// Kubeconfig is the management cluster's.
func (l *Lab) Kubeconfig() string {
	if l.opts.Kubeconfig != "" {
		return l.opts.Kubeconfig
	}
	return string(l.facts.Management.Kubeconfig)
}

// Hub is the management cluster.
func (l *Lab) Hub(ctx context.Context) (*kube.Cluster, error) {
	return l.hub.get(ctx, func() (*kube.Cluster, error) {
		l.concealLoginsIn(l.Kubeconfig())
		c, err := kube.Connect(l.Kubeconfig(), l.facts.Management.Context)
		if err != nil {
			return nil, &pipeline.Report{Report: event.Report{Title: err.Error(), Next: "name the management cluster's kubeconfig: --kubeconfig FILE, or lab.management_cluster.kubeconfig"}, Cause: err}
		}
		return c, nil
	})
}

// HostedCluster is the cluster that is built, by the kubeconfig that HyperShift
// publishes on the hub.
func (l *Lab) HostedCluster(ctx context.Context) (*kube.Cluster, error) {
	return l.hosted.get(ctx, func() (*kube.Cluster, error) {
		ref, err := l.resultSecret(ctx, "kubeconfig", kubeconfigSecret(l.facts))
		if err != nil {
			return nil, err
		}
		kubeconfig, err := l.published(ctx, ref, "kubeconfig")
		if err != nil {
			return nil, err
		}
		l.concealLogins(kubeconfig)
		return kube.ConnectBytes([]byte(kubeconfig), "")
	})
}

// result is where a result is written: where the lab file says, else in the
// lab's state folder.
func (l *Lab) result(path labs.Path, name string) string {
	if path != "" {
		return string(path)
	}
	return filepath.Join(l.opts.StateDir, name)
}

// Requests counts what was asked of whom so far.
func (l *Lab) Requests() map[string]int {
	counts := map[string]int{}
	add := func(name string, c *kube.Cluster, ok bool) {
		if ok {
			r := c.Requests()
			counts[name+" reads"], counts[name+" watches"], counts[name+" writes"] = r.Reads, r.Watches, r.Writes
			if r.DryRuns > 0 {
				counts[name+" dry runs"] = r.DryRuns
			}
		}
	}
	hub, ok := l.hub.peek()
	add("hub", hub, ok)
	hosted, ok := l.hosted.peek()
	add("hosted", hosted, ok)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.redfish > 0 {
		counts["redfish"] = l.redfish
	}
	return counts
}

// Kill ends at once what steps have started on this machine.
func (l *Lab) Kill() { l.programs.kill() }

// Close ends all connections.
func (l *Lab) Close() {
	if c, ok := l.hub.peek(); ok {
		c.Close()
	}
	if c, ok := l.hosted.peek(); ok {
		c.Close()
	}
}
