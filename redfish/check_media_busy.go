package redfish

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/labrun/labrun/redfish/imageserver"
)

// askMediaBusy gives the worst that is found in a slot: Ironic ejects from all that take a disc, the system's and the Managers',
// so a free one beside does not spare what is in another.
func askMediaBusy(ctx context.Context, p *probe) finding {
	err := unread(p.media.err)
	if err == nil { // a BMC that gave no answer for a slot is not asked for more of them
		err = p.readBeside(ctx)
	}
	worst := p.busiest(func(slot) bool { return true })
	switch {
	case worst.status == "":
		return unknown("no slot can be read")
	case worst.status == Pass && err != nil:
		return unknown("not every slot can be read: %s", reasonOf(err))
	}
	return worst
}

// busiest is the worst finding among the slots that count.
func (p *probe) busiest(counts func(slot) bool) finding {
	var worst finding
	for _, s := range slices.Concat(p.media.discs(), p.beside) {
		if !counts(s) {
			continue
		}
		if f := s.occupied(p.host); worst.status == "" || severity(f.status) > severity(worst.status) {
			worst = f
		}
	}
	return worst
}

// severity orders what a slot may be found to be.
func severity(s Status) int { return slices.Index([]Status{Pass, Unknown, Warn, Fail}, s) }

// readBeside reads the slots for discs that the Managers have where the system has its own. Many BMCs show the same drive in
// both places, and some another one.
func (p *probe) readBeside(ctx context.Context) error {
	if _, without := p.system.link("VirtualMedia"); without != nil {
		return nil // the Managers' are all there are
	}
	managers, err := managersOf(p.system)
	if err != nil {
		return err
	}
	for i, path := range managers {
		before := p.service.conn.counter.n.Load()
		owner, ownErr := p.service.conn.get(ctx, path)
		var m media
		if ownErr == nil {
			m, ownErr = mediaUnder(ctx, p.service.conn, owner)
		}
		if i > 0 {
			m.reads = p.service.conn.counter.n.Load() - before
		}
		p.items += m.reads
		err = errors.Join(err, unread(ownErr), unread(m.err))
		for _, s := range m.slots {
			known := func(other slot) bool { return other.path == s.path }
			if takes, err := s.takesDisc(); err == nil && takes && !slices.ContainsFunc(p.media.slots, known) && !slices.ContainsFunc(p.beside, known) {
				p.beside = append(p.beside, s)
			}
		}
	}
	return err
}

// occupied says whether something is in the slot.
func (s slot) occupied(h Host) finding {
	now := s.contents()
	switch {
	case now.console:
		return fail("close the console that holds it, or ask who uses it", "%s is held by a console (ConnectedVia Applet)", s.path)
	case now.inserted, now.image != "":
		return s.holds(now.image, h)
	case now.silent():
		return unknown("%s", reasonOf(now.insertedErr))
	}
	return pass("%s is empty", s.path)
}

// holds judges an image that is in the slot: this lab's own is right on a host that has its BareMetalHost.
func (s slot) holds(image string, h Host) finding {
	switch {
	case imageserver.Own(image) && h.Managed:
		return warn("eject it on the BMC's own page", "%s holds the image of an active probe, which was cut short", s.path)
	case imageserver.Own(image):
		return warn("labrun preflight LAB --active clears it, unless the probe is still at work",
			"%s holds the image of an active probe, which was cut short or is at work: %s", s.path, place(image))
	case !h.Managed:
		return warn("eject it, if nobody needs it", "%s holds %s", s.path, orUnnamed(image))
	case h.Image == "" || image == "":
		return unknown("%s holds %s; whether that is this lab's is not known", s.path, orUnnamed(image))
	case sameImage(image, h.Image):
		return pass("%s holds %s, this lab's own", s.path, orUnnamed(image))
	}
	return warn("eject it, if nobody needs it", "%s holds %s, which is not this lab's %s", s.path, orUnnamed(image), orUnnamed(h.Image))
}

// sameImage says whether what a slot holds is the lab's image: the same URL, or one that Ironic made of it for one machine
// and serves at the same host and port. One that Ironic named by the same node is it wherever Ironic ran when it was inserted.
func sameImage(held, own string) bool {
	if held == own {
		return true
	}
	a, err := url.Parse(held)
	if err != nil {
		return false
	}
	b, err := url.Parse(own)
	if err != nil {
		return false
	}
	if made, err := path.Match("/redfish/boot-*.iso", a.Path); err != nil || !made {
		return false
	}
	return a.Path == b.Path || strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host)
}

// orUnnamed shows an image's URL without user info and query: an image service puts its tokens there.
func orUnnamed(image string) string {
	if image == "" {
		return "an image that it does not name"
	}
	shown, query, _ := strings.Cut(maskUserInfo(image), "?")
	if query != "" {
		shown += "?…"
	}
	return printable(shown)
}
