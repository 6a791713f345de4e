// Package assisted plays the infrastructure operator and the assisted-service that it runs: AgentServiceConfig (the
// service and what it needs), InfraEnv (the discovery ISO), Agent (a booted host's validations, binding and
// installation), and the baremetal agent controller, which links Agents to BareMetalHosts and gives these their ISO.
//
// Each part is there when it is there in reality: AgentServiceConfig is looked at once Deployment
// infrastructure-operator runs (it comes with MultiClusterEngine), all else while Deployment assisted-service does. The
// service reads its ConfigMaps when its pod starts: a changed ALLOW_CONVERGED_FLOW acts after a rollout only.
//
// The InfraEnv's id, which its ISO carries, is its metadata.uid.
//
// Delays, by the name that --delay takes, with the real durations:
//
//	iso                 10 s   a discovery ISO is made
//	iso-cooldown        60 s   a new ISO is not given to hosts before
//	agent-discovery     40 s   a booted host is asked for its inventory and validated
//	agent-binding       20 s   an Agent binds to a cluster
//	agent-bound         30 s   a bound Agent is insufficient before it is known
//	agent-prepare       20 s   the installation is prepared
//	agent-install       10 s   each short stage of the installation
//	agent-write          3 min the image is written to the disk
//	agent-reboot         4 min the host reboots into its disk and joins
//	agent-unbind        20 s   an Agent leaves a cluster
//	agent-lost           3 min a host that does not answer any more is disconnected
//	agent-reclaim        5 min an installed host reboots into the discovery ISO
//
// Failures: agent-validation (no host's clock is synchronized), infraenv-image (the service's agent image is in a
// registry that the pull secret does not cover), install-pending-user-action (once its disk is written, each host boots
// the discovery image again).
package assisted

import (
	"context"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Player is assisted-service and its operator.
func Player() world.Player {
	return world.Player{Name: "assisted", Plays: "infrastructure operator, assisted-service and its baremetal agent controller", Setup: setUp}
}

const (
	infraEnvLabel = "infraenvs.agent-install.openshift.io"
	serviceName   = "assisted-service"
	imageService  = "assisted-image-service"
	// home is where MultiClusterEngine runs the infrastructure operator.
	home = "multicluster-engine"
)

// durations of the real service, by delay.
func durations() map[string]time.Duration {
	return map[string]time.Duration{
		"iso": 10 * time.Second, "iso-cooldown": time.Minute, "agent-discovery": 40 * time.Second, "agent-binding": 20 * time.Second,
		"agent-bound": 30 * time.Second, "agent-prepare": 20 * time.Second, "agent-install": 10 * time.Second,
		"agent-write": 3 * time.Minute, "agent-reboot": 4 * time.Minute, "agent-unbind": 20 * time.Second, "agent-reclaim": 5 * time.Minute,
		"agent-lost": 3 * time.Minute,
	}
}

type service struct {
	client.Client
	world    *world.World
	clock    *stage.Clock
	events   events.EventRecorder
	settings *settingsOf // of the running pod
	images   *imagesMade
}

// lasts is how long a stage takes here.
func (s *service) lasts(name string) time.Duration {
	return s.world.Pace.Delay(name, durations()[name])
}

func setUp(mgr ctrl.Manager, w *world.World) error {
	c, err := obj.Client(mgr)
	if err != nil {
		return err
	}
	s := &service{Client: c, world: w, clock: &stage.Clock{}, events: mgr.GetEventRecorder("infrastructure-operator"), settings: &settingsOf{}, images: &imagesMade{}}
	for _, part := range []func(ctrl.Manager) error{s.watchConfigs, s.watchInfraEnvs, s.watchAgents, s.watchHosts, s.watchImages} {
		if err := part(mgr); err != nil {
			return err
		}
	}
	return nil
}

// by makes a reconciler of a function over the object's key.
type by func(ctx context.Context, key client.ObjectKey) (ctrl.Result, error)

func (f by) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	return obj.Settle(f(ctx, r.NamespacedName))
}
