package redfish

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// workers are hosts behind one BMC, all with the same credential.
func workers(b *bmctest.BMC, n int) []Host {
	var out []Host
	for i := range n {
		h := hostAt(b)
		h.Name, h.BootMAC = "worker"+string(rune('0'+i)), ""
		out = append(out, h)
	}
	return out
}

// However many workers stand behind a BMC, a wrong password is one 401 there: three would lock the account.
func TestWrongPasswordOfManyWorkers(t *testing.T) {
	for _, sessions := range []bool{false, true} {
		b := start(t, bmctest.Config{Sessions: sessions, TLS: true, LockAfter: 2})
		hosts := workers(b, 8)
		for i := range hosts {
			hosts[i].Credentials.Password = "wrong"
			hosts[i].DisableCertificateVerification = i%2 == 1 // the same BMC for all that
			if i == 4 {
				hosts[i].RootCAs = hosts[i].RootCAs.Clone()
			}
		}
		for _, r := range Preflight(t.Context(), hosts, Options{}) {
			want(t, r, "auth", Fail, "HTTP 401")
			want(t, r, "media", Skip, "auth failed")
		}
		if b.Refused() != 1 || b.MostInFlight() != 1 {
			t.Errorf("sessions %v: %d refusals, %d in flight: %v", sessions, b.Refused(), b.MostInFlight(), b.Requests())
		}
		if wrong, locked := b.Attempts(); wrong != 1 || locked != 0 {
			t.Errorf("sessions %v: %d attempts, locked %d times", sessions, wrong, locked)
		}
		// the account still works
		if r := ask(t, hostAt(b), Options{}); r.Status != Pass {
			t.Errorf("with the right password: %+v", r)
		}
	}
}

// A refusal whose answer breaks off, or is no JSON, is a refusal all the same.
func TestWrongPasswordIsTriedOnceWhateverTheWords(t *testing.T) {
	for _, fault := range []bmctest.Fault{
		{Kind: bmctest.HalfBody, Path: bmctest.Systems}, {Kind: bmctest.HalfBody, Path: bmctest.Sessions},
		{Status: 401, Body: "<html>", ContentType: "text/html", Path: bmctest.Systems}, {Status: 401, Path: bmctest.Sessions},
	} {
		b := start(t, bmctest.Config{Sessions: fault.Path == bmctest.Sessions, Faults: []bmctest.Fault{fault}})
		hosts := workers(b, 3)
		for i := range hosts {
			hosts[i].Credentials.Password = "wrong"
		}
		for _, r := range Preflight(t.Context(), hosts, Options{}) {
			want(t, r, "auth", Fail, "HTTP 401")
		}
		if b.Refused() != 1 {
			t.Errorf("%+v: %d refusals: %v", fault, b.Refused(), b.Requests())
		}
	}
}

// Wherever a BMC says that a session stands, it is deleted; where it does not say, the report does.
func TestSessionIsFound(t *testing.T) {
	for where, status := range map[bmctest.Location]Status{
		bmctest.LocationPath: Pass, bmctest.LocationURL: Pass, bmctest.LocationBody: Pass, bmctest.LocationNone: Warn,
	} {
		b := start(t, bmctest.Config{Sessions: true, SessionLocation: where})
		r := ask(t, hostAt(b), Options{})
		want(t, r, "session", status, "")
		if open, ever := b.Sessions(); ever != 1 || open != 0 && status == Pass {
			t.Errorf("%d: %d sessions left of %d", where, open, ever)
		}
	}
}

// A session opens by its headers: what becomes of the body does not matter.
func TestSessionWhoseAnswerIsBroken(t *testing.T) {
	for name, fault := range map[string]bmctest.Fault{
		"breaks off": {Kind: bmctest.HalfBody},
		"late":       {Kind: bmctest.Slow, Delay: 350 * time.Millisecond}, // later than a request may take, and not yet hopeless
		"trickles":   {Kind: bmctest.Trickle, Delay: time.Microsecond},
	} {
		fault.Method, fault.Path = http.MethodPost, bmctest.Sessions
		b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{fault}})
		r := ask(t, hostAt(b), Options{Timeout: 300 * time.Millisecond})
		want(t, r, "auth", Pass, "accepted")
		if open, ever := b.Sessions(); open != 0 || ever != 1 {
			t.Errorf("%s: %d sessions left of %d", name, open, ever)
		}
	}
}

// A full session table, as the standard has it, as iDRAC says it, and in words.
func TestSessionTableFull(t *testing.T) {
	b := start(t, bmctest.Config{Sessions: true, SessionLimit: 1})
	holder, err := Open(t.Context(), hostAt(b))
	if err != nil {
		t.Fatal(err)
	}
	want(t, ask(t, hostAt(b), Options{}), "session", Fail, "exceeding the limit")
	if err := holder.Close(t.Context()); err != nil {
		t.Error(err)
	}
	want(t, ask(t, hostAt(b), Options{}), "session", Pass, "")
	for _, body := range []string{
		`{"error": {"code": "Base.1.5.GeneralError", "message": "See ExtendedInfo", "@Message.ExtendedInfo": [{"MessageId": "IDRAC.2.1.RAC0218", "Message": "The maximum number of user sessions is reached."}]}}`,
		`{"error": {"code": "Base.1.0.SessionLimitExceeded", "message": "no"}}`,
		`{"error": {"code": "x", "message": "The session limit has been reached"}}`,
	} {
		full := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Method: "POST", Path: bmctest.Sessions, Status: 503, Body: body}}})
		want(t, ask(t, hostAt(full), Options{}), "session", Fail, "no session to be had")
	}
}

// A login that is redirected within the service stays a login; to another host it does not go.
func TestLoginIsRedirectedWithin(t *testing.T) {
	for status, expected := range map[int]Status{307: Pass, 308: Pass, 301: Fail, 302: Fail, 303: Fail} {
		b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{
			{Kind: bmctest.Redirect, Method: "POST", Path: bmctest.Sessions, Status: status, Location: bmctest.Sessions + "/", Times: 1},
		}})
		r := ask(t, hostAt(b), Options{})
		want(t, r, "auth", expected, "")
		if open, ever := b.Sessions(); open != 0 || (ever == 1) != (expected == Pass) {
			t.Errorf("%d: %d sessions left of %d", status, open, ever)
		}
	}
}

// The caller gives up when the n-th request has arrived, for each n: no session is left, whatever was under way.
func TestInterruptedAtEachRequest(t *testing.T) {
	config := bmctest.Config{Sessions: true, TLS: true, Tree: rich(bmctest.Small()), Expand: bmctest.ExpandRefused, Faults: []bmctest.Fault{bmctest.Busy(1, "0")}}
	whole := ask(t, hostAt(start(t, config)), Options{}).Requests
	if whole < 12 {
		t.Fatalf("only %d requests: the sweep would miss some", whole)
	}
	for n := 1; n <= whole; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		var arrived atomic.Int64
		config.Arrived = func(bmctest.Request) {
			if arrived.Add(1) == int64(n) {
				cancel()
			}
		}
		b := start(t, config)
		r := Preflight(ctx, []Host{hostAt(b)}, Options{})[0]
		cancel()
		if open, ever := b.Sessions(); open != 0 || ever > 1 {
			t.Errorf("at request %d, %s: %d sessions left of %d", n, b.Requests()[n-1], open, ever)
		}
		if n < whole && r.Usable() { // the last one is the session's DELETE: all was asked
			t.Errorf("at request %d, %s: usable, though not all was asked", n, b.Requests()[n-1])
		}
		if len(b.Requests()) > n+2 {
			t.Errorf("at request %d: it went on with %v", n, b.Requests()[n:])
		}
	}
}

// The host's time is up at the n-th request, for each n: no session is left then either.
func TestOutOfTimeAtEachRequest(t *testing.T) {
	usual := ask(t, hostAt(start(t, bmctest.Config{Sessions: true})), Options{}).Requests
	for n := range usual {
		b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Kind: bmctest.Hang, After: n, Times: 1}}})
		r := ask(t, hostAt(b), Options{Timeout: 100 * time.Millisecond, HostTimeout: 200 * time.Millisecond})
		if open, ever := b.Sessions(); open != 0 || ever > 1 {
			t.Errorf("request %d hangs: %d sessions left of %d: %v", n+1, open, ever, b.Requests())
		}
		if r.Requests != len(b.Requests()) {
			t.Errorf("request %d hangs: %d requests reported, %d got", n+1, r.Requests, len(b.Requests()))
		}
	}
	b := start(t, bmctest.Config{Sessions: true, Faults: []bmctest.Fault{{Kind: bmctest.Hang, Method: http.MethodDelete}}})
	want(t, ask(t, hostAt(b), Options{Timeout: 100 * time.Millisecond}), "session", Warn, bmctest.Sessions+"/1 was not deleted")
}
