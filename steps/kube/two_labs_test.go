package kube_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/steps/destroy"
)

// A lab goes while another one comes, goes, or an operator writes. What a lab uses
// stays, and once nobody uses it, all is as it was before the first.
func TestGoesWhileAnother(t *testing.T) {
	inventory := "/api/v1/namespaces/labrun/configmaps/shared"
	const comes, alike, goes, writes = "comes", "comes alike", "goes", "writes"
	for _, c := range []struct {
		name  string
		found map[string]any // what the object held before labrun, nil: labrun makes it
		other string         // what overtakes the request
		verb  string         // the request, after another one was sent
		path  string
		after string
		both  bool // both labs use it at first
		times int
		left  map[string]string // what it holds once the one is gone
	}{
		{name: "comes before the DELETE", other: comes, verb: "DELETE", times: 1, left: map[string]string{"one": "1", "two": "2"}},
		{name: "comes before the PUT of the former values", found: map[string]any{"theirs": "0", "one": "0"}, other: comes, verb: "PUT", times: 1,
			left: map[string]string{"theirs": "0", "one": "1", "two": "2"}},
		{name: "comes before the entry of what was restored is read", found: map[string]any{"one": "0"}, other: comes, verb: "GET", path: inventory, after: "PUT", times: 1,
			left: map[string]string{"one": "0", "two": "2"}},
		{name: "comes alike before the entry of what was restored is read", found: map[string]any{"one": "0"}, other: alike, verb: "GET", path: inventory, after: "PUT", times: 1,
			left: map[string]string{"one": "2"}},
		{name: "comes alike before the entry of what was restored is taken out", found: map[string]any{"one": "0"}, other: alike, verb: "PATCH", path: inventory, after: "PUT", times: 1,
			left: map[string]string{"one": "2"}},
		{name: "goes before the PUT that takes off the mark", other: goes, verb: "PUT", both: true, times: 1},
		{name: "goes before the PUT that takes off the mark of what was found", found: map[string]any{"one": "0"}, other: goes, verb: "PUT", both: true, times: 1,
			left: map[string]string{"one": "0"}},
		{name: "makes it anew before the entry is read", other: comes, verb: "GET", path: inventory, after: "DELETE", times: 1, left: map[string]string{"two": "2"}},
		{name: "makes it anew before the entry is taken out", other: comes, verb: "PATCH", path: inventory, after: "DELETE", times: 1, left: map[string]string{"two": "2"}},
		{name: "writes before the DELETE", other: writes, verb: "DELETE", times: 3},
		{name: "writes before the PUT", found: map[string]any{"one": "0"}, other: writes, verb: "PUT", times: 3, left: map[string]string{"one": "0", "status": "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "goes")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			if c.found != nil {
				s.there(c.found)
			}
			must(t, step(one, uses{object: s.object, key: "one", value: "1"}))
			if c.both {
				must(t, step(two, uses{object: s.object, key: "two", value: "2"}))
			}
			path, written := c.path, 0
			if path == "" {
				path = s.path
			}
			one.sent, one.times = nil, c.times
			one.overtaken = func(verb, at string) bool {
				return verb == c.verb && at == path && (c.after == "" || one.has(c.after+" "+s.path))
			}
			one.by = func() {
				switch c.other {
				case comes:
					must(t, step(two, uses{object: s.object, key: "two", value: "2"}))
				case alike:
					must(t, step(two, uses{object: s.object, key: "one", value: "2"}))
				case goes:
					must(t, step(two, destroy.HubObjects{}))
				case writes:
					written++
					s.write(`{"data": {"status": "` + string(rune('0'+written)) + `"}}`)
				}
			}
			must(t, step(one, destroy.HubObjects{}))
			if one.times != 0 {
				t.Fatalf("%d of the requests were not overtaken", one.times)
			}
			if c.other == writes && !slices.Equal(one.anew, []string{"1", "2", "3"}) {
				t.Errorf("it told that it judges anew for the times %q", one.anew)
			}
			if c.other != comes && c.other != alike {
				s.want("both are gone", c.left)
			} else {
				s.want("the one is gone", c.left, two.name)
				if e := s.entry(); e == nil || e.UID == "" {
					t.Fatalf("the inventory holds %+v", e)
				}
				must(t, step(two, destroy.HubObjects{}))
				var before map[string]string
				for key, value := range c.found {
					before = maps.Collect(maps.All(before))
					before[key] = value.(string)
				}
				s.want("both are gone", before)
			}
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// A lab comes while another one goes: what it enters are the values that the object has
// by then, and an object that is gone by then is made anew, and entered.
func TestComesWhileAnotherGoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		found   bool
		applied bool
		verb    string
	}{
		{"merges into what is restored", true, false, "PUT"},
		{"applies what is restored", true, true, "PATCH"},
		{"merges into what is deleted", false, false, "PUT"},
		{"applies what is deleted", false, true, "PATCH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "comes")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			var before map[string]string
			if c.found {
				before = map[string]string{"ca": "0"}
				s.there(map[string]any{"ca": "0"})
			}
			must(t, step(one, uses{object: s.object, key: "ca", value: "1"}))
			patches := 0
			two.times = 1
			two.overtaken = func(verb, path string) bool {
				if verb == c.verb && path == s.path {
					patches++
				}
				return verb == c.verb && path == s.path && (!c.applied || patches == 2) // the first one is a dry run
			}
			two.by = func() { must(t, step(one, destroy.HubObjects{})) }
			comes := uses{object: s.object, key: "ca", value: "2", applied: c.applied}
			must(t, step(two, comes))
			if two.times != 0 || len(two.anew) != 1 {
				t.Fatalf("it was overtaken %d times, and told %q", 1-two.times, two.anew)
			}
			s.want("the other one is gone", map[string]string{"ca": "2"}, two.name)
			if e := s.entry(); e == nil || e.UID == "" || e.Found != c.found {
				t.Errorf("the inventory holds %+v", e)
			}
			must(t, step(two, destroy.HubObjects{}))
			s.want("both are gone", before)
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// A lab that ends between what it restored and what it takes out of the inventory has
// its next run do that: a later lab does not bring back what stood there before the
// first one.
func TestEndsBeforeFormerValuesAreForgotten(t *testing.T) {
	s := share(t, "former")
	s.there(map[string]any{"ca": "old"})
	name := func(n string) string { return n + "-" + s.object.GetNamespace() }
	first, last, later := lab(t, name("first")), lab(t, name("last")), lab(t, name("later"))
	must(t, step(first, uses{object: s.object, key: "ca", value: "first's"}))
	must(t, step(last, uses{object: s.object, key: "more", value: "last's"}))
	must(t, step(first, destroy.HubObjects{}))

	last.times, last.killed, last.sent = 1, true, nil
	last.overtaken = func(verb, path string) bool {
		return verb == "PATCH" && strings.HasSuffix(path, "/labrun/configmaps/shared") && last.has("PUT "+s.path)
	}
	if err := step(last, destroy.HubObjects{}); err == nil || last.times != 0 {
		t.Fatalf("it was not ended: %v", err)
	}
	s.want("restored", map[string]string{"ca": "old"})
	if e := s.entry(); e == nil || e.Lab != last.name {
		t.Fatalf("the inventory holds %+v", e)
	}
	must(t, step(last, destroy.HubObjects{}))
	if e := s.entry(); e != nil {
		t.Errorf("the inventory still holds %+v", e)
	}
	s.write(`{"data": {"ca": "new"}}`)
	must(t, step(later, uses{object: s.object, key: "ca", value: "later's"}))
	must(t, step(later, destroy.HubObjects{}))
	s.want("all are gone", map[string]string{"ca": "new"})
}

// Two labs come at the same moment to what stood there before them: whichever enters
// the former values last, and whichever goes last, all is as it was before both.
func TestBothComeToWhatWasFound(t *testing.T) {
	inventory := "/api/v1/namespaces/labrun/configmaps/shared"
	for _, c := range []struct {
		name, verb, path string // what the other one comes before, "" path: the object itself
		goesLast         bool   // the one that was overtaken
	}{
		{"before the entry is read", "GET", inventory, true},
		{"before the entry is written", "PATCH", inventory, true},
		{"before the object is written", "PUT", "", true},
		{"before the entry is read, and goes last", "GET", inventory, false},
		{"before the entry is written, and goes last", "PATCH", inventory, false},
		{"before the object is written, and goes last", "PUT", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "both")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			s.there(map[string]any{"theirs": "0"})
			one.times = 1
			one.overtaken = func(verb, path string) bool {
				return verb == c.verb && path == cmp.Or(c.path, s.path)
			}
			one.by = func() { must(t, step(two, uses{object: s.object, key: "two", value: "2"})) }
			must(t, step(one, uses{object: s.object, key: "one", value: "1"}))
			if one.times != 0 {
				t.Fatal("it was not overtaken")
			}
			s.want("both have come", map[string]string{"theirs": "0", "one": "1", "two": "2"}, one.name, two.name)
			first, last := two, one
			if !c.goesLast {
				first, last = one, two
			}
			must(t, step(first, destroy.HubObjects{}))
			must(t, step(last, destroy.HubObjects{}))
			s.want("both are gone", map[string]string{"theirs": "0"})
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// What is made once has the mark of each lab that uses it: it goes with the last one,
// where it was not there before them.
func TestMadeOnceForTwoLabs(t *testing.T) {
	for name, found := range map[string]bool{"made by the first one": false, "found": true} {
		t.Run(name, func(t *testing.T) {
			s := share(t, "once")
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			holds, before := map[string]string{"key": "1"}, map[string]string(nil)
			if found {
				s.there(map[string]any{"key": "0"})
				holds = map[string]string{"key": "0"}
				before = holds
			}
			must(t, step(one, uses{object: s.object, key: "key", value: "1", once: true}))
			for range 2 {
				must(t, step(two, uses{object: s.object, key: "key", value: "2", once: true}))
			}
			s.want("both have come", holds, one.name, two.name)
			two.sent = nil
			must(t, step(two, uses{object: s.object, key: "key", value: "2", once: true}))
			if two.has("PUT") || two.has("PATCH") || two.has("POST") {
				t.Errorf("it wrote again: %q", two.sent)
			}
			must(t, step(one, destroy.HubObjects{}))
			s.want("the one that made it is gone", holds, two.name)
			must(t, step(two, destroy.HubObjects{}))
			s.want("both are gone", before)
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}
