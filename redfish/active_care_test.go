package redfish

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
	"github.com/labrun/labrun/redfish/imageserver"
)

// leftover is the URL of a probe that was killed: nobody serves it.
const leftover = "http://127.0.0.1:1/labrun-preflight/ABCDEFGHIJKLMNOPQRSTUVWXYZ/boot.iso"

// holding is a tree with this image in a slot.
func holding(slot, image string) bmctest.Tree {
	tree := bmctest.Small()
	tree.AddSlot(bmctest.Media, "Dvd", "DVD")
	return tree.Set(slot, true, "Inserted").Set(slot, image, "Image").Set(slot, "URI", "ConnectedVia")
}

func overridden(tree bmctest.Tree, enabled, target string) bmctest.Tree {
	return tree.Set(bmctest.System, enabled, "Boot", "BootSourceOverrideEnabled").Set(bmctest.System, target, "Boot", "BootSourceOverrideTarget")
}

// TestLeftAlone: a host in use gets no write, and the report says why.
func TestLeftAlone(t *testing.T) {
	alive := serving(t)
	for _, test := range []struct {
		name string
		tree bmctest.Tree
		host func(*Host)
		seen string
	}{
		{"media", holding(bmctest.Slot, "http://192.0.2.1/theirs.iso?token=x"), nil, bmctest.Slot + " holds http://192.0.2.1/theirs.iso?…"},
		{"media in the other slot", holding(bmctest.Media+"/Dvd", "http://192.0.2.1/theirs.iso"), nil, bmctest.Media + "/Dvd holds http://192.0.2.1/theirs.iso"},
		{"media without a name", holding(bmctest.Slot, ""), nil, bmctest.Slot + " holds an image that it does not name"},
		{"media beside a leftover", holding(bmctest.Slot, leftover).Set(bmctest.Media+"/Dvd", "x.iso", "Image"), nil, bmctest.Media + "/Dvd holds x.iso"},
		{"another probe at work", holding(bmctest.Slot, alive), nil, "another active probe is at work: " + bmctest.Slot + " holds its image"},
		{"console", bmctest.Small().Set(bmctest.Slot, "Applet", "ConnectedVia"), nil, "a console holds " + bmctest.Slot},
		{"a slot that says nothing", bmctest.Small().Unset(bmctest.Slot, "Image").Unset(bmctest.Slot, "Inserted"), nil, bmctest.Slot + " does not say whether it is empty"},
		{"boot override", overridden(bmctest.Small(), "Once", "Pxe"), nil, "a boot override is set: Once, target Pxe"},
		{"boot override to the drive", overridden(bmctest.Small(), "Continuous", "Cd"), nil, "a boot override is set: Continuous, target Cd"},
		{"a leftover, and another boot override", overridden(holding(bmctest.Slot, leftover), "Once", "Pxe"), nil, "a boot override is set: Once, target Pxe"},
		{"managed", bmctest.Small(), func(h *Host) { h.Managed = true }, "the host has its BareMetalHost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Sessions: true, Tree: test.tree})
			h := hostAt(b)
			if test.host != nil {
				test.host(&h)
			}
			before := fmt.Sprint(b.Resources()[bmctest.Slot], b.Resources()[bmctest.Media+"/Dvd"], b.Resources()[bmctest.System])
			r := ask(t, h, quick())
			if got := statuses(r); got != "skip skip skip skip" {
				t.Errorf("got %s", got)
			}
			for _, c := range ActiveCatalogue() {
				want(t, r, c.ID, Skip, "not asked: "+test.seen)
			}
			if got := writes(b); len(got) != 0 {
				t.Errorf("written: %v", got)
			}
			after := fmt.Sprint(b.Resources()[bmctest.Slot], b.Resources()[bmctest.Media+"/Dvd"], b.Resources()[bmctest.System])
			if before != after {
				t.Errorf("before %s\nafter  %s", before, after)
			}
		})
	}
}

// serving gives the URL of an image that is on offer as long as the test runs.
func serving(t *testing.T) string {
	t.Helper()
	s, err := imageserver.Listen(t.Context(), "127.0.0.1", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Offer().URL
}

// TestLeftoverIsCleared: a probe that was killed left its image, and maybe its boot override.
func TestLeftoverIsCleared(t *testing.T) {
	for _, test := range []struct {
		name   string
		tree   bmctest.Tree
		quirks bmctest.Quirks
		rest   string
		writes int // the probe's own: insert, set, restore, eject
	}{
		{"image", holding(bmctest.Slot, leftover), bmctest.Quirks{}, atRest, 4 + 1},
		{"image and override", overridden(holding(bmctest.Slot, leftover), "Once", "Cd"), bmctest.Quirks{}, atRest, 4 + 2},
		{"image and override, sushy-tools", overridden(holding(bmctest.Slot, leftover), "Continuous", "Cd"), bmctest.Quirks{Continuous: true}, "Continuous None UEFI", 4 + 2},
		{"Supermicro", holding(bmctest.Slot, leftover), bmctest.Quirks{EjectAppears: true}, atRest, 4 + 1},
		{"bmcweb, which says Applet of a URL", holding(bmctest.Slot, leftover).Set(bmctest.Slot, "Applet", "ConnectedVia"), bmctest.Quirks{}, atRest, 4 + 1},
		{"two", holding(bmctest.Slot, leftover).Set(bmctest.Media+"/Dvd", leftover, "Image").Set(bmctest.Media+"/Dvd", true, "Inserted"), bmctest.Quirks{}, atRest, 4 + 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, bmctest.Config{Sessions: true, Tree: test.tree, Quirks: test.quirks})
			r := ask(t, hostAt(b), quick())
			want(t, r, "insert", Pass, "cleared first what an active probe that was cut short had left in "+bmctest.Slot)
			want(t, r, "eject", Pass, "is empty again")
			if c := r.Check("media-busy"); c.Status != Pass {
				t.Errorf("media-busy: %+v", c)
			}
			if got := writes(b); len(got) != test.writes {
				t.Errorf("written: %v", got)
			}
			tidy(t, b, test.rest)
		})
	}
}

func TestLeftoverThatStays(t *testing.T) {
	for _, test := range []struct {
		fault bmctest.Fault
		text  string
	}{
		{bmctest.Fault{Method: "POST", Status: 403}, "cannot be emptied: POST"},
		{bmctest.Fault{Method: "PATCH", Status: 204}, "cannot be turned off: the BMC accepts the change and does not show it"},
	} {
		b := start(t, bmctest.Config{Tree: overridden(holding(bmctest.Slot, leftover), "Once", "Cd"), Faults: []bmctest.Fault{test.fault}})
		r := ask(t, hostAt(b), quick(impatient))
		want(t, r, "insert", Fail, test.text)
		if got := statuses(r); got != "fail skip skip skip" || len(offered(b)) != 0 {
			t.Errorf("%s; inserted %v", got, offered(b))
		}
	}
}

// counting cancels when the n-th request arrives; a negative n never.
func counting(n int, cancel context.CancelFunc) (arrived func(bmctest.Request), count *atomic.Int64) {
	count = new(atomic.Int64)
	return func(bmctest.Request) {
		if count.Add(1) == int64(n) {
			cancel()
		}
	}, count
}

// TestInterruptedAnywhere cancels at each request in turn. Afterwards nothing is inserted, the boot override is as before, no
// session is left, and nobody serves an image.
func TestInterruptedAnywhere(t *testing.T) {
	for _, test := range []struct {
		name   string
		config bmctest.Config
		rest   string
	}{
		{"standard", bmctest.Config{}, atRest},
		{"TLS, IPv6", bmctest.Config{TLS: true, Listen: "[::1]:0"}, atRest},
		{"sushy-tools", bmctest.Config{Quirks: bmctest.Quirks{Continuous: true}}, "Continuous Hdd UEFI"},
		{"Supermicro", bmctest.Config{Quirks: bmctest.Quirks{EjectAppears: true, Refuses: []string{"Inserted"}}}, atRest},
		{"Lenovo", bmctest.Config{Patch: true, Tree: bmctest.Small().Unset(bmctest.Slot, "Actions")}, atRest},
		{"Dell, later", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"UserName"}, Accepted: true, FetchesLater: true}}, atRest},
		{"a leftover", bmctest.Config{Tree: holding(bmctest.Slot, leftover)}, atRest},
	} {
		t.Run(test.name, func(t *testing.T) {
			passive, whole := sweepOnce(t, test.config, test.rest, false, -1), sweepOnce(t, test.config, test.rest, true, -1)
			for n := passive; n <= whole; n++ {
				sweepOnce(t, test.config, test.rest, true, n)
			}
			t.Logf("interrupted at each of the requests %d to %d", passive, whole)
		})
	}
}

// sweepOnce probes a new BMC, interrupted at its n-th request, and gives the number of requests.
func sweepOnce(t *testing.T, config bmctest.Config, rest string, active bool, n int) int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var count *atomic.Int64
	config.Arrived, count = counting(n, cancel)
	config.Sessions = true
	b := start(t, config)
	defer b.Mend()
	opts := quick()
	if !active {
		opts.Active = nil
	}
	r := Preflight(ctx, []Host{hostAt(b)}, opts)[0]
	if n > 0 && int64(n) < count.Load() && r.Status != Unknown {
		t.Errorf("interrupted at request %d, and the report is %s: %s", n, r.Status, statuses(r))
	}
	if open, _ := b.Sessions(); open != 0 {
		t.Errorf("%d sessions are left", open)
	}
	if len(writes(b)) > 0 || b.Property(bmctest.Slot, "Image") != leftover { // else what was left before is there still
		tidy(t, b, rest)
	}
	if t.Failed() {
		t.Fatalf("interrupted at request %d: %v\n%v", n, writes(b), b.Requests())
	}
	return int(count.Load())
}

// A host behind a slow BMC has more time for the active probe than for reading.
func TestHostTimeoutSparesTheActiveProbe(t *testing.T) {
	b := start(t, bmctest.Config{NoFetch: true, Sessions: true})
	opts := quick(func(a *Active) { a.FetchTimeout = 4100 * time.Millisecond })
	opts.HostTimeout = 4 * time.Second
	r := ask(t, hostAt(b), opts)
	want(t, r, "insert", Fail, "has not fetched it from")
	want(t, r, "eject", Pass, "is empty again")
	tidy(t, b, atRest)
}

// Hosts behind one service are probed one after the other, each by a URL of its own from one server.
func TestActiveHostsBehindOneService(t *testing.T) {
	b, hosts := twins(t)
	requests := 0
	for _, r := range Preflight(t.Context(), hosts, quick()) {
		if got := statuses(r); got != "pass pass pass pass" {
			t.Errorf("%s: %s", r.Name, got)
		}
		requests += r.Requests
	}
	if got := offered(b); len(got) != 2 || got[0] == got[1] || place(got[0]) != place(got[1]) {
		t.Errorf("on offer were %v", got)
	}
	if _, ever := b.Sessions(); ever != 1 || b.Connections() != 1 || requests != len(b.Requests()) {
		t.Errorf("%d sessions, %d connections, %d requests reported of %d", ever, b.Connections(), requests, len(b.Requests()))
	}
	tidy(t, b, atRest)
}

func TestActiveListen(t *testing.T) {
	other := httptest.NewServer(nil)
	defer other.Close()
	for listen, text := range map[string]string{
		"localhost":                              "took it",
		"127.0.0.1:0":                            "took it",
		"0.0.0.0":                                "every address and none that a BMC could fetch from",
		"fe80::1":                                "link-local",
		"192.0.2.77":                             "cannot assign requested address",
		strings.TrimPrefix(other.URL, "http://"): "address already in use",
	} {
		b := start(t, bmctest.Config{})
		r := ask(t, hostAt(b), quick(func(a *Active) { a.Listen = listen }))
		status := Fail
		if text == "took it" {
			status = Pass
			host, _, _ := strings.Cut(listen, ":")
			for _, image := range offered(b) {
				if !strings.HasPrefix(image, "http://"+host+":") {
					t.Errorf("%s: on offer was %s", listen, image)
				}
			}
		}
		want(t, r, "insert", status, text)
		if status == Fail && (len(writes(b)) != 0 || !strings.Contains(r.Check("insert").Remedy, "address of this machine")) {
			t.Errorf("%s: written %v; %s", listen, writes(b), r.Check("insert").Remedy)
		}
	}
}

// TestAnswersThatAreLost: the BMC does what each write in turn asks, and its answer is lost: nobody knows what it did.
func TestAnswersThatAreLost(t *testing.T) {
	for i, expected := range []string{"fail skip skip", "pass pass pass", "pass pass pass", "pass pass pass"} {
		var b *bmctest.BMC
		seen := 0
		b = start(t, bmctest.Config{Sessions: true, Arrived: func(q bmctest.Request) {
			if q.Method == "GET" || strings.HasPrefix(q.Path, bmctest.Sessions) {
				return
			}
			if seen++; seen == i+1 {
				b.Break(bmctest.Fault{Kind: bmctest.Mute, Method: q.Method, Path: q.Path, Times: 1})
			}
		}})
		r := ask(t, hostAt(b), quick(func(a *Active) { a.settle = 50 * time.Millisecond }))
		if got := statuses(r); got != expected+" pass" {
			t.Errorf("write %d: got %s, want %s pass: %v", i+1, got, expected, writes(b))
		}
		if i == 0 {
			want(t, r, "insert", Fail, "closed the connection before its answer was complete")
		}
		tidy(t, b, atRest)
	}
}

// A tag that If-Match never matches, as weak ones are, keeps nothing from being changed.
func TestTagThatNeverMatches(t *testing.T) {
	b := start(t, bmctest.Config{Sessions: true, Quirks: bmctest.Quirks{WeakTags: true}})
	r := ask(t, hostAt(b), quick())
	if got := statuses(r); got != "pass pass pass pass" || b.Count("PATCH", bmctest.System) != 4 {
		t.Errorf("%s: %v", got, writes(b))
	}
	tidy(t, b, atRest)
}
