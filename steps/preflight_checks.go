package steps

import (
	"fmt"
	"slices"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/site"
)

// checkIDs are the ids of the pre-flight's checks, in the order of the catalogues.
func checkIDs() []string {
	var ids []string
	for _, c := range slices.Concat(redfish.Catalogue(), redfish.ActiveCatalogue()) {
		ids = append(ids, c.ID)
	}
	for _, c := range site.Checks() {
		ids = append(ids, c.ID)
	}
	return ids
}

// wrongChecks checks the ids of the checks that a lab changes: which there are, the
// catalogue says, which labs does not know.
func wrongChecks(f *labs.Facts) []labs.Problem {
	known := map[string]bool{}
	ids := checkIDs()
	for _, id := range ids {
		known[id] = true
	}
	var problems []labs.Problem
	for id := range f.Preflight.Checks {
		if known[id] {
			continue
		}
		p := labs.Problem{Path: "preflight.checks." + id, AtKey: true, Message: fmt.Sprintf("the pre-flight has no check %q", id), Hint: source.DidYouMean(id, ids)}
		if p.Hint == "" {
			p.Hint = "labrun preflight LAB prints them"
		}
		problems = append(problems, p)
	}
	return problems
}

// overrides are the checks that a lab takes otherwise, as the pre-flight knows them.
func overrides(checks map[string]labs.Preference) map[string]redfish.Override {
	all := make(map[string]redfish.Override, len(checks))
	for id, p := range checks {
		all[id] = redfish.Override{Severity: severities()[p.Severity], Reason: p.Reason}
	}
	return all
}

// severities are what a lab file may make of a check's finding.
func severities() map[string]redfish.Status {
	return map[string]redfish.Status{"ignore": redfish.Skip, "warn": redfish.Warn, "fail": redfish.Fail}
}
