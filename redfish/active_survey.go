package redfish

import (
	"context"
	"strings"

	"github.com/labrun/labrun/redfish/imageserver"
)

// survey looks at the host before anything is written: whether it must be left alone, which slots are free, and what an
// active probe that was killed has left, which is cleared. The finding is nil where the probe can go on.
func (t *trial) survey(ctx context.Context) (free []string, cleared string, left *finding) {
	stop := func(f finding) ([]string, string, *finding) { return nil, "", &f }
	system, err := t.fresh(ctx, t.writer.system)
	if err != nil {
		return stop(t.leave(unknown("%s", reasonOf(err))))
	}
	var leftovers []slot
	for _, known := range t.probe.media.discs() {
		r, err := t.fresh(ctx, known.path)
		if err != nil {
			return stop(t.leave(unknown("%s", reasonOf(err))))
		}
		s := slot{r}
		now := s.contents()
		switch {
		case now.empty():
			free = append(free, s.path)
		case now.silent():
			return stop(t.leave(skip("not asked: %s does not say whether it is empty", s.path)))
		case now.console:
			return stop(t.leave(skip("not asked: a console holds %s", s.path)))
		case !imageserver.Own(now.image):
			return stop(t.leave(skip("not asked: %s holds %s", s.path, orUnnamed(now.image))))
		case served(ctx, now.image):
			return stop(t.leave(skip("not asked: another active probe is at work: %s holds its image, which %s serves", s.path, place(now.image))))
		default:
			leftovers = append(leftovers, s)
			free = append(free, s.path)
		}
	}
	boot := overrideOf(system)
	if boot.set() && !(len(leftovers) > 0 && boot.disc()) {
		return stop(t.leave(skip("not asked: a boot override is set: %s", boot)))
	}
	if len(free) == 0 {
		return stop(t.leave(unknown("no slot can be read")))
	}
	if len(leftovers) == 0 {
		return free, "", nil
	}
	if f := t.clear(ctx, leftovers, system); f != nil {
		return stop(*f)
	}
	return free, "; cleared first what an active probe that was cut short had left in " + paths(leftovers), nil
}

func paths(slots []slot) string {
	var out []string
	for _, s := range slots {
		out = append(out, s.path)
	}
	return strings.Join(out, " and ")
}

// clear takes out what a killed probe left: the boot override, which it sets only while its image is in, and then the image,
// by which it is known. What the override was before, nobody knows any more; at rest it is off.
func (t *trial) clear(ctx context.Context, leftovers []slot, system *resource) *finding {
	if boot := overrideOf(system); boot.set() {
		targets, _ := system.texts("Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
		if err := t.unset(ctx, targets); err != nil {
			f := fail("turn the boot override off on the BMC's own page", "an active probe that was cut short left the boot override %s, which cannot be turned off: %s", boot, reasonOf(err))
			return &f
		}
	}
	for _, s := range leftovers {
		if err := t.empty(ctx, s.path); err != nil {
			f := fail("eject it on the BMC's own page", "%s holds the image of an active probe that was cut short, and cannot be emptied: %s", s.path, reasonOf(err))
			return &f
		}
	}
	t.probe.cleared(leftovers)
	return nil
}

// cleared corrects what media-busy saw before the probe. What somebody else has in a slot of a Manager stays said.
func (p *probe) cleared(leftovers []slot) {
	rest := p.busiest(func(s slot) bool { return !imageserver.Own(s.contents().image) })
	if rest.status == "" || rest.status == Pass {
		rest = pass("what an active probe that was cut short had left in %s is cleared", paths(leftovers))
	}
	rest = p.run.opts.judge("media-busy", rest)
	for i := range p.report.Checks {
		r := &p.report.Checks[i]
		if r.ID == "media-busy" && r.Status == Warn {
			r.Status, r.Seen, r.Remedy = rest.status, rest.seen, rest.remedy
			p.run.progress(p.host.Name, *r)
		}
	}
}
