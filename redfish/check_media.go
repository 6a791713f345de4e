package redfish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// media is a system's virtual media as far as it could be read.
type media struct {
	where  string // path of the collection
	listed int    // slots that it names
	slots  []slot
	order  []string // their paths as the BMC lists them: so Ironic goes through them
	reads  int64    // requests for slots
	err    error    // why a slot that it names could not be read; the last one
}

// slot is one VirtualMedia resource.
type slot struct{ *resource }

// findMedia reads the slots under the system, or, where it has no link to any, under its Managers: where Ironic looks. Where
// the link leads to an empty collection, or to none, Ironic looks no further.
// The error is ErrNoVirtualMedia where there is none, wrapped together with what was missing.
func findMedia(ctx context.Context, c *conn, system *resource) (media, error) {
	m, err := mediaUnder(ctx, c, system)
	if m.listed > 0 {
		return m, nil
	}
	if _, without := system.link("VirtualMedia"); without == nil {
		return m, unlessUnread(err)
	}
	managers, managersErr := managersOf(system)
	if managersErr != nil {
		return m, unlessUnread(err, managersErr)
	}
	m, errs := mediaOfManagers(ctx, c, managers)
	if m.listed > 0 {
		return m, nil
	}
	return m, unlessUnread(append([]error{err}, errs...)...)
}

// mediaOfManagers reads the slots of all Managers. Ironic goes from one to the next until one takes the image, and ends at one
// that has no link to virtual media. The errors say what stood in the way.
func mediaOfManagers(ctx context.Context, c *conn, managers []string) (all media, errs []error) {
	for i, path := range managers {
		before := c.counter.n.Load()
		owner, err := c.get(ctx, path)
		var m media
		if err == nil {
			m, err = mediaUnder(ctx, c, owner)
		}
		if i > 0 { // a further Manager counts as its slots do
			m.reads = c.counter.n.Load() - before
		}
		if err != nil {
			errs = append(errs, err)
			m.err = unread(err)
		}
		all.add(m)
		if owner == nil || all.takeDisc() {
			continue
		}
		if _, without := owner.link("VirtualMedia"); without != nil {
			return all, errs
		}
	}
	return all, errs
}

// add puts the slots of another collection beside these.
func (m *media) add(other media) {
	m.reads += other.reads
	if other.err != nil {
		m.err = other.err
	}
	if other.listed == 0 || slices.Contains(strings.Split(m.where, " and "), other.where) {
		return
	}
	if m.where != "" {
		m.where += " and "
	}
	m.where += other.where
	m.listed += other.listed
	m.slots = append(m.slots, other.slots...)
	m.order = append(m.order, other.order...)
}

// takeDisc says whether a slot is known to take a CD or DVD.
func (m media) takeDisc() bool {
	return slices.ContainsFunc(m.slots, func(s slot) bool { takes, err := s.takesDisc(); return err == nil && takes })
}

// unlessUnread says that there is no virtual media, unless one of the errors was a resource that could not be read: then
// there may well be some.
func unlessUnread(errs ...error) error {
	both := errs[0]
	for _, err := range errs[1:] {
		both = fmt.Errorf("%w, and %w", both, err)
	}
	if slices.ContainsFunc(errs, func(err error) bool { return unread(err) != nil }) {
		return both
	}
	return fmt.Errorf("%w: %w", ErrNoVirtualMedia, both)
}

// unread gives an error that leaves open what is there. A 404 is an answer: it is not there.
func unread(err error) error {
	var request *RequestError
	if errors.As(err, &request) && request.StatusCode != 404 {
		return err
	}
	return nil
}

// mediaUnder reads the slots under a system or a Manager; the error says why there are none.
func mediaUnder(ctx context.Context, c *conn, owner *resource) (m media, err error) {
	link, err := owner.link("VirtualMedia")
	if err != nil {
		return media{}, err
	}
	collection, err := c.withMembers(ctx, link)
	if err != nil {
		return media{}, err
	}
	members, err := collection.links("Members")
	if err != nil {
		return media{}, err
	}
	m = media{where: collection.path, listed: len(members)}
	m.order, _ = collection.linksAsGiven("Members")
	if m.listed == 0 {
		return m, &PropertyError{Path: collection.path, Property: "Members", Problem: "is empty"}
	}
	before := c.counter.n.Load()
	defer func() { m.reads = c.counter.n.Load() - before }()
	for _, member := range members {
		r, err := c.get(ctx, member)
		if err != nil {
			m.err = err
			continue
		}
		m.slots = append(m.slots, slot{r})
	}
	return m, nil
}

// takesDisc says whether the slot takes a CD or DVD; the error where it does not say.
func (s slot) takesDisc() (bool, error) {
	types, err := s.texts("MediaTypes")
	if err != nil {
		return false, err
	}
	if len(types) == 0 {
		return false, &PropertyError{Path: s.path, Property: "MediaTypes", Problem: "is empty"}
	}
	return contains(types, "CD", "DVD"), nil
}

// discs are the slots that take a CD or DVD; where none says so, those that do not say what they take.
func (m media) discs() []slot {
	var certain, silent []slot
	for _, s := range m.slots {
		switch takes, err := s.takesDisc(); {
		case err != nil:
			silent = append(silent, s)
		case takes:
			certain = append(certain, s)
		}
	}
	if len(certain) > 0 {
		return certain
	}
	return silent
}

func askMedia(ctx context.Context, p *probe) finding {
	m, err := findMedia(ctx, p.service.conn, p.system)
	p.items += m.reads
	p.media = m
	switch {
	case errors.Is(err, ErrNoVirtualMedia):
		return fail("", "%s", withoutSentinel(err))
	case err != nil:
		return unknown("%s", printable(err.Error()))
	case len(m.slots) == 0:
		return unknown("%s names %d slots, none of which can be read: %s", m.where, m.listed, reasonOf(m.err))
	}
	_, managersErr := managersOf(p.system)
	switch {
	case managersErr != nil:
		return fail("update the BMC's firmware: Ironic asks the system for its Managers wherever virtual media stands, and ends where it names none", "%s", reasonOf(managersErr))
	case len(m.slots) == 1 && m.listed == 1:
		return pass("%s", m.slots[0].path)
	}
	return pass("%d slots under %s", m.listed, m.where)
}

func withoutSentinel(err error) string {
	return printable(strings.TrimPrefix(err.Error(), ErrNoVirtualMedia.Error()+": "))
}

func askMediaType(_ context.Context, p *probe) finding {
	var silent error
	var other []string
	for _, s := range p.media.slots {
		takes, err := s.takesDisc()
		switch {
		case err != nil:
			silent = err
		case takes:
			types, _ := s.texts("MediaTypes")
			return pass("%s takes %s", s.path, listed(types))
		default:
			types, _ := s.texts("MediaTypes")
			other = append(other, types...)
		}
	}
	switch {
	case silent != nil:
		return warn("try it: labrun cannot tell whether this BMC takes an ISO", "%s", reasonOf(silent))
	case len(other) == 0, p.media.err != nil:
		return unknown("not every slot can be read: %s", reasonOf(p.media.err))
	}
	return fail("", "the slots take only %s", listed(other))
}
