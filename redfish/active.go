package redfish

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Active asks for the active probe: a small image is put into each host's virtual drive, and taken out again. It never resets
// a host, and leaves alone one that has media in its drive or a boot override set. The zero value is usable.
type Active struct {
	// Listen is where the image is served: host or host:port of this machine that the BMCs reach, IPv6 in brackets; without a
	// port on a free one. Empty: this machine's address on the route to each BMC.
	Listen string

	FetchTimeout time.Duration // within which a BMC must have fetched the image: 60 s

	pause  time.Duration // before another try of what the BMC answered with 5xx: 3 s
	settle time.Duration // within which a change must show: 15 s
	look   time.Duration // between two looks at that: 0.5 s
}

const (
	// activeTimeout is how long the active probe of one host may take, the clean-up apart: some BMCs need minutes to answer.
	activeTimeout = 6 * time.Minute

	// cleaning is how long the clean-up of one host may take, for a caller that has gone, too.
	cleaning = time.Minute
)

func (a Active) withDefaults() Active {
	for value, otherwise := range map[*time.Duration]time.Duration{
		&a.FetchTimeout: time.Minute, &a.pause: 3 * time.Second, &a.settle: 15 * time.Second, &a.look: time.Second / 2,
	} {
		if *value <= 0 {
			*value = otherwise
		}
	}
	return a
}

// ActiveCatalogue lists the checks of the active probe, in their order. They are asked only where [Options] has Active.
func ActiveCatalogue() []Check {
	return []Check{
		{
			ID: "insert", Active: true, Needs: []string{"system", "media-action"}, ask: askInsert,
			Asks:   "whether the BMC takes a small image from this machine into its virtual drive, and really fetches it",
			Rule:   "fails where no slot takes it in any of the ways that BMCs are known to want, or where the BMC says that it did and has not fetched it in time; warns where it only asked for its length; skipped where media is in the drive, a boot override is set, or the host has its BareMetalHost already",
			Why:    "Metal3 provisions a host from the image in this drive: a BMC that cannot reach the image, or drops it in silence, shows as a host that never boots into its installer, after half an hour",
			Remedy: "let the BMC reach the image's address: firewall, route, its own gateway and proxy; then look at its firmware and licence",
		},
		{
			ID: "inserted", Active: true, Needs: []string{"insert"}, ask: askInserted,
			Asks:   "whether the slot then shows the image: Inserted and Image, read back",
			Rule:   "fails where it shows no image or another one; unknown where it shows only one of the two",
			Why:    "Metal3 reads the drive before it boots a host, and inserts again what it does not find there",
			Remedy: "reset the BMC; update its firmware",
		},
		{
			ID: "boot-once", Active: true, Needs: []string{"insert", "boot-override"}, ask: askBootOnce,
			Asks:   "whether a boot override to the virtual drive, Once, can be set and read back; what was there before is restored",
			Rule:   "fails where the target does not show, or what was there before cannot be restored; warns where the BMC makes Continuous of Once",
			Why:    "the host must boot from the drive exactly once: without the override it boots its disk, and with a lasting one it installs again and again",
			Remedy: "update the BMC's firmware; check that no setting of the machine's setup locks the boot order",
		},
		{
			ID: "eject", Active: true, ask: askEject,
			Asks:   "whether the image can be taken out again, and the slot then shows empty",
			Rule:   "fails where it still shows an image",
			Why:    "an image that stays keeps the drive from taking the next one, and the host from booting its disk",
			Remedy: "eject the image on the BMC's own page; reset the BMC where that does not help",
		},
	}
}

// askActive runs the active probe for one host. Whatever happens between, also an interrupt, it ends with the clean-up.
func (p *probe) askActive(parent context.Context, blocked map[string]string, late bool) {
	ctx, cancel := context.WithTimeout(parent, activeTimeout)
	defer cancel()
	p.trial = newTrial(p)
	for _, c := range ActiveCatalogue() {
		switch {
		case c.ID == "eject": // asked always: it says by itself whether there was anything to do
			p.note(c, p.ejected(c.ask(parent, p)))
		case p.trial.aside != "":
			p.note(c, skip("%s", p.trial.aside))
		case ctx.Err() != nil && parent.Err() == nil:
			p.note(c, skip("not asked: the active probe took longer than %s", activeTimeout))
		default:
			f := p.one(ctx, parent, c, blocked, &late)
			if p.trial.unrestored != nil && c.ID == "boot-once" {
				f = p.run.opts.judge(c.ID, *p.trial.unrestored) // also for a caller that has gone
			}
			p.note(c, f)
		}
	}
}

// trial is the active probe of one host.
type trial struct {
	opts   Active
	probe  *probe
	writer *Service
	offer  offer
	aside  string // why the host is left alone; empty: it is not

	tried      []attempt // slots that an insert was sent to, in their order
	unrestored *finding  // set where the boot override is not as it was
}

// attempt is an insert into one slot.
type attempt struct {
	slot     string // path
	accepted bool   // the BMC said yes, or nothing: it may show only later
}

func newTrial(p *probe) *trial {
	t := &trial{opts: p.run.opts.Active.withDefaults(), probe: p}
	if p.system != nil {
		t.writer = &Service{conn: p.service.conn, root: p.service.root, system: p.system.path}
	}
	return t
}

// leave gives the host up, before anything is inserted.
func (t *trial) leave(f finding) finding {
	t.aside = nothingIn
	if f.status == Skip {
		t.aside = f.seen
	}
	return f
}

const nothingIn = "not asked: nothing was inserted"

// fresh reads a resource as it is now; what the conn knows of it is out of date from now on.
func (t *trial) fresh(ctx context.Context, path string) (*resource, error) {
	c := t.writer.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.cache, strings.TrimSuffix(path, "/"))
	return c.read(ctx, path)
}

// lasting gives the context of a request that changes the BMC. One that is cut short leaves nobody knowing whether it took
// effect, so a caller that is cancelled waits a moment for its answer.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionTimeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(closing, cancel) })
	return detached, func() { stop(); cancel() }
}

// busy says that a BMC answered what may go better next time.
func busy(err error) bool {
	status := statusOf(err)
	return status >= 500 && status != http.StatusNotImplemented
}

// busyOrLost also counts an answer that did not come, for what may be done twice.
func busyOrLost(err error) bool { return busy(err) || unanswered(err) }

// persist sends a request that changes the BMC, and sends it again on errors that are worth it, as long as tries are left.
func (t *trial) persist(ctx context.Context, tries *int, again func(error) bool, send func(context.Context) error) error {
	for {
		err := ctx.Err()
		if err != nil {
			return err
		}
		once, done := lasting(ctx)
		err = send(once)
		done()
		*tries--
		if !again(err) || *tries <= 0 || !pause(ctx, t.opts.pause) {
			return err
		}
	}
}

// until looks at something again and again until it is so, for as long as a change may take to show.
func (t *trial) until(ctx context.Context, so func(context.Context) bool) bool {
	waiting, cancel := context.WithTimeout(ctx, t.opts.settle)
	defer cancel()
	for !so(ctx) {
		if !pause(waiting, t.opts.look) {
			return false
		}
	}
	return true
}

// pause waits; false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
