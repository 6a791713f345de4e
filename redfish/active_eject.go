package redfish

import (
	"context"
	"errors"
	"strings"
)

// askEject empties the slots that an insert was sent to, for a caller that has gone, too, and takes the image off the server.
func askEject(ctx context.Context, p *probe) finding {
	t := p.trial
	if t.offer != nil {
		defer t.offer.Withdraw()
	}
	if len(t.tried) == 0 {
		if t.aside != "" {
			return skip("%s", t.aside)
		}
		return skip(nothingIn)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	var done, failed []string
	for _, a := range t.tried {
		was, err := t.takeOut(ctx, a)
		switch {
		case err != nil:
			failed = append(failed, a.slot+" still holds the image: "+reasonOf(err))
		case was:
			done = append(done, a.slot+" is empty again")
		}
	}
	switch {
	case len(failed) > 0:
		return fail("", "%s", strings.Join(failed, "; "))
	case len(done) == 0:
		return skip("not asked: no slot took the image, and all are empty")
	}
	return pass("%s", strings.Join(done, "; "))
}

// ejected is what eject found as the overrides have it. Turned off, it is only not judged: what was put in is taken out all the
// same, and what is left is told.
func (p *probe) ejected(f finding) finding {
	judged := p.run.opts.judge("eject", f)
	if judged.status == Skip && f.status == Fail {
		judged.seen += "; " + f.seen
	}
	return judged
}

// takeOut empties a slot unless somebody else's image is in it by now. It says whether ours was there.
func (t *trial) takeOut(ctx context.Context, a attempt) (bool, error) {
	now, err := t.look(ctx, a.slot)
	if err == nil && now.empty() && a.accepted {
		// What the BMC said yes to may come only now; ejected too early, it would stay.
		t.until(ctx, func(ctx context.Context) bool {
			now, err = t.look(ctx, a.slot)
			return err == nil && !now.empty()
		})
	}
	switch {
	case err == nil && now.image != "" && !now.shows(t.offer.URL):
		return false, nil
	case err == nil && now.empty() && !a.accepted:
		return false, nil
	}
	return true, t.empty(ctx, a.slot)
}

func (t *trial) look(ctx context.Context, path string) (contents, error) {
	r, err := t.fresh(ctx, path)
	if err != nil {
		return contents{}, err
	}
	return slot{r}.contents(), nil
}

var errStillInserted = errors.New("the BMC accepts the eject and shows the image still")

// empty ejects what is in the slot, by the action where the slot has it now, else by PATCH, and sees it empty.
func (t *trial) empty(ctx context.Context, path string) error {
	var errs error
	for _, byAction := range []bool{true, false} {
		tries := 3
		err := t.persist(ctx, &tries, busyOrLost, func(ctx context.Context) error { return t.eject(ctx, path, byAction) })
		gone := func(ctx context.Context) bool {
			now, lookErr := t.look(ctx, path)
			return lookErr == nil && now.empty()
		}
		if err == nil && t.until(ctx, gone) || err != nil && gone(ctx) {
			return nil
		}
		if err == nil {
			err = errStillInserted
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

func (t *trial) eject(ctx context.Context, path string, byAction bool) error {
	r, err := t.fresh(ctx, path) // some BMCs name the action only while something is in the slot
	if err != nil {
		return err
	}
	if !byAction {
		return t.writer.patch(ctx, r, map[string]any{"Image": nil, "Inserted": false})
	}
	target, err := r.text("Actions", "#VirtualMedia.EjectMedia", "target")
	if err != nil {
		return err
	}
	return t.writer.post(ctx, target, map[string]any{})
}
