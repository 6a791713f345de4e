package olm

import (
	"fmt"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

type subscriptionSpec struct {
	Channel         string `json:"channel"`
	Package         string `json:"name"`
	Source          string `json:"source"`
	SourceNamespace string `json:"sourceNamespace"`
	StartingCSV     string `json:"startingCSV"`
	Approval        string `json:"installPlanApproval"`
}

// catalogState is a CatalogSource as a Subscription's resolution finds it.
type catalogState int

const (
	catalogMissing catalogState = iota
	catalogConnecting
	catalogFailing
	catalogReady
)

// version names a ClusterServiceVersion.
func (s subscriptionSpec) version(number string) string { return s.Package + ".v" + number }

// judgeCatalog is the condition CatalogSourcesUnhealthy.
func judgeCatalog(s subscriptionSpec, state catalogState) obj.Condition {
	c := obj.Condition{Type: "CatalogSourcesUnhealthy", Status: obj.False, Reason: "AllCatalogSourcesHealthy", Message: "all available catalogsources are healthy"}
	fault := map[catalogState]string{catalogMissing: "missing", catalogFailing: "unhealthy", catalogConnecting: "unhealthy"}[state]
	if fault != "" {
		c.Status, c.Reason = obj.True, "UnhealthyCatalogSourceFound"
		c.Message = fmt.Sprintf("targeted catalogsource %s/%s %s", s.SourceNamespace, s.Source, fault)
	}
	return c
}

// resolve finds the version that the Subscription asks for, or the condition ResolutionFailed.
func resolve(name string, s subscriptionSpec, state catalogState) (csv string, failed *obj.Condition) {
	unsatisfiable := func(format string, args ...any) *obj.Condition {
		reason := fmt.Sprintf(format, args...)
		return &obj.Condition{Type: "ResolutionFailed", Status: obj.True, Reason: "ConstraintsNotSatisfiable",
			Message: fmt.Sprintf("constraints not satisfiable: %s, subscription %s exists", reason, name)}
	}
	if state == catalogMissing {
		return "", unsatisfiable("no operators found from catalog %s in namespace %s referenced by subscription %s", s.Source, s.SourceNamespace, name)
	}
	if state == catalogFailing {
		return "", &obj.Condition{Type: "ResolutionFailed", Status: obj.True, Reason: "ErrorPreventedResolution", Message: fmt.Sprintf(
			"failed to populate resolver cache from source %[1]s/%[2]s: failed to list bundles: rpc error: code = Unavailable desc = connection error: "+
				"desc = \"transport: Error while dialing: dial tcp: lookup %[1]s.%[2]s.svc: no such host\"", s.Source, s.SourceNamespace)}
	}
	channels, known := packages()[s.Package]
	if !known {
		return "", unsatisfiable("no operators found in package %s in the catalog referenced by subscription %s", s.Package, name)
	}
	channel := s.Channel
	if channel == "" {
		channel = newest(channels) // the package's default channel
	}
	number, known := channels[channel]
	if !known {
		return "", unsatisfiable("no operators found in channel %s of package %s in the catalog referenced by subscription %s", channel, s.Package, name)
	}
	csv = s.version(number)
	if s.StartingCSV != "" && s.StartingCSV != csv {
		return "", unsatisfiable("no operators found with name %s in channel %s of package %s in the catalog referenced by subscription %s", s.StartingCSV, channel, s.Package, name)
	}
	return csv, nil
}

// newest is the channel with the longest, then highest name: stable-2.10 after stable-2.9.
func newest(channels map[string]string) string {
	best := ""
	for name := range channels {
		if len(name) > len(best) || len(name) == len(best) && name > best {
			best = name
		}
	}
	return best
}

// judgeGroups says why an InstallPlan cannot be carried out in a namespace with that many OperatorGroups; "" means it can.
func judgeGroups(count int) string {
	switch count {
	case 0:
		return "no operator group found that is managing this namespace"
	case 1:
		return ""
	}
	return fmt.Sprintf("more than one operator group(s) are managing this namespace count=%d", count)
}

// csvStage is phase, reason and message of a ClusterServiceVersion.
type csvStage struct{ phase, reason, message string }

// judgeMembership says why a ClusterServiceVersion fails in a namespace with that many OperatorGroups.
func judgeMembership(count int) *csvStage {
	switch count {
	case 0:
		return &csvStage{"Failed", "NoOperatorGroup", "csv in namespace with no operatorgroups"}
	case 1:
		return nil
	}
	return &csvStage{"Failed", "TooManyOperatorGroups", "csv created in namespace with multiple operatorgroups, can't pick one automatically"}
}
