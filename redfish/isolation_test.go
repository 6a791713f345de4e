package redfish

import (
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// Every way in which a BMC can be bad at answering, all at once beside good ones: each bad one fails by itself, and the good
// ones are done before the first of those that let one wait.
func TestBadBMCsDelayNobodyElse(t *testing.T) {
	everywhere := func(f bmctest.Fault) bmctest.Config {
		return bmctest.Config{Sessions: true, Faults: []bmctest.Fault{f}}
	}
	bad := map[string]struct {
		config bmctest.Config
		check  string
		text   string
		waits  bool
	}{
		"silent":          {bmctest.Config{Silent: true}, "root", "no answer in time", true},
		"silent on TLS":   {bmctest.Config{Silent: true, TLS: true}, "tls", "no answer in time", true},
		"hangs":           {everywhere(bmctest.Fault{Kind: bmctest.Hang}), "root", "no answer in time", true},
		"trickles":        {everywhere(bmctest.Fault{Kind: bmctest.Trickle, Delay: 50 * time.Millisecond}), "root", "no answer in time", true},
		"slow at the end": {everywhere(bmctest.Fault{Kind: bmctest.Hang, Path: bmctest.Slot}), "media", "no answer in time", true},
		"resets":          {everywhere(bmctest.Fault{Kind: bmctest.Reset}), "root", "reset the connection", false},
		"half-closes":     {everywhere(bmctest.Fault{Kind: bmctest.HalfBody}), "root", "closed the connection", false},
		"closes":          {everywhere(bmctest.Fault{Kind: bmctest.Close}), "root", "closed the connection", false},
		"garbage":         {everywhere(bmctest.Fault{Status: 200, Body: "\x00\xff\x1b[2J"}), "root", "no JSON object", false},
		"a web page":      {everywhere(bmctest.Fault{Status: 200, Body: "<html>", ContentType: "text/html"}), "root", "text/html", false},
		"a wrong type":    {everywhere(bmctest.Fault{Kind: bmctest.Replace, Path: bmctest.System, Property: []string{"PowerState"}, Value: 7}), "power", "a number", false},
	}
	var hosts []Host
	bmcs := map[string]*bmctest.BMC{}
	add := func(name string, config bmctest.Config) {
		config.Tree = bmctest.Small().Unset(bmctest.System, "UUID")
		b := start(t, config)
		h := hostAt(b)
		h.Name, h.BootMAC = name, ""
		hosts, bmcs[name] = append(hosts, h), b
	}
	for name, b := range bad {
		add(name, b.config)
	}
	for _, name := range []string{"good 1", "good 2", "good 3"} {
		add(name, bmctest.Config{Sessions: true, TLS: true, Expand: bmctest.ExpandWorks})
	}
	var done []string
	opts := Options{Timeout: 2 * time.Second, HostTimeout: 4 * time.Second, Progress: func(host string, r Result) {
		if r.ID == Catalogue()[len(Catalogue())-1].ID {
			done = append(done, host)
		}
	}}
	for _, r := range Preflight(t.Context(), hosts, opts) {
		if b, isBad := bad[r.Name]; isBad {
			if got := r.Check(b.check); got.Status == Pass || got.Status == Skip {
				t.Errorf("%s: %s is %s: %s", r.Name, got.ID, got.Status, got.Seen)
			}
			want(t, r, b.check, r.Check(b.check).Status, b.text)
		} else if r.Status != Pass {
			t.Errorf("%+v", r)
		}
		if open, _ := bmcs[r.Name].Sessions(); open != 0 {
			t.Errorf("%s: %d sessions left", r.Name, open)
		}
		if bmcs[r.Name].MostInFlight() > 1 {
			t.Errorf("%s: %d requests in flight", r.Name, bmcs[r.Name].MostInFlight())
		}
	}
	waited := false
	for _, name := range done {
		b, isBad := bad[name]
		waited = waited || isBad && b.waits
		if !isBad && waited {
			t.Errorf("%s had to wait: %v", name, done)
		}
	}
	if len(done) != len(hosts) {
		t.Errorf("only %v are done", done)
	}
}

// Progress is called by one goroutine at a time, and in the order of each host's checks.
func TestProgressOneCallAtATime(t *testing.T) {
	var hosts []Host
	for i := range 12 {
		h := hostAt(start(t, bmctest.Config{Tree: bmctest.Small().Unset(bmctest.System, "UUID")}))
		h.Name, h.BootMAC = string(rune('a'+i)), ""
		hosts = append(hosts, h)
	}
	var busy sync.Mutex
	got := map[string][]string{}
	Preflight(t.Context(), hosts, Options{Progress: func(host string, r Result) {
		if !busy.TryLock() {
			t.Error("two calls at once")
			return
		}
		defer busy.Unlock()
		got[host] = append(got[host], r.ID)
	}})
	var ids []string
	for _, c := range Catalogue() {
		ids = append(ids, c.ID)
	}
	for _, h := range hosts {
		if !reflect.DeepEqual(got[h.Name], ids) {
			t.Errorf("%s: %v", h.Name, got[h.Name])
		}
	}
}

// A redirect to another host, wherever and whenever a BMC gives one: that host gets nothing, least of all a credential, and
// the BMC's session is deleted.
func TestRedirectAtEachRequest(t *testing.T) {
	config := bmctest.Config{Sessions: true, Tree: rich(bmctest.Small()), Expand: bmctest.ExpandWorks}
	usual := ask(t, hostAt(start(t, config)), Options{}).Requests
	for _, status := range []int{http.StatusFound, http.StatusPermanentRedirect} {
		for n := range usual - 1 { // the last one is the DELETE
			thief := start(t, bmctest.Config{Sessions: true})
			config.Faults = []bmctest.Fault{{Kind: bmctest.Redirect, Status: status, Location: thief.URL() + bmctest.System, After: n, Times: 1}}
			b := start(t, config)
			ask(t, hostAt(b), Options{})
			if got := thief.Requests(); len(got) != 0 || thief.Connections() != 0 {
				t.Errorf("%d at request %d (%s): the other host got %v over %d connections", status, n+1, b.Requests()[n], got, thief.Connections())
			}
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d at request %d: %d sessions left", status, n+1, open)
			}
		}
	}
}

// Go's default client and transport are the whole process's: they are the same before and after, field by field, and were
// never used: no connection of theirs went to a BMC.
func TestDefaultTransportIsUnchanged(t *testing.T) {
	transport := http.DefaultTransport.(*http.Transport)
	settings := func() map[string]any {
		out := map[string]any{}
		value := reflect.ValueOf(transport).Elem()
		for i := range value.NumField() {
			if f := value.Type().Field(i); f.IsExported() && f.Type.Kind() != reflect.Func {
				out[f.Name] = value.Field(i).Interface()
			} else if f.IsExported() {
				out[f.Name] = value.Field(i).Pointer()
			}
		}
		return out
	}
	client, before, config := *http.DefaultClient, settings(), transport.TLSClientConfig.Clone()
	b := start(t, bmctest.Config{TLS: true, Sessions: true})
	h := hostAt(b)
	h.DisableCertificateVerification, h.RootCAs = true, nil
	if r := ask(t, h, Options{}); r.Status != Warn {
		t.Errorf("%+v", r)
	}
	s, err := Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if http.DefaultTransport != http.RoundTripper(transport) || !reflect.DeepEqual(settings(), before) {
		t.Errorf("the default transport was\n%v\nand is\n%v", before, settings())
	}
	if transport.TLSClientConfig != nil && config != nil && transport.TLSClientConfig.InsecureSkipVerify != config.InsecureSkipVerify {
		t.Error("its TLS settings were changed")
	}
	if !reflect.DeepEqual(*http.DefaultClient, client) {
		t.Error("the default client was changed")
	}
	if b.Connections() != 2 {
		t.Errorf("%d connections", b.Connections())
	}
}
