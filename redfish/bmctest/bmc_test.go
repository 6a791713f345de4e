package bmctest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

func start(t *testing.T, config bmctest.Config) *bmctest.BMC {
	t.Helper()
	b, err := bmctest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// send sends one request over a connection of its own.
func send(t *testing.T, method, url, body string, edit func(*http.Request)) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(r)
	}
	client := http.Client{
		Timeout:       2 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return res, string(content), err
}

func basic(r *http.Request) { r.SetBasicAuth("admin", "sesame") }

func TestAuthentication(t *testing.T) {
	b := start(t, bmctest.Config{Username: "admin", Password: "sesame", Sessions: true, SessionLimit: 1})
	status := func(method, path, body string, edit func(*http.Request)) (*http.Response, int) {
		res, _, err := send(t, method, b.URL()+path, body, edit)
		if err != nil {
			t.Fatal(err)
		}
		return res, res.StatusCode
	}
	if _, got := status("GET", bmctest.Root, "", nil); got != 200 {
		t.Errorf("the root is %d", got)
	}
	if _, got := status("GET", bmctest.System, "", nil); got != 401 {
		t.Errorf("without a credential: %d", got)
	}
	if _, got := status("GET", bmctest.System, "", basic); got != 200 {
		t.Errorf("Basic: %d", got)
	}
	if _, got := status("POST", bmctest.Sessions, `{"UserName":"admin","Password":"x"}`, nil); got != 401 {
		t.Errorf("a wrong password: %d", got)
	}
	session, got := status("POST", bmctest.Sessions, `{"UserName":"admin","Password":"sesame"}`, nil)
	if got != 201 {
		t.Fatalf("a session: %d", got)
	}
	if _, got := status("POST", bmctest.Sessions, `{"UserName":"admin","Password":"sesame"}`, nil); got != 503 {
		t.Errorf("beyond the limit: %d", got)
	}
	token := func(r *http.Request) { r.Header.Set("X-Auth-Token", session.Header.Get("X-Auth-Token")) }
	if _, got := status("GET", bmctest.System, "", token); got != 200 {
		t.Errorf("by token: %d", got)
	}
	if _, got := status("DELETE", session.Header.Get("Location"), "", token); got != 204 {
		t.Errorf("deleting the session: %d", got)
	}
	if _, got := status("GET", bmctest.System, "", token); got != 401 {
		t.Errorf("by a deleted token: %d", got)
	}
	if open, ever := b.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d of %d sessions are open", open, ever)
	}
	if b.Refused() != 3 || len(b.Requests()) != 9 {
		t.Errorf("%d refused of %v", b.Refused(), b.Requests())
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault bmctest.Fault
		check func(*http.Response, string, error) bool
	}{
		{bmctest.Fault{Status: 500, Body: "x"}, func(r *http.Response, body string, _ error) bool { return r.StatusCode == 500 && body == "x" }},
		{bmctest.Fault{Kind: bmctest.Hang}, func(_ *http.Response, _ string, err error) bool { return err != nil }},
		{bmctest.Fault{Kind: bmctest.Reset}, func(_ *http.Response, _ string, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{bmctest.Fault{Kind: bmctest.Close}, func(_ *http.Response, _ string, err error) bool { return errors.Is(err, io.EOF) }},
		{bmctest.Fault{Kind: bmctest.HalfBody}, func(_ *http.Response, _ string, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{bmctest.Fault{Kind: bmctest.Redirect, Location: "/x"}, func(r *http.Response, _ string, _ error) bool {
			return r.StatusCode == 302 && r.Header.Get("Location") == "/x"
		}},
		{bmctest.Fault{Kind: bmctest.Trickle, Delay: time.Microsecond}, func(r *http.Response, body string, err error) bool {
			return err == nil && r.StatusCode == 200 && strings.Contains(body, `"PowerState":"Off"`)
		}},
		{bmctest.Fault{Kind: bmctest.Replace, Property: []string{"Status", "Health"}, Value: 7}, func(r *http.Response, body string, err error) bool {
			return err == nil && r.StatusCode == 200 && strings.Contains(body, `"Health":7`) && strings.Contains(body, `"PowerState":"Off"`)
		}},
		{bmctest.Fault{Status: 200, Body: "<html>", ContentType: "text/html"}, func(r *http.Response, body string, _ error) bool {
			return body == "<html>" && r.Header.Get("Content-Type") == "text/html"
		}},
		{bmctest.Busy(1, "7"), func(r *http.Response, _ string, _ error) bool {
			return r.StatusCode == 503 && r.Header.Get("Retry-After") == "7"
		}},
		{bmctest.Fault{Query: "$expand", Status: 503}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 200 }},
		{bmctest.Fault{After: 1, Status: 503}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 200 }},
		{bmctest.Fault{Kind: bmctest.Slow, Delay: time.Millisecond}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 200 }},
		{bmctest.Fault{Path: "/redfish/v1/Sys*", Status: 503}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 503 }},
		{bmctest.Fault{Path: bmctest.Root, Status: 503}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 200 }},
		{bmctest.Fault{Method: "POST", Status: 503}, func(r *http.Response, _ string, _ error) bool { return r.StatusCode == 200 }},
	} {
		b := start(t, bmctest.Config{Faults: []bmctest.Fault{test.fault}})
		r, body, err := send(t, "GET", b.URL()+bmctest.System, "", nil)
		if !test.check(r, body, err) {
			t.Errorf("%+v: got %v, %q, %v", test.fault, r, body, err)
		}
	}
}

func TestFaultEnds(t *testing.T) {
	b := start(t, bmctest.Config{Faults: []bmctest.Fault{{Status: 503, After: 1, Times: 2}}})
	var got []int
	for range 4 {
		r, _, err := send(t, "GET", b.URL()+bmctest.Root, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.StatusCode)
	}
	if fmt.Sprint(got) != "[200 503 503 200]" {
		t.Errorf("%v", got)
	}
}

func TestTreeIsNotShared(t *testing.T) {
	tree := bmctest.Small()
	one, two := start(t, bmctest.Config{Tree: tree}), start(t, bmctest.Config{Tree: tree, Sessions: true})
	if _, _, err := send(t, "POST", one.URL()+bmctest.System+"/Actions/ComputerSystem.Reset", `{"ResetType":"On"}`, nil); err != nil {
		t.Fatal(err)
	}
	if one.Property(bmctest.System, "PowerState") != "On" || two.Property(bmctest.System, "PowerState") != "Off" || tree[bmctest.System]["PowerState"] != "Off" {
		t.Error("a write to one BMC shows in another, or in the tree")
	}
	if one.Property(bmctest.Root, "Links", "Sessions") != nil || two.Property(bmctest.Root, "Links", "Sessions") == nil {
		t.Error("sessions are advertised by the wrong one")
	}
}
