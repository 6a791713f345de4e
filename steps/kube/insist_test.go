package kube

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// silence lets the first requests that match go to the server, and loses the answer.
type silence struct {
	next    http.RoundTripper
	matches func(*http.Request) bool
	times   int
}

func (s *silence) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if s.times == 0 || !s.matches(r) {
		return answer, err
	}
	s.times--
	if err == nil {
		_ = answer.Body.Close()
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A request that is never answered is told, given up and sent again: what it did all
// the same is found, and nothing is done twice.
func TestSilentServer(t *testing.T) {
	ns := hub.Namespace(t, "silent")
	config := hub.Get(t).Config()
	lost := &silence{times: 1, matches: func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/"+ns+"/")
	}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		lost.next = next
		return lost
	})
	l := labAs(t, "silent", config)
	l.cluster.tellSilence, l.cluster.endSilence = 10*time.Millisecond, time.Second
	object := aConfigMap(ns, "heard", map[string]string{"a": "1"})
	r := l.must("objects", stub{intents: []Intent{{Object: object}}})
	if lost.times != 0 {
		t.Fatal("no request was lost")
	}
	all := strings.Join(r.told.titles(event.StepProgress), "\n")
	for _, want := range []string{"waits for an answer of the API server", "does not answer as it should"} {
		if !strings.Contains(all, RefTo(object).String()) || !strings.Contains(all, want) {
			t.Errorf("it does not tell %q:\n%s", want, all)
		}
	}
	if u := l.get(RefTo(object)); u == nil {
		t.Error("the object is not there")
	}
}

// A run that is told to stop lets the change that it is making come to its end, and no
// longer than it may take; it makes no other one.
func TestStopsAfterWhatHasBegun(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent bool
	}{
		{"the server answers", false},
		{"the server is silent", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := hub.Namespace(t, "stops")
			ctx, stop := context.WithCancel(t.Context())
			config := hub.Get(t).Config()
			applies := func(r *http.Request) bool {
				return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/"+ns+"/")
			}
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				stops := &interloper{next: next, times: 1, matches: applies, act: stop}
				if c.silent {
					stops.next = &silence{next: next, times: 1, matches: applies}
				}
				return stops
			})
			l := labAs(t, "stops", config)
			if c.silent {
				l.cluster.lingering = 10 * time.Millisecond
			}
			first, second := aConfigMap(ns, "first", nil), aConfigMap(ns, "second", nil)
			r := l.runIn(ctx, "objects", stub{intents: []Intent{{Object: first}, {Object: second}}}, &tellings{})
			if !errors.Is(r.err, context.Canceled) {
				t.Errorf("it ended with %v", r.err)
			}
			if r.changed == c.silent {
				t.Errorf("changed is %t: %q", r.changed, r.told.effects())
			}
			if l.get(RefTo(first)) == nil {
				t.Error("what had begun was not done")
			}
			if l.get(RefTo(second)) != nil {
				t.Error("something was begun after that")
			}
		})
	}
}
