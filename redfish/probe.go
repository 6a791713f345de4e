package redfish

import (
	"context"
	"errors"
	"slices"
	"time"
)

// probe asks one host.
type probe struct {
	run     *run
	service *service
	index   int
	host    Host
	report  Report

	address    Address
	addressErr error
	system     *resource
	manager    *resource
	media      media
	beside     []slot // of the Managers, where media is the system's

	before int64  // requests of the service before this host's first
	items  int64  // of this host's: those for one NIC, media slot or storage resource
	trial  *trial // of the active probe
}

// askAll runs the catalogue for one host.
func (p *probe) askAll(parent context.Context) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(parent, p.run.opts.HostTimeout)
	defer cancel()
	if p.service.conn != nil {
		p.before = p.service.conn.counter.n.Load()
	}
	blocked := map[string]string{} // check → the failed check that stands at the root of it
	late := false
	for _, c := range Catalogue() {
		f := p.one(ctx, parent, c, blocked, &late)
		p.note(c, f)
	}
	p.describe(ctx)
	if f, ok := p.askDellType(ctx); ok && parent.Err() == nil {
		p.amend("address", f)
	}
	if p.run.opts.Active != nil {
		p.askActive(parent, blocked, late)
	}
	p.report.Status = worst(p.report.Checks)
	if parent.Err() != nil {
		p.report.Status = Unknown
	}
	p.report.Duration = time.Since(began)
	if p.service.conn != nil {
		p.report.Requests += int(p.service.conn.counter.n.Load() - p.before)
	}
}

// note enters a check's result into the report.
func (p *probe) note(c Check, f finding) {
	result := Result{ID: c.ID, Status: f.status, Seen: f.seen, Remedy: f.remedy}
	if result.Remedy == "" && (f.status == Fail || f.status == Warn) {
		result.Remedy = c.Remedy
	}
	p.report.Checks = append(p.report.Checks, result)
	p.run.progress(p.host.Name, result)
}

// one gives the result of one check as the overrides have it. A check that is turned off is asked all the same where others
// build on what it reads; where it then fails, they are skipped, as ever.
func (p *probe) one(ctx, parent context.Context, c Check, blocked map[string]string, late *bool) finding {
	opts := p.run.opts
	if opts.off(c.ID) && (!needed(c.ID) || ctx.Err() != nil) {
		return opts.judge(c.ID, finding{})
	}
	if f, ok := p.unasked(ctx, parent, c, blocked, late); ok {
		if opts.off(c.ID) {
			return opts.judge(c.ID, f)
		}
		return f // no override makes good that something was not asked
	}
	f, known := p.service.shared[c.ID]
	if !known {
		f = c.ask(ctx, p)
		if parent.Err() != nil {
			return unknown("interrupted")
		}
		if c.perService && ctx.Err() == nil {
			p.service.shared[c.ID] = f
		}
	}
	if f.status == Fail {
		blocked[c.ID] = c.ID
	}
	return opts.judge(c.ID, f)
}

// unasked says why a check cannot be asked: one that it needs failed, the caller gave up, or time is up.
func (p *probe) unasked(ctx, parent context.Context, c Check, blocked map[string]string, late *bool) (finding, bool) {
	for _, need := range c.Needs {
		if cause, ok := blocked[need]; ok {
			blocked[c.ID] = cause
			return skip("not asked: %s failed", cause), true
		}
	}
	switch {
	case parent.Err() != nil:
		return skip("not asked: interrupted"), true
	case *late:
		return skip("not asked: no time was left"), true
	case ctx.Err() != nil:
		*late = true
		return fail("reset the BMC: it answers too slowly", "not asked within %s", p.run.opts.HostTimeout), true
	}
	return finding{}, false
}

// amend replaces a check's result after the fact, if that makes it worse.
func (p *probe) amend(id string, f finding) {
	if f = p.run.opts.judge(id, f); f.status == Skip {
		return
	}
	for i := range p.report.Checks {
		r := &p.report.Checks[i]
		if r.ID != id || r.Status == Fail || r.Status == Warn && f.status == Warn {
			continue
		}
		r.Status, r.Seen, r.Remedy = f.status, f.seen, f.remedy
		p.run.progress(p.host.Name, *r)
	}
	if p.report.Status != Unknown {
		p.report.Status = worst(p.report.Checks)
	}
}

// describe fills in what the report says of the machine, where that is known.
func (p *probe) describe(ctx context.Context) {
	if p.system == nil {
		return
	}
	p.report.Vendor = orEmpty(p.system.text("Manufacturer"))
	p.report.Model = orEmpty(p.system.text("Model"))
	if m, err := p.readManager(ctx); err == nil {
		p.report.Firmware = orEmpty(m.text("FirmwareVersion"))
	}
}

func orEmpty(s string, err error) string {
	if err != nil {
		return ""
	}
	return printable(s)
}

// readManager reads the Manager of the system, once.
func (p *probe) readManager(ctx context.Context) (*resource, error) {
	if p.manager != nil {
		return p.manager, nil
	}
	var err error
	p.manager, err = managerOf(ctx, p.service.conn, p.system)
	return p.manager, err
}

// managerOf reads the first Manager that a system names.
func managerOf(ctx context.Context, c *conn, system *resource) (*resource, error) {
	managers, err := managersOf(system)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, managers[0])
}

// managersOf gives the paths of the Managers that a system names: by ManagedBy, or, as some BMCs have it, by Managers. There
// is at least one where there is no error.
func managersOf(system *resource) ([]string, error) {
	managers, err := system.linksAsGiven("Links", "ManagedBy")
	if err == nil && len(managers) == 0 {
		err = &PropertyError{Path: system.path, Property: "Links.ManagedBy", Problem: "is empty"}
	}
	if err != nil {
		if others, _ := system.linksAsGiven("Links", "Managers"); len(others) > 0 {
			return others, nil
		}
	}
	return managers, err
}

// reasonOf is the shortest text that says why a request went wrong.
func reasonOf(err error) string {
	var e *RequestError
	if errors.As(err, &e) {
		return e.Error()
	}
	var property *PropertyError
	if errors.As(err, &property) {
		return property.Error()
	}
	return reason(err)
}

func contains(list []string, any ...string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(any, s) })
}
