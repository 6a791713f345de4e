package kube_test

import (
	"strings"
	"testing"

	"github.com/labrun/labrun/steps/destroy"
)

// What somebody else makes where labrun was about to make the same is theirs: it is as
// they made it once the lab is gone.
func TestSomebodyMakesItFirst(t *testing.T) {
	for _, c := range []struct {
		name    string
		applied bool
		killed  bool // the run, at the POST, and they make it after
	}{
		{"before the POST of a merge", false, false},
		{"before the POST of an apply", true, false},
		{"after a merge was killed", false, true},
		{"after an apply was killed", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "first")
			one := lab(t, "one-"+s.object.GetNamespace())
			theirs := func() { s.there(map[string]any{"ca": "0", "more": "0"}) }
			one.times, one.killed = 1, c.killed
			one.overtaken = func(verb, path string) bool { return verb == "POST" && path == strings.TrimSuffix(s.path, "/shared") }
			if !c.killed {
				one.by = theirs
			}
			comes := uses{object: s.object, key: "ca", value: "1", applied: c.applied}
			if err := step(one, comes); (err != nil) != c.killed || one.times != 0 {
				t.Fatalf("killed %t: %v", c.killed, err)
			}
			if c.killed {
				theirs()
				must(t, step(one, comes))
			}
			s.want("the lab has come", map[string]string{"ca": "1", "more": "0"}, one.name)
			if e := s.entry(); e == nil || !e.Found || e.UID == "" {
				t.Errorf("the inventory holds %+v", e)
			}
			must(t, step(one, comes))
			must(t, step(one, destroy.HubObjects{}))
			s.want("the lab is gone", map[string]string{"ca": "0", "more": "0"})
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}

// Former values whose change was never made, or is undone already, are no longer the
// object's: what somebody has set since is.
func TestSetSinceFormerValuesWereEntered(t *testing.T) {
	for _, c := range []struct {
		name    string
		undone  bool // by a lab that ends before its entry is taken out; otherwise the PUT is refused
		applied bool
		since   string
		left    map[string]string
	}{
		{"a value, and the change was refused", false, false, `{"data": {"ca": "corporate"}}`, map[string]string{"other": "0", "ca": "corporate"}},
		{"a value, and the change is undone", true, false, `{"data": {"ca": "corporate"}}`, map[string]string{"other": "0", "ca": "corporate"}},
		{"a value, and the change is undone, and an apply comes", true, true, `{"data": {"ca": "corporate"}}`, map[string]string{"other": "0", "ca": "corporate"}},
		{"none, and the change is undone", true, false, `{"data": null}`, map[string]string{}},
		{"nothing, and the change is undone", true, false, `{}`, map[string]string{"other": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := share(t, "since")
			s.there(map[string]any{"other": "0"})
			one, two := lab(t, "one-"+s.object.GetNamespace()), lab(t, "two-"+s.object.GetNamespace())
			one.times, one.killed = 1, true
			one.overtaken = func(verb, path string) bool { return verb == "PUT" && path == s.path }
			comes := uses{object: s.object, key: "ca", value: "1", applied: c.applied}
			end := func() error { return step(one, uses{object: s.object, key: "ca", value: "1"}) }
			if c.undone {
				one.times = 0
				must(t, end())
				one.times, one.sent = 1, nil
				one.overtaken = func(verb, path string) bool {
					return verb == "PATCH" && strings.HasSuffix(path, "/labrun/configmaps/shared") && one.has("PUT "+s.path)
				}
				end = func() error { return step(one, destroy.HubObjects{}) }
			}
			if err := end(); err == nil || one.times != 0 {
				t.Fatalf("it was not ended: %v", err)
			}
			s.want("ended", map[string]string{"other": "0"})
			s.write(c.since)
			must(t, step(two, comes))
			must(t, step(two, destroy.HubObjects{}))
			s.want("the other one is gone", c.left)
			if e := s.entry(); e != nil {
				t.Errorf("the inventory still holds %+v", e)
			}
		})
	}
}
