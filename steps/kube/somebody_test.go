package kube_test

import (
	"maps"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
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

// A second change by the same lab keeps nothing of the lab's own mark.
func TestChangedTwiceAndRestored(t *testing.T) {
	s := share(t, "twice")
	s.there(map[string]any{"ca": "0"})
	one := lab(t, "one-"+s.object.GetNamespace())
	for _, value := range []string{"1", "2"} {
		must(t, step(one, uses{object: s.object, key: "ca", value: value}))
	}
	s.want("changed twice", map[string]string{"ca": "2"}, one.name)
	must(t, step(one, destroy.HubObjects{}))
	s.want("the lab is gone", map[string]string{"ca": "0"})
}

// owns applies an object as the lab's own.
type owns struct {
	shared *shared
	data   map[string]any
}

func (s owns) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	u := s.shared.object.DeepCopy()
	u.Object["data"] = s.data
	return []kube.Intent{{Object: u, Force: true}}, nil
}

func (owns) Judge(*labs.Facts, kube.Seen) kube.Verdict { return kube.Verdict{State: kube.Done} }

// What --adopt took over is as it was once the lab is gone.
func TestAdoptedGoesBackToWhatItWas(t *testing.T) {
	s := share(t, "adopted")
	s.there(map[string]any{"a": "theirs", "b": "b"})
	s.write(`{"metadata": {"labels": {"app": "x", "app.kubernetes.io/managed-by": "Helm"}}}`)
	one := lab(t, "adopts-"+s.object.GetNamespace())
	one.adopt = true
	comes := owns{s, map[string]any{"a": "ours", "c": "3"}}
	patches := 0
	one.times, one.killed = 1, true
	one.overtaken = func(verb, path string) bool {
		if verb == "PATCH" && path == s.path {
			patches++
		}
		return patches == 2 // the first one is a dry run
	}
	if err := step(one, comes); err == nil || one.times != 0 {
		t.Fatalf("it was not ended: %v", err)
	}
	s.write(`{"data": {"a": "corporate"}}`)
	one.adopt = false
	if err := step(one, comes); err == nil || !strings.Contains(err.Error(), "is not this lab's") {
		t.Fatalf("taken over without being told to: %v", err)
	}
	one.adopt = true
	must(t, step(one, comes))
	one.adopt = false
	must(t, step(one, owns{s, map[string]any{"a": "ours again", "c": "3"}}))
	s.want("taken over", map[string]string{"a": "ours again", "b": "b", "c": "3"})
	must(t, step(one, destroy.Objects{Kinds: []string{"ConfigMap"}}))
	s.want("the lab is gone", map[string]string{"a": "corporate", "b": "b"})
	u, err := s.client.Get(t.Context(), "shared", meta.GetOptions{})
	if want := map[string]string{"app": "x", "app.kubernetes.io/managed-by": "Helm"}; err != nil || !maps.Equal(u.GetLabels(), want) {
		t.Errorf("its labels are %v, want %v (%v)", u.GetLabels(), want, err)
	}
}
