package progress

import (
	"fmt"
	"slices"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// beatsShown bounds how many steps one heartbeat tells of, so that a hundred hosts
// that wait do not fill a log.
const beatsShown = 5

// heartbeat remembers of which steps that run a plain log has told nothing for
// long. A nil one remembers nothing. Its owner's lock guards it.
type heartbeat struct {
	every time.Duration
	now   func() time.Time
	order []*event.Instance // that run, as they began
	last  map[*event.Instance]time.Time
	timer *time.Timer
	over  bool
}

// newHeartbeat makes one. due is called, without the owner's lock, when it is time
// to look who is silent.
func newHeartbeat(o PlainOptions, due func()) *heartbeat {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &heartbeat{every: o.Heartbeat, now: o.Now, last: map[*event.Instance]time.Time{}, timer: time.AfterFunc(o.Heartbeat, due)}
}

// heard notes that something was told of an instance that runs.
func (h *heartbeat) heard(i *event.Instance) {
	if h == nil {
		return
	}
	if _, known := h.last[i]; !known {
		h.order = append(h.order, i)
	}
	h.last[i] = time.Now()
}

// gone forgets an instance that has ended.
func (h *heartbeat) gone(i *event.Instance) {
	if h == nil {
		return
	}
	delete(h.last, i)
	h.order = slices.DeleteFunc(h.order, func(o *event.Instance) bool { return o == i })
}

// silent gives those of whom nothing was told for long; they count as told now.
// The timer is set for the next one.
func (h *heartbeat) silent() []*event.Instance {
	now, next := time.Now(), h.every
	var found []*event.Instance
	for _, i := range h.order {
		left := h.every - now.Sub(h.last[i])
		if left <= 0 {
			found = append(found, i)
			h.last[i], left = now, h.every
		}
		next = min(next, left)
	}
	h.timer.Reset(next)
	return found
}

func (h *heartbeat) close() {
	if h != nil {
		h.timer.Stop()
		h.over = true
	}
}

// stillRuns tells of the steps that have been silent for long.
func (p *Plain) stillRuns() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beat.over {
		return
	}
	silent := p.beat.silent()
	for _, i := range silent[:min(len(silent), beatsShown)] {
		p.line(p.layout.runs(i, p.phaseOf(i), "…", p.beat.now()))
	}
	if more := len(silent) - beatsShown; more > 0 {
		p.line(fmt.Sprintf("%s  … and %d more that run", pad("", p.layout.phase), more))
	}
}
