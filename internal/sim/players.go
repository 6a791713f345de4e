package sim

import (
	"github.com/labrun/labrun/internal/sim/players/assisted"
	"github.com/labrun/labrun/internal/sim/players/hypershift"
	"github.com/labrun/labrun/internal/sim/players/machine"
	"github.com/labrun/labrun/internal/sim/players/mce"
	"github.com/labrun/labrun/internal/sim/players/metal3"
	"github.com/labrun/labrun/internal/sim/players/olm"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/world"
)

// Player is a simulated operator and what it must find to start.
type Player struct {
	world.Player

	// Kinds are CustomResourceDefinitions that the player watches and that a fresh hub does not have: it starts when
	// they are there.
	Kinds []string
}

// Players lists the simulated operators, in the order of their start. Each can be left out by its name.
func Players() []Player {
	const (
		engine   = "multiclusterengines.multicluster.openshift.io"
		addons   = "managedclusteraddons.addon.open-cluster-management.io"
		infraEnv = "infraenvs.agent-install.openshift.io"
		agent    = "agents.agent-install.openshift.io"
		hosted   = "hostedclusters.hypershift.openshift.io"
		machines = "machines.cluster.x-k8s.io"
	)
	return []Player{
		{Player: openshift.Workloads()},
		{Player: openshift.ImageConfig()},
		{Player: openshift.Provisioning()},
		{Player: olm.Player()},
		{Player: metal3.Player()},
		{Player: mce.Player(), Kinds: []string{engine, addons}},
		{Player: assisted.Player(), Kinds: []string{infraEnv, agent, "agentserviceconfigs.agent-install.openshift.io", "nmstateconfigs.agent-install.openshift.io"}},
		{Player: hypershift.Player(), Kinds: []string{hosted, machines, agent}},
		{Player: machine.Player(), Kinds: []string{infraEnv, agent}},
	}
}

// machines is the name of the player that each lab of a hub runs for its own rack.
const machines = "machine"
