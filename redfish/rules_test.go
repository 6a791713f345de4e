package redfish

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// scene is a BMC, a host behind it and the options to ask with; all is well with it until a rule's row changes something.
type scene struct {
	config bmctest.Config
	host   []func(*Host)
	opts   Options
	peers  []Host // other hosts of the same pre-flight
}

// rule is a row of TestRules: one check, one thing different, and what the check must say to it.
type rule struct {
	check  string
	kind   showing
	change func(*scene)
	status Status
	text   string
	direct func(*testing.T) finding // instead of change: for what no BMC for tests can play
}

// showing is what a rule's row shows.
type showing string

const (
	passes showing = "passes" // the property says that all is well
	fires  showing = "fires"  // it says that something is wrong
	silent showing = "silent" // the BMC does not say
)

func tree(changes ...change) func(*scene) {
	return func(s *scene) { s.config.Tree = both(changes...)(bmctest.Small()) }
}

// inTree changes the tree further.
func inTree(change change) func(*scene) {
	return func(s *scene) {
		if s.config.Tree == nil {
			s.config.Tree = bmctest.Small()
		}
		s.config.Tree = change(s.config.Tree)
	}
}

func host(change func(*Host)) func(*scene) {
	return func(s *scene) { s.host = append(s.host, change) }
}

func broken(f bmctest.Fault) func(*scene) {
	return func(s *scene) { s.config.Faults = append(s.config.Faults, f) }
}

func all(changes ...func(*scene)) func(*scene) {
	return func(s *scene) {
		for _, c := range changes {
			c(s)
		}
	}
}

func image(url string) func(*scene) { return host(func(h *Host) { h.Image = url }) }

func mode(m string) func(*scene) { return host(func(h *Host) { h.BootMode = m }) }

func well(*scene) {}

// neverSilent are checks that cannot meet a BMC that does not say, with the reason.
func neverSilent() map[string]string {
	return map[string]string{
		"address":     "the address is labrun's own input",
		"duplicate":   "hosts are compared with each other",
		"credentials": "the credential is labrun's own input",
		"dns":         "a resolver that does not answer has not resolved the name",
		"tcp":         "a port that does not answer is not open",
		"tls":         "a server that shows no certificate speaks no TLS",
	}
}

// Each check has a row where it passes, one where it fires, and one where the BMC does not say.
func TestRules(t *testing.T) {
	rows := slices.Concat(reachRules(t), systemRules(), mediaRules(), machineRules())
	have := map[string]map[showing]bool{}
	for _, row := range rows {
		if have[row.check] == nil {
			have[row.check] = map[showing]bool{}
		}
		have[row.check][row.kind] = true
		if !KnownCheck(row.check) {
			t.Errorf("there is no check %q", row.check)
		}
		if !fits(row) {
			t.Errorf("%s: a row where it %s wants %s", row.check, row.kind, row.status)
		}
		t.Run(row.check+" "+string(row.kind), func(t *testing.T) { row.run(t) })
	}
	for _, c := range Catalogue() {
		for _, k := range []showing{passes, fires, silent} {
			if reason, never := neverSilent()[c.ID]; never && k == silent {
				if have[c.ID][k] {
					t.Errorf("%s is silent after all, though %s", c.ID, reason)
				}
				continue
			}
			if !have[c.ID][k] {
				t.Errorf("%s has no row where it %s", c.ID, k)
			}
		}
	}
}

// fits says whether a row's status is one of its kind. Where a role or a licence is not known, the catalogue wants a warning.
func fits(row rule) bool {
	switch row.kind {
	case passes:
		return row.status == Pass
	case fires:
		return row.status == Warn || row.status == Fail
	}
	return row.status == Unknown || row.status == Skip || row.status == Warn && (row.check == "licence" || row.check == "privilege")
}

func (row rule) run(t *testing.T) {
	if row.direct != nil {
		if f := row.direct(t); f.status != row.status || !strings.Contains(f.seen, row.text) {
			t.Errorf("%s: %+v", row.check, f)
		}
		return
	}
	s := &scene{config: bmctest.Config{Sessions: true}}
	now := time.Now()
	s.opts.Now = func() time.Time { return now }
	row.change(s)
	b := start(t, s.config)
	h := hostAt(b)
	for _, edit := range s.host {
		edit(&h)
	}
	r := Preflight(t.Context(), append([]Host{h}, s.peers...), s.opts)[0]
	want(t, r, row.check, row.status, row.text)
	if got := r.Check(row.check); got.Seen == "" || (got.Status == Warn || got.Status == Fail) == (got.Remedy == "") {
		t.Errorf("%s lacks what was seen, or has a remedy too many or too few: %+v", row.check, got)
	}
	if open, _ := b.Sessions(); open != 0 {
		t.Errorf("%d sessions left", open)
	}
}

// stepping is a clock that moves on by d whenever somebody looks.
func stepping(d time.Duration) func() time.Time {
	at := time.Now()
	return func() time.Time { at = at.Add(d); return at }
}
