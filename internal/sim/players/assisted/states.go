package assisted

import "slices"

// States of a host, as status.debugInfo.state holds them.
const (
	stateDiscoveringUnbound  = "discovering-unbound"
	stateInsufficientUnbound = "insufficient-unbound"
	stateKnownUnbound        = "known-unbound"
	stateBinding             = "binding"
	stateInsufficient        = "insufficient"
	stateKnown               = "known"
	statePreparing           = "preparing-for-installation"
	stateInstalling          = "installing"
	stateInProgress          = "installing-in-progress"
	stateAdded               = "added-to-existing-cluster"
	statePendingReboot       = "installing-pending-user-action"
	stateUnbinding           = "unbinding"
	stateReclaim             = "unbinding-pending-user-action"
	stateLostUnbound         = "disconnected-unbound"
	stateLost                = "disconnected"
)

// installStage is a stage of the installation, and the delay that it takes.
type installStage struct {
	name, delay string
	percent     int64
}

// installStages are those of a host that is added to a cluster.
func installStages() []installStage {
	return []installStage{
		{"Starting installation", "agent-install", 1},
		{"Installing", "agent-install", 7},
		{"Writing image to disk", "agent-write", 25},
		{"Rebooting", "agent-reboot", 60},
		{"Joined", "agent-install", 90},
		{"Done", "", 100},
	}
}

// situation is all that a host's next state depends on.
type situation struct {
	state, stage string
	lost         bool // the host's agent does not answer any more
	known        bool // the inventory is there
	valid        bool // no validation fails
	approved     bool
	wanted       bool // a cluster is named to bind to
	wrongBoot    bool // once its disk is written it boots the discovery image again
}

// step is where a host goes next: its state and stage, after the delay of that name; "" means at once. A step to where
// the host is already means that it stays.
type step struct{ state, stage, delay string }

// next is the state machine of a host.
func next(s situation) step {
	stay := step{s.state, s.stage, ""}
	if s.lost {
		return lose(s)
	}
	if !s.wanted && !unbound(s.state) {
		return leave(s)
	}
	judged := func(good, bad, delay string) step {
		if s.valid {
			return step{good, "", delay}
		}
		return step{bad, "", delay}
	}
	switch s.state {
	case "":
		return step{stateDiscoveringUnbound, "", ""}
	case stateDiscoveringUnbound:
		if !s.known {
			return stay
		}
		return judged(stateKnownUnbound, stateInsufficientUnbound, "agent-discovery")
	case stateLostUnbound:
		return step{stateDiscoveringUnbound, "", ""}
	case stateLost:
		return step{stateInsufficient, "", ""}
	case stateKnownUnbound, stateInsufficientUnbound:
		if s.wanted {
			return step{stateBinding, "", ""}
		}
		return judged(stateKnownUnbound, stateInsufficientUnbound, "")
	case stateBinding:
		return step{stateInsufficient, "", "agent-binding"}
	case stateInsufficient:
		return judged(stateKnown, stateInsufficient, "agent-bound")
	case stateKnown:
		if !s.valid {
			return step{stateInsufficient, "", ""}
		}
		if s.approved {
			return step{statePreparing, "", "agent-bound"}
		}
	case statePreparing:
		return step{stateInstalling, "", "agent-prepare"}
	case stateInstalling:
		return step{stateInProgress, installStages()[0].name, "agent-install"}
	case stateInProgress:
		if to := progress(s.stage); !s.wrongBoot || to.stage != "Rebooting" {
			return to
		}
		return step{statePendingReboot, "Rebooting", "agent-write"}
	case stateReclaim:
		return step{stateDiscoveringUnbound, "", "agent-reclaim"}
	case stateUnbinding:
		return step{stateDiscoveringUnbound, "", "agent-unbind"}
	}
	return stay
}

// lose is where a host goes whose agent fell silent. One that installs is left alone: it reboots.
func lose(s situation) step {
	switch {
	case s.state == "":
		return step{stateDiscoveringUnbound, "", ""}
	case unbound(s.state):
		return step{stateLostUnbound, "", "agent-lost"}
	case slices.Contains([]string{stateBinding, stateInsufficient, stateKnown, stateLost}, s.state):
		return step{stateLost, "", "agent-lost"}
	}
	s.lost = false
	return next(s)
}

// progress goes through the stages; at the last the host is part of the cluster.
func progress(stage string) step {
	stages := installStages()
	at := slices.IndexFunc(stages, func(i installStage) bool { return i.name == stage })
	if at == len(stages)-1 {
		return step{stateAdded, stage, ""}
	}
	return step{stateInProgress, stages[at+1].name, stages[max(at, 0)].delay}
}

// leave is how a host that is not wanted by a cluster any more gets out of it: an installed one by booting the ISO again.
func leave(s situation) step {
	switch s.state {
	case stateUnbinding:
		return step{stateDiscoveringUnbound, "", "agent-unbind"}
	case stateReclaim:
		return step{stateDiscoveringUnbound, "", "agent-reclaim"}
	case stateBinding, stateInsufficient, stateKnown, stateLost, statePreparing:
		return step{stateUnbinding, "", ""}
	}
	return step{stateReclaim, "", ""}
}

func unbound(state string) bool {
	return slices.Contains([]string{"", stateDiscoveringUnbound, stateKnownUnbound, stateInsufficientUnbound, stateLostUnbound}, state)
}

// stateInfo is what the service says about a state.
func stateInfo(state, failed string) string {
	switch state {
	case stateDiscoveringUnbound:
		return "Waiting for host to send hardware details"
	case stateKnownUnbound:
		return "Host is ready to be bound to a cluster"
	case stateInsufficientUnbound, stateInsufficient:
		text := "Host cannot be installed due to following failing validation(s): " + failed
		if state == stateInsufficientUnbound {
			text = "Host does not meet the minimum hardware requirements: " + failed
		}
		return text
	case stateBinding:
		return "Host is waiting to be bound to the cluster"
	case stateKnown:
		return "Host is ready to be installed"
	case statePreparing:
		return "Host is preparing for installation"
	case stateInstalling:
		return "Installation is in progress"
	case stateAdded:
		return "Done"
	case stateUnbinding:
		return "Host is waiting to be unbound from the cluster"
	case stateLost, stateLostUnbound:
		return "Host has stopped communicating with the installation service"
	case stateReclaim:
		return "Host is waiting to be rebooted into the discovery image"
	}
	return ""
}
