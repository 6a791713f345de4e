// Package preflight is what `labrun preflight` tells: which checks there are, which of them a command line chooses, and what
// they found, as a table for people, as JSON, and as JUnit. The checks themselves stand in the packages redfish, for BMCs, and
// site, for what the lab stands on beside them.
package preflight

import (
	"time"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/site"
)

// Report is all that a pre-flight found.
type Report struct {
	Lab       string           `json:"lab"`
	Hosts     []redfish.Report `json:"hosts"`      // in the lab file's order
	LabChecks []site.Report    `json:"lab_checks"` // by area
	Summary   Summary          `json:"summary"`
}

// Summary counts.
type Summary struct {
	Status     redfish.Status         `json:"status"` // fail, where any check fails; else unknown, where a host was not asked to the end; else warn or pass
	Usable     int                    `json:"usable"` // hosts on which nothing failed
	Hosts      map[redfish.Status]int `json:"hosts"`  // by their status
	Checks     map[redfish.Status]int `json:"checks"` // by their status
	Requests   int                    `json:"requests"`
	DurationMS int64                  `json:"duration_ms"`
}

// New makes the report of what was found in a time.
func New(lab string, hosts []redfish.Report, areas []site.Report, took time.Duration) Report {
	r := Report{Lab: lab, Hosts: hosts, LabChecks: areas, Summary: Summary{
		Status: redfish.Pass, DurationMS: took.Milliseconds(), Checks: map[redfish.Status]int{}, Hosts: map[redfish.Status]int{},
	}}
	if r.Hosts == nil {
		r.Hosts = []redfish.Report{}
	}
	if r.LabChecks == nil {
		r.LabChecks = []site.Report{}
	}
	for _, s := range statuses() {
		r.Summary.Checks[s] = 0
		if s != redfish.Skip { // a host has no such status
			r.Summary.Hosts[s] = 0
		}
	}
	for _, h := range hosts {
		r.Summary.Hosts[h.Status]++
		r.Summary.Requests += h.Requests
		if h.Usable() {
			r.Summary.Usable++
		}
		r.count(h.Checks)
	}
	for _, a := range areas {
		r.count(a.Checks)
	}
	switch s := &r.Summary; {
	case s.Checks[redfish.Fail] > 0:
		s.Status = redfish.Fail
	case s.Hosts[redfish.Unknown] > 0:
		s.Status = redfish.Unknown
	case s.Checks[redfish.Warn] > 0:
		s.Status = redfish.Warn
	}
	return r
}

func (r *Report) count(results []redfish.Result) {
	for _, c := range results {
		r.Summary.Checks[c.Status]++
	}
}

// statuses are all that a check may have, the worst first.
func statuses() []redfish.Status {
	return []redfish.Status{redfish.Fail, redfish.Unknown, redfish.Warn, redfish.Pass, redfish.Skip}
}
