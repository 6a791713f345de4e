package preflight

import (
	"slices"
	"strings"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/site"
)

// BMC is the area of the checks that package redfish asks.
const BMC = "bmc"

// Check is one check as a person reads of it.
type Check struct {
	ID     string   `json:"id"`
	Area   string   `json:"area"`
	Asks   string   `json:"asks"`
	Rule   string   `json:"rule"`
	Why    string   `json:"why"`
	Remedy string   `json:"remedy"`
	Needs  []string `json:"needs"`
	Active bool     `json:"active"` // of the active probe
}

// Areas lists the areas in the order in which they are told.
func Areas() []string { return append([]string{BMC}, site.Areas()...) }

// Catalogue lists all checks by area.
func Catalogue() []Check {
	var all []Check
	for _, c := range bmcChecks() {
		all = append(all, Check{c.ID, BMC, c.Asks, c.Rule, c.Why, c.Remedy, notNil(c.Needs), c.Active})
	}
	for _, c := range site.Checks() {
		all = append(all, Check{c.ID, c.Area, c.Asks, c.Rule, c.Why, c.Remedy, notNil(c.Needs), false})
	}
	return all
}

// bmcChecks are those that only read, and then those of the active probe.
func bmcChecks() []redfish.Check {
	return slices.Concat(redfish.Catalogue(), redfish.ActiveCatalogue())
}

func notNil(list []string) []string { return append([]string{}, list...) }

// Find gives the check of an id, which may be written AREA/ID.
func Find(id string) (Check, bool) {
	for _, c := range Catalogue() {
		if c.ID == id || c.Area+"/"+c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// Choice is what is asked: the ids of each area, in the catalogue's order. A nil Choice asks all.
type Choice map[string][]string

// Asks says whether anything of an area is asked.
func (c Choice) Asks(area string) bool { return c == nil || len(c[area]) > 0 }

// Choose reads areas and ids. Where a word is both, dns, it is the area; bmc/dns is the check. The word that is neither is given
// back, with the names that it may have been meant for.
func Choose(words []string) (choice Choice, wrong string, known []string) {
	if len(words) == 0 {
		return nil, "", nil
	}
	choice = Choice{}
	for _, word := range words {
		found := named(word)
		if len(found) == 0 {
			return nil, word, Names()
		}
		for _, c := range found {
			if !slices.Contains(choice[c.Area], c.ID) {
				choice[c.Area] = append(choice[c.Area], c.ID)
			}
		}
	}
	return choice, "", nil
}

// named are the checks of an area, or the one of an id.
func named(word string) []Check {
	if slices.Contains(Areas(), word) {
		return slices.DeleteFunc(Catalogue(), func(c Check) bool { return c.Area != word })
	}
	if c, ok := Find(word); ok {
		return []Check{c}
	}
	return nil
}

// Names are all words that choose something.
func Names() []string {
	names := Areas()
	for _, c := range Catalogue() {
		names = append(names, c.ID)
	}
	return names
}

// Site are the ids that package site is asked for.
func (c Choice) Site() []string {
	var ids []string
	for _, area := range site.Areas() {
		ids = append(ids, c[area]...)
	}
	return ids
}

// Hosts leaves in each report what was chosen, and of what that needs the checks that failed.
func (c Choice) Hosts(reports []redfish.Report) []redfish.Report {
	if c == nil {
		return reports
	}
	needed := map[string]bool{}
	for _, check := range slices.Backward(bmcChecks()) { // what a check needs stands before it
		if needed[check.ID] || slices.Contains(c[BMC], check.ID) {
			for _, need := range check.Needs {
				needed[need] = true
			}
		}
	}
	out := slices.Clone(reports)
	for i, r := range out {
		out[i].Checks = slices.DeleteFunc(slices.Clone(r.Checks), func(one redfish.Result) bool {
			return !slices.Contains(c[BMC], one.ID) && !(needed[one.ID] && one.Status == redfish.Fail)
		})
		if r.Status != redfish.Unknown {
			out[i].Status = worst(out[i].Checks)
		}
	}
	return out
}

func worst(results []redfish.Result) redfish.Status {
	for _, s := range []redfish.Status{redfish.Fail, redfish.Warn} {
		if slices.ContainsFunc(results, func(r redfish.Result) bool { return r.Status == s }) {
			return s
		}
	}
	return redfish.Pass
}

// Sentence begins with a capital letter and ends with a full stop.
func Sentence(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
