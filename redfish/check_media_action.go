package redfish

import (
	"context"
	"slices"
	"strings"
)

func askMediaAction(ctx context.Context, p *probe) finding {
	for _, s := range p.media.slots {
		if s.actsNowhere() {
			return fail("", "%s has an action InsertMedia without a target, at which Ironic ends, whatever other slots have", s.path)
		}
	}
	discs := p.media.discs()
	slices.SortStableFunc(discs, func(a, b slot) int {
		return slices.Index(p.media.order, a.path) - slices.Index(p.media.order, b.path)
	})
	var why finding
	for _, s := range discs {
		f := p.withHeader(ctx, s).insertion(p.vendor(ctx))
		switch {
		case f.status == Pass && why.status == "":
			return f
		case f.status == Pass:
			return warn("update the BMC's firmware; Ironic 32 ends at the first drive that takes no image, and later versions go on to the next", "%s; %s", why.seen, f.seen)
		case why.status == "":
			why = f
		}
	}
	if why.status == "" || p.media.err != nil {
		return unknown("not every slot can be read")
	}
	return why
}

// actsNowhere says whether the slot has the action InsertMedia and does not say where.
func (s slot) actsNowhere() bool {
	if _, err := s.at("Actions", "#VirtualMedia.InsertMedia"); err != nil {
		return false
	}
	target, _ := s.text("Actions", "#VirtualMedia.InsertMedia", "target")
	return target == ""
}

// withHeader is the slot with the headers of its own, where it has no action: its Allow header says whether it takes a PATCH.
func (p *probe) withHeader(ctx context.Context, s slot) slot {
	if _, err := s.text("Actions", "#VirtualMedia.InsertMedia", "target"); err == nil {
		return s
	}
	before := p.service.conn.counter.n.Load()
	own := p.service.conn.itself(ctx, s.resource)
	p.items += p.service.conn.counter.n.Load() - before
	return slot{own}
}

// insertion says how an image gets into the slot. Ironic sends a PATCH only where the BMC's Allow header names it; Lenovo's
// XClarity Controllers, whose slots have no actions, do so also where what is known of them has no headers.
func (s slot) insertion(made vendor) finding {
	if target, err := s.text("Actions", "#VirtualMedia.InsertMedia", "target"); err == nil && target != "" {
		return pass("%s has the action InsertMedia", s.path)
	}
	if allow := s.header.Values("Allow"); len(allow) > 0 {
		if strings.Contains(strings.ToUpper(strings.Join(allow, ",")), "PATCH") {
			return pass("%s has no action InsertMedia but allows PATCH", s.path)
		}
		return fail("", "%s has no action InsertMedia, and allows only %s", s.path, printable(strings.Join(allow, ", ")))
	}
	_, hasImage := s.body["Image"]
	_, hasInserted := s.body["Inserted"]
	switch {
	case !hasImage || !hasInserted:
		return fail("", "%s has no action InsertMedia, and no Image and Inserted to PATCH", s.path)
	case made == lenovo:
		return pass("%s has no action InsertMedia, but Image and Inserted, which Lenovo's BMCs take by PATCH", s.path)
	}
	return fail("", "%s has no action InsertMedia, and no Allow header says that it takes a PATCH", s.path)
}
