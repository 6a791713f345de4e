package bmctest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// login tries to open a session, and gives the status and the token.
func login(t *testing.T, b *bmctest.BMC, password string) (*http.Response, string) {
	t.Helper()
	res, body, err := send(t, "POST", b.URL()+bmctest.Sessions, `{"UserName":"admin","Password":"`+password+`"}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// status is what a GET with Basic is answered.
func status(t *testing.T, b *bmctest.BMC, path, password string) int {
	t.Helper()
	res, _, err := send(t, "GET", b.URL()+path, "", func(r *http.Request) { r.SetBasicAuth("admin", password) })
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestLockout(t *testing.T) {
	b := start(t, bmctest.Config{Username: "admin", Password: "sesame", Sessions: true, LockAfter: 3, LockStatus: 403})
	for i, step := range []struct {
		password string
		status   int
	}{{"a", 401}, {"b", 401}, {"sesame", 200}, {"a", 401}, {"b", 401}, {"c", 401}, {"sesame", 403}, {"d", 403}} {
		if got := status(t, b, bmctest.System, step.password); got != step.status {
			t.Errorf("attempt %d with %s: %d, want %d", i, step.password, got, step.status)
		}
	}
	if res, _ := login(t, b, "sesame"); res.StatusCode != 403 {
		t.Errorf("a session of a locked account: %d", res.StatusCode)
	}
	if wrong, locked := b.Attempts(); wrong != 5 || locked != 1 {
		t.Errorf("%d wrong, %d times locked", wrong, locked)
	}
	b.Unlock()
	if got := status(t, b, bmctest.System, "sesame"); got != 200 {
		t.Errorf("unlocked: %d", got)
	}
	if res, _ := login(t, b, "x"); res.StatusCode != 401 {
		t.Errorf("a wrong password: %d", res.StatusCode)
	}
	if wrong, _ := b.Attempts(); wrong != 6 {
		t.Errorf("an attempt by session does not count: %d", wrong)
	}
}

func TestLockoutEnds(t *testing.T) {
	b := start(t, bmctest.Config{Username: "admin", Password: "sesame", LockAfter: 1, LockFor: time.Nanosecond})
	if got := status(t, b, bmctest.System, "x"); got != 401 {
		t.Errorf("%d", got)
	}
	if got := status(t, b, bmctest.System, "sesame"); got != 200 {
		t.Errorf("after the time of the lock: %d", got)
	}
	if _, locked := b.Attempts(); locked != 1 {
		t.Errorf("locked %d times", locked)
	}
}

func TestSessionLimitAsBMCsSayIt(t *testing.T) {
	b := start(t, bmctest.Config{Username: "admin", Password: "sesame", Sessions: true, SessionLimit: 1})
	login(t, b, "sesame")
	res, body := login(t, b, "sesame")
	if res.StatusCode != 503 || !strings.Contains(body, `"MessageId":"Base.1.8.SessionLimitExceeded"`) || !strings.Contains(body, `"code":"Base.1.8.GeneralError"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestSessionsExpire(t *testing.T) {
	b := start(t, bmctest.Config{Username: "admin", Password: "sesame", Sessions: true, SessionTimeout: time.Nanosecond})
	res, _ := login(t, b, "sesame")
	got, _, err := send(t, "GET", b.URL()+bmctest.System, "", func(r *http.Request) { r.Header.Set("X-Auth-Token", res.Header.Get("X-Auth-Token")) })
	if err != nil || got.StatusCode != 401 {
		t.Errorf("%v, %v", got, err)
	}
	if open, ever := b.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d of %d are open", open, ever)
	}
}

func TestSessionLocation(t *testing.T) {
	for where, want := range map[bmctest.Location]struct{ header, body string }{
		bmctest.LocationPath: {bmctest.Sessions + "/1", bmctest.Sessions + "/1"},
		bmctest.LocationURL:  {"https://bmc.internal" + bmctest.Sessions + "/1", bmctest.Sessions + "/1"},
		bmctest.LocationBody: {"", bmctest.Sessions + "/1"},
		bmctest.LocationNone: {"", ""},
	} {
		b := start(t, bmctest.Config{Username: "admin", Password: "sesame", Sessions: true, SessionLocation: where})
		res, body := login(t, b, "sesame")
		if res.StatusCode != 201 || res.Header.Get("Location") != want.header || strings.Contains(body, bmctest.Sessions) != (want.body != "") {
			t.Errorf("%d: %d %q %s", where, res.StatusCode, res.Header.Get("Location"), body)
		}
		b.ExpireSessions()
		if members, _ := b.Property(bmctest.Sessions, "Members").([]any); len(members) != 0 {
			t.Errorf("%v are still listed", members)
		}
	}
}
