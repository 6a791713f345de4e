package assisted

import "github.com/labrun/labrun/internal/sim/players/obj"

// hostView is what an Agent's conditions are made of.
type hostView struct {
	state, stage string
	approved     bool
	failed       string // messages of failing validations
	validated    bool   // validations were calculated
	specFault    string // why the spec cannot be applied
	disk         string // that is installed to, in words
}

// info is what the service says about the host's state.
func (v hostView) info() string {
	if v.state == statePendingReboot {
		return "Expected the host to boot from disk, but it booted the installation image - please reboot and fix boot order to boot from disk " + v.disk
	}
	return stateInfo(v.state, v.failed)
}

func (v hostView) in(states ...string) bool {
	for _, s := range states {
		if v.state == s {
			return true
		}
	}
	return false
}

// conditions are all of an Agent's, in the service's words.
func (v hostView) conditions() []obj.Condition {
	return []obj.Condition{v.specSynced(), v.bound(), v.connected(), v.validations(), v.requirements(), v.installed()}
}

func (v hostView) specSynced() obj.Condition {
	if v.specFault != "" {
		return obj.Condition{Type: "SpecSynced", Status: obj.False, Reason: "InputError", Message: "The Spec could not be synced due to an input error: " + v.specFault}
	}
	return obj.Condition{Type: "SpecSynced", Status: obj.True, Reason: "SyncOK", Message: "The Spec has been successfully applied"}
}

func (v hostView) connected() obj.Condition {
	if v.in(stateLost, stateLostUnbound) {
		return obj.Condition{Type: "Connected", Status: obj.False, Reason: "AgentIsDisconnected", Message: "The agent has not contacted the installation service in some time, user action should be taken"}
	}
	return obj.Condition{Type: "Connected", Status: obj.True, Reason: "AgentIsConnected", Message: "The agent's connection to the installation service is unimpaired"}
}

// moving is the condition that most types have while a host is bound or unbound.
func (v hostView) moving(kind string) (obj.Condition, bool) {
	switch v.state {
	case stateBinding:
		return obj.Condition{Type: kind, Status: obj.False, Reason: "Binding", Message: "The agent is currently binding to a cluster deployment"}, true
	case stateUnbinding, stateReclaim:
		return obj.Condition{Type: kind, Status: obj.False, Reason: "Unbinding", Message: "The agent is currently unbinding from a cluster deployment"}, true
	}
	return obj.Condition{}, false
}

func (v hostView) bound() obj.Condition {
	if v.state == stateReclaim {
		return obj.Condition{Type: "Bound", Status: obj.False, Reason: "UnbindingPendingUserAction", Message: "The agent is currently unbinding; Pending host reboot from infraenv image"}
	}
	if c, ok := v.moving("Bound"); ok {
		return c
	}
	if unbound(v.state) {
		return obj.Condition{Type: "Bound", Status: obj.False, Reason: "Unbound", Message: "The agent is not bound to any cluster deployment"}
	}
	return obj.Condition{Type: "Bound", Status: obj.True, Reason: "Bound", Message: "The agent is bound to a cluster deployment"}
}

func (v hostView) validations() obj.Condition {
	if c, ok := v.moving("Validated"); ok {
		return c
	}
	switch {
	case v.in(stateInsufficient, stateInsufficientUnbound):
		return obj.Condition{Type: "Validated", Status: obj.False, Reason: "ValidationsFailing", Message: "The agent's validations are failing: " + v.failed}
	case !v.validated:
		return obj.Condition{Type: "Validated", Status: "Unknown", Reason: "ValidationsUnknown", Message: "The agent's validations have not yet been calculated"}
	}
	return obj.Condition{Type: "Validated", Status: obj.True, Reason: "ValidationsPassing", Message: "The agent's validations are passing"}
}

func (v hostView) requirements() obj.Condition {
	if c, ok := v.moving("RequirementsMet"); ok {
		return c
	}
	c := obj.Condition{Type: "RequirementsMet", Status: obj.False}
	switch {
	case v.in(stateKnown, stateKnownUnbound) && v.approved:
		c.Status, c.Reason, c.Message = obj.True, "AgentIsReady", "The agent is ready to begin the installation"
	case v.in(stateKnown, stateKnownUnbound):
		c.Reason, c.Message = "AgentIsNotApproved", "The agent is not approved"
	case v.in(statePreparing, stateInstalling, stateInProgress, statePendingReboot):
		c.Status, c.Reason, c.Message = obj.True, "AgentAlreadyInstalling", "Installation already started and is in progress"
	case v.in(stateAdded):
		c.Status, c.Reason, c.Message = obj.True, "AgentInstallationStopped", "The agent installation stopped"
	default:
		c.Reason, c.Message = "AgentNotReady", "The agent is not ready to begin the installation"
	}
	return c
}

func (v hostView) installed() obj.Condition {
	if c, ok := v.moving("Installed"); ok {
		return c
	}
	c := obj.Condition{Type: "Installed", Status: obj.False}
	switch {
	case v.in(stateAdded):
		c.Status, c.Reason, c.Message = obj.True, "InstallationCompleted", "The installation has completed: "+stateInfo(v.state, "")
	case v.in(statePreparing, stateInstalling, stateInProgress, statePendingReboot):
		info := v.info()
		if v.stage != "" && v.state != statePendingReboot {
			info = v.stage
		}
		c.Reason, c.Message = "InstallationInProgress", "The installation is in progress: "+info
	default:
		c.Reason, c.Message = "InstallationNotStarted", "The installation has not yet started"
	}
	return c
}
