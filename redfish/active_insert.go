package redfish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/redfish/imageserver"
)

const reachRemedy = "let the BMC reach this address (firewall, route, the BMC's own gateway and proxy), or serve the image on one that it reaches; then look at its firmware and licence: some accept an image and never fetch it"

// askInsert puts the image into the first slot that takes it, and sees the BMC fetch it.
func askInsert(ctx context.Context, p *probe) finding {
	t := p.trial
	if p.host.Managed {
		return t.leave(skip("not asked: the host has its BareMetalHost, which Metal3 drives"))
	}
	free, cleared, f := t.survey(ctx)
	if f != nil {
		return *f
	}
	var err error
	if t.offer, err = p.run.images.offer(ctx, p); err != nil {
		return fail("give the image server an address of this machine that the BMC reaches", "%s", printable(err.Error()))
	}
	var refusals []string
	var last error
	began := time.Now()
	for _, path := range free {
		how, err := t.insertInto(ctx, path)
		switch {
		case err == nil:
			f := t.awaitFetch(ctx, path, how, began)
			f.seen += cleared
			return f
		case !refused(err):
			return fail(refusalRemedy(err, t.offer.Fetches()), "%s%s%s", reasonOf(err), t.unasked(), cleared)
		}
		refusals = append(refusals, reasonOf(err))
		last = err
	}
	return fail(refusalRemedy(last, t.offer.Fetches()), "%s%s%s", strings.Join(refusals, "; "), t.unasked(), cleared)
}

// refused says that the BMC said no, so that another slot may be tried.
func refused(err error) bool {
	status := statusOf(err)
	var property *PropertyError
	return errors.As(err, &property) || status >= 400 && status != http.StatusUnauthorized && status != http.StatusForbidden
}

// unasked completes what is said of a failed insert: whether the BMC tried to fetch.
func (t *trial) unasked() string {
	if len(t.offer.Fetches()) == 0 {
		return "; it did not ask for the image at " + place(t.offer.URL)
	}
	return ""
}

func refusalRemedy(err error, fetches []imageserver.Fetch) string {
	switch {
	case statusOf(err) == http.StatusForbidden:
		return "give the BMC's user the right ConfigureManager: role Administrator"
	case len(fetches) == 0:
		return reachRemedy
	}
	return "update the BMC's firmware"
}

// way is one form of an insert: the properties beside Image.
type way map[string]any

// ladder lists the forms in their order. Image alone comes first, since Supermicro refuses what it does not know; the last
// has a user and a password that nobody asks for, since some BMCs want the properties there.
func ladder() []way {
	forms := []way{{}, {"TransferProtocolType": "HTTP"}, {"TransferMethod": "Stream"}, {"UserName": "labrun", "Password": "labrun"}}
	for i := 1; i < len(forms); i++ {
		for name, value := range forms[i-1] {
			forms[i][name] = value
		}
	}
	return forms
}

func (w way) String() string {
	if len(w) == 0 {
		return "Image alone"
	}
	return "Image with " + strings.Join(slices.Sorted(maps.Keys(w)), ", ")
}

// insertInto tries the ladder on one slot, by its action or else by PATCH, and says what the BMC took. A 4xx goes one step
// on, but for those that no other form could change.
func (t *trial) insertInto(ctx context.Context, path string) (string, error) {
	r, err := t.fresh(ctx, path)
	if err != nil {
		return "", err
	}
	target, missing := r.text("Actions", "#VirtualMedia.InsertMedia", "target")
	tries := 3
	for _, form := range ladder() {
		payload := map[string]any{"Image": t.offer.URL}
		maps.Copy(payload, form)
		how := "InsertMedia"
		send := func(ctx context.Context) error { return t.writer.post(ctx, target, payload) }
		if missing != nil {
			how = "PATCH with Inserted"
			payload["Inserted"] = true
			send = func(ctx context.Context) error { return t.writer.patch(ctx, r, payload) }
		}
		if len(t.tried) == 0 || t.tried[len(t.tried)-1].slot != path {
			t.tried = append(t.tried, attempt{slot: path})
		}
		err = t.persist(ctx, &tries, busy, send)
		if err == nil || unanswered(err) {
			t.tried[len(t.tried)-1].accepted = true
		}
		switch status := statusOf(err); {
		case err == nil:
			return how + ", " + form.String(), nil
		case status == 0, slices.Contains([]int{401, 403, 404, 405, 501}, status):
			return "", err
		}
	}
	return "", err
}

// unanswered says that a request went out and nobody knows what became of it.
func unanswered(err error) bool {
	var e *RequestError
	return errors.As(err, &e) && e.StatusCode == 0
}

// awaitFetch waits for the BMC to fetch what it said that it inserted.
func (t *trial) awaitFetch(ctx context.Context, path, how string, began time.Time) finding {
	waiting, cancel := context.WithTimeout(ctx, t.opts.FetchTimeout)
	defer cancel()
	fetch, err := t.offer.Wait(waiting)
	if err == nil {
		return pass("%s took it (%s) and %s", path, how, describeFetch(fetch, began))
	}
	if ctx.Err() != nil {
		return fail("", "%s took it (%s), and time was up before it was fetched", path, how)
	}
	if asked := t.offer.Fetches(); len(asked) > 0 {
		return warn("none where the BMC reads an image only when the host boots, as OpenBMC does; else look at its firmware",
			"%s took it (%s) and read nothing of it within %s: %s", path, how, t.opts.FetchTimeout, describeFetch(asked[len(asked)-1], began))
	}
	return fail(reachRemedy, "%s took it (%s), and the BMC has not fetched it from %s within %s", path, how, place(t.offer.URL), t.opts.FetchTimeout)
}

// describeFetch says who fetched, how and when.
func describeFetch(f imageserver.Fetch, began time.Time) string {
	s := fmt.Sprintf("%s sent %s after %s", f.Source, f.Method, f.Time.Sub(began).Round(10*time.Millisecond))
	if f.Range != "" {
		s += ", " + printable(f.Range)
	}
	if f.UserAgent != "" {
		s += ", agent " + printable(f.UserAgent)
	}
	return s
}

// place is an image's URL without its path, which nobody needs to know.
func place(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// askInserted reads the slot back.
func askInserted(ctx context.Context, p *probe) finding {
	t := p.trial
	if len(t.tried) == 0 {
		return skip(nothingIn)
	}
	path := t.tried[len(t.tried)-1].slot
	var now contents
	var err error
	if t.until(ctx, func(ctx context.Context) bool {
		var r *resource
		if r, err = t.fresh(ctx, path); err != nil {
			return false
		}
		now = slot{r}.contents()
		return now.inserted && now.shows(t.offer.URL)
	}) {
		return pass("%s shows Inserted true and the image", path)
	}
	switch {
	case err != nil:
		return fail("", "%s", reasonOf(err))
	case now.insertedErr != nil && now.shows(t.offer.URL):
		return unknown("%s, but the image is there", reasonOf(now.insertedErr))
	case now.inserted && now.image == "":
		return unknown("%s shows Inserted true and does not name the image", path)
	case now.inserted:
		return fail("", "%s shows another image: %s", path, orUnnamed(now.image))
	case now.silent():
		return unknown("%s", reasonOf(now.insertedErr))
	}
	return fail("", "%s shows Inserted %t and Image %s", path, now.inserted, orUnnamed(now.image))
}
