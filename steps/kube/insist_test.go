package kube

import (
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
