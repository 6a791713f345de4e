package site

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labrun/labrun/redfish"
)

// Options of Ask. The zero value is usable.
type Options struct {
	Only      []string                            // ids of the checks that are asked; all where empty
	Timeout   time.Duration                       // of one check: 15 s
	Overrides map[string]Override                 // by id
	Progress  func(area string, r redfish.Result) // called after each check, one call at a time; may be nil
}

// Override changes what a check's finding counts as.
type Override struct {
	Severity redfish.Status // Skip: it is not asked; Warn or Fail: what a finding of warn or fail counts as
	Reason   string         // the result repeats it
}

// Report is what was found of one area.
type Report struct {
	Area     string
	Status   redfish.Status   // fail before unknown (where something can be done about it) before warn before pass; skip where nothing else
	Duration time.Duration    // duration_ms in JSON
	Checks   []redfish.Result // in the order of Checks
}

// answer is a check that is being asked.
type answer struct {
	check  Check
	done   chan struct{} // closed once result stands
	result redfish.Result
	root   string // the check that this one could not be asked for; its own id where it did not pass itself
	took   time.Duration
}

// Ask asks the checks side by side, and gives one report an area that has any of them. A check that others need is asked,
// too, and told where it does not pass.
func Ask(ctx context.Context, s Site, o Options) []Report {
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	var answers []*answer
	byID := map[string]*answer{}
	for _, c := range chosen(o.Only) {
		a := &answer{check: c, done: make(chan struct{})}
		answers = append(answers, a)
		byID[c.ID] = a
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, a := range answers {
		all.Go(func() {
			a.find(ctx, s, o, byID)
			if o.Progress != nil {
				mu.Lock()
				defer mu.Unlock()
				o.Progress(a.check.Area, a.result)
			}
		})
	}
	all.Wait()
	return reports(answers, o.Only)
}

// chosen are the checks of these ids and those that they need, all where no id is given.
func chosen(ids []string) []Check {
	all := Checks()
	if len(ids) == 0 {
		return all
	}
	wanted := map[string]bool{}
	for _, c := range slices.Backward(all) { // what a check needs stands before it
		if wanted[c.ID] || slices.Contains(ids, c.ID) {
			wanted[c.ID] = true
			for _, need := range c.Needs {
				wanted[need] = true
			}
		}
	}
	return slices.DeleteFunc(all, func(c Check) bool { return !wanted[c.ID] })
}

// find waits for what the check needs, and asks it.
func (a *answer) find(ctx context.Context, s Site, o Options, others map[string]*answer) {
	defer close(a.done)
	f := a.outcome(ctx, s, o, others)
	if f.remedy == "" && (f.status == redfish.Fail || f.status == redfish.Warn) {
		f.remedy = a.check.Remedy
	}
	a.result = redfish.Result{ID: a.check.ID, Status: f.status, Seen: printable(f.seen), Remedy: f.remedy}
	if a.root == "" && (f.status == redfish.Fail || f.status == redfish.Unknown || f.status == redfish.Skip) {
		a.root = a.check.ID
	}
}

func (a *answer) outcome(ctx context.Context, s Site, o Options, others map[string]*answer) finding {
	override, overridden := o.Overrides[a.check.ID]
	if overridden && override.Severity == redfish.Skip {
		return skip("turned off: %s", override.Reason)
	}
	if a.check.disconnected && !s.Facts.Disconnected {
		return skip("the lab is connected")
	}
	for _, need := range a.check.Needs {
		before := others[need]
		<-before.done
		if before.root != "" {
			a.root = before.root
			return skip("not asked: %s", whyNot(others[before.root].result))
		}
	}
	if ctx.Err() != nil {
		return unknown("", "interrupted")
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	f := a.check.ask(limited, s)
	a.took = time.Since(began)
	switch {
	case ctx.Err() != nil:
		return unknown("", "interrupted")
	case overridden && (f.status == redfish.Warn || f.status == redfish.Fail):
		f.status, f.seen = override.Severity, f.seen+" ("+override.Reason+")"
	}
	return f
}

func whyNot(r redfish.Result) string {
	switch r.Status {
	case redfish.Fail:
		return r.ID + " failed"
	case redfish.Unknown:
		return r.ID + " is not known"
	}
	return r.ID + " was skipped"
}

// MarshalJSON writes the duration in milliseconds.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Area       string           `json:"area"`
		Status     redfish.Status   `json:"status"`
		DurationMS int64            `json:"duration_ms"`
		Checks     []redfish.Result `json:"checks"`
	}{r.Area, r.Status, r.Duration.Milliseconds(), r.Checks})
}

// reports groups the results by area. Of what was asked only because others need it, just the root of a skipped one is told.
func reports(answers []*answer, only []string) []Report {
	var all []Report
	for _, area := range Areas() {
		r := Report{Area: area}
		for _, a := range answers {
			if a.check.Area != area {
				continue
			}
			r.Duration = max(r.Duration, a.took)
			if len(only) == 0 || slices.Contains(only, a.check.ID) || a.root == a.check.ID && a.result.Status != redfish.Skip {
				r.Checks = append(r.Checks, a.result)
			}
		}
		if len(r.Checks) > 0 {
			r.Status = worst(r.Checks)
			all = append(all, r)
		}
	}
	return all
}

func worst(results []redfish.Result) redfish.Status {
	order := []redfish.Status{redfish.Skip, redfish.Pass, redfish.Warn, redfish.Unknown, redfish.Fail}
	status := redfish.Skip
	for _, r := range results {
		if r.Status == redfish.Unknown && r.Remedy == "" { // nothing can be done about it
			continue
		}
		if slices.Index(order, r.Status) > slices.Index(order, status) {
			status = r.Status
		}
	}
	return status
}

// printable is an error's text on one line.
func printable(s string) string { return strings.Join(strings.Fields(s), " ") }
