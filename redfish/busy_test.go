package redfish

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// A BMC that says when to come back is asked again, twice at most; anything else is an answer.
func TestBusy(t *testing.T) {
	at := func(f bmctest.Fault, path string) bmctest.Fault { f.Path = path; return f }
	ofMethod := func(f bmctest.Fault, method string) bmctest.Fault { f.Method = method; return f }
	for _, test := range []struct {
		name   string
		fault  bmctest.Fault
		check  string
		status Status
		text   string
		more   int // requests than of a BMC that is not busy, where nothing is skipped
	}{
		{"once", at(bmctest.Busy(1, "0"), bmctest.Root), "root", Pass, "1.5.0", 1},
		{"twice", at(bmctest.Busy(2, "0"), bmctest.System), "system", Pass, bmctest.System, 2},
		{"at every path", bmctest.Busy(2, "0"), "root", Pass, "1.5.0", 2},
		{"until a date that has passed", at(bmctest.Busy(1, "Mon, 02 Jan 2006 15:04:05 GMT"), bmctest.Slot), "media", Pass, bmctest.Slot, 1},
		{"while the session is deleted", ofMethod(bmctest.Busy(2, "0"), http.MethodDelete), "session", Pass, "deleted", 2},
		{"for ever", at(bmctest.Busy(0, "0"), bmctest.NICs), "boot-mac", Unknown, "HTTP 503", 1}, // two tries more, and no interface
		{"longer than the host has", at(bmctest.Busy(1, "3600"), bmctest.NICs), "boot-mac", Unknown, "HTTP 503", -1},
		{"without a time", at(bmctest.Busy(1, ""), bmctest.NICs), "boot-mac", Unknown, "HTTP 503", -1},
		{"a time that is none", at(bmctest.Busy(1, "soon"), bmctest.NICs), "boot-mac", Unknown, "HTTP 503", -1},
		{"a login is sent once", at(bmctest.Busy(1, "0"), bmctest.Sessions), "auth", Fail, "HTTP 503", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			usual := ask(t, hostAt(start(t, bmctest.Config{Sessions: true, Tree: modest()})), Options{}).Requests
			b := start(t, bmctest.Config{Sessions: true, Tree: modest(), Faults: []bmctest.Fault{test.fault}})
			r := ask(t, hostAt(b), Options{})
			want(t, r, test.check, test.status, test.text)
			if r.Requests != len(b.Requests()) {
				t.Errorf("%d requests reported, %d got", r.Requests, len(b.Requests()))
			}
			if r.Check("auth").Status == Pass && r.Requests != usual+test.more {
				t.Errorf("%d requests, %d more than usual: %v", r.Requests, r.Requests-usual, b.Requests())
			}
			if b.Count("POST", bmctest.Sessions) != 1 {
				t.Errorf("%d logins", b.Count("POST", bmctest.Sessions))
			}
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d sessions left", open)
			}
		})
	}
}

// Who waits for a busy BMC stops when told.
func TestBusyIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Status: 503, RetryAfter: "20", Path: bmctest.System}},
		Arrived: func(r bmctest.Request) {
			if r.Path == bmctest.System {
				cancel()
			}
		}})
	began := time.Now()
	r := Preflight(ctx, []Host{hostAt(b)}, Options{})[0]
	if took := time.Since(began); took >= 20*time.Second {
		t.Errorf("it waited all the same: %s", took)
	}
	if open, ever := b.Sessions(); open != 0 || ever != 1 || r.Usable() || b.Count("GET", bmctest.System) != 1 {
		t.Errorf("%d sessions of %d left, %d requests: %+v", open, ever, b.Count("GET", bmctest.System), r)
	}
}

func TestComeBack(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		status int
		after  string
		wait   time.Duration
		busy   bool
	}{
		{503, "3", 3 * time.Second, true},
		{503, " 0 ", 0, true},
		{503, "Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second, true},
		{503, "Fri, 02 Jan 2026 03:04:00 GMT", 0, true},
		{503, "-1", 0, false},
		{503, "1.5", 0, false},
		{503, "99999999999999999999", 0, false},
		{503, "", 0, false},
		{500, "3", 0, false},
		{200, "3", 0, false},
	} {
		res := &response{status: test.status, header: http.Header{"Retry-After": {test.after}}}
		if wait, busy := comeBack(res, now); wait != test.wait || busy != test.busy {
			t.Errorf("%d %q: %s, %v", test.status, test.after, wait, busy)
		}
	}
	if _, busy := comeBack(nil, now); busy {
		t.Error("no answer at all")
	}
}

// A service that writes is as patient when it reads, and never sends a write twice.
func TestServiceIsPatientWhenItReads(t *testing.T) {
	b := start(t, bmctest.Config{})
	s, err := Open(t.Context(), hostAt(b))
	if err != nil {
		t.Fatal(err)
	}
	b.Break(bmctest.Busy(2, "0"))
	if _, err := s.Power(t.Context()); err != nil {
		t.Error(err)
	}
	reset := bmctest.System + "/Actions/ComputerSystem.Reset"
	b.Break(bmctest.Fault{Status: 503, RetryAfter: "0", Path: reset})
	var e *RequestError
	if err := s.Reset(t.Context(), "On"); !errors.As(err, &e) || e.StatusCode != 503 || b.Count("POST", reset) != 1 {
		t.Errorf("%v after %d", err, b.Count("POST", reset))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
