package masking

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

func TestText(t *testing.T) {
	var s Secrets
	if got := s.Text("https://hub/byapikey/eyJhbGciOiJFUzI1NiJ9.eyJpbmZyYV9lbnYiOiJ4In0.c2lnbmF0dXJl/x.iso"); got != "https://hub/byapikey/***/x.iso" {
		t.Errorf("a token: %q", got)
	}
	if got := s.Text("hunter2"); got != "hunter2" {
		t.Errorf("without secrets: %q", got)
	}
	key := "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\n-----END KEY-----\n"
	for _, value := range []string{"hunter2", "hunter2andmore\n", "admin", key} {
		s.Add(value)
	}
	s.Add(`{"auths":{"registry.lab:5000":{"auth":"bGFic2ltOnNlc2FtZS1zdHJlZXQ=","email":"a@b.example"}}}`)
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for text, want := range map[string]string{
		"user admin, password hunter2!":                                 "user admin, password ***!",
		"hunter2andmore":                                                "***",
		"Authorization: Basic " + b64("hunter2"):                        "Authorization: Basic ***",
		b64("hunter2andmore") + " " + b64("hunter2andmore\n"):           "*** ***",
		"a line MIIEvQIBADANBgkq, a short one, its -----BEGIN KEY-----": "a line ***, a short one, its -----BEGIN KEY-----",
		b64("MIIEvQIBADANBgkq"):                                         "***",
		b64(key):                                                        "***",
		"dial registry.lab:5000: Basic bGFic2ltOnNlc2FtZS1zdHJlZXQ= (sesame-street)": "dial registry.lab:5000: Basic *** (***)",
		"nothing": "nothing",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A login without a password is masked as a whole, the token beside it by itself.
func TestLoginWithoutPassword(t *testing.T) {
	encoded := func(login string) string { return base64.StdEncoding.EncodeToString([]byte(login)) }
	for _, blank := range []string{"", " ", "\n"} {
		var s Secrets
		s.Add("lab-user-of-old:" + blank)
		s.Add("user:" + blank)
		s.Add(`{"auths":{"acr.lab":{"auth":"` + encoded("00000000-0000-0000-0000-000000000000:"+blank) + `","identitytoken":"sesame-street"}}}`)
		s.Add("       " + blank)
		for text, want := range map[string]string{
			"login (lab-user-of-old:) failed": "login (***) failed",
			"Basic " + encoded("00000000-0000-0000-0000-000000000000:"+blank) + ", refused sesame-street": "Basic ***, refused ***",
			"of user: none,        7 blanks": "of user: none,        7 blanks",
		} {
			if got := s.Text(text); got != want {
				t.Errorf("%q: %q is %q, want %q", blank, text, got, want)
			}
		}
	}
}

// kept is a sink that keeps what it gets, and refuses it with an error.
type kept struct {
	events []event.Event
	err    error
}

func (k *kept) Take(e event.Event) error {
	k.events = append(k.events, e)
	return k.err
}

// No part of an event that came from outside holds a secret once it was told, and
// what the run itself goes on with is left as it is.
func TestBefore(t *testing.T) {
	const secret = "hunter2hunter2"
	var s Secrets
	s.Add(secret)
	report := func() *event.Report {
		return &event.Report{Title: "t " + secret, Next: "n " + secret, Lines: []event.Line{{Label: "it said", Text: "l " + secret}}}
	}
	all := []event.Event{
		{Type: event.StepProgress, Report: report()},
		{Type: event.StepPlanned, Plan: &event.Plan{Reason: secret}},
		{Type: event.Intent, Effect: &event.Effect{Object: "x " + secret}},
		{Type: event.Done, Effect: &event.Effect{Error: "x " + secret}},
		{Type: event.StepFinished, Result: &event.Result{Summary: secret, Reason: secret, Report: report(),
			Outputs: map[string]any{"a": []any{secret, 1}, "b": map[string]any{"c": "x" + secret}, "n": nil}}},
		{Type: event.RunFinished, Summary: &event.Summary{Report: report()}},
	}
	before, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	broken, whole := &kept{err: errors.New("full")}, &kept{}
	sink := s.Before(broken, whole)
	for _, e := range all {
		if err := sink.Take(e); !errors.Is(err, broken.err) {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
	after, err := json.Marshal(all)
	if err != nil || string(before) != string(after) {
		t.Errorf("the run's own events were changed (%v): %s", err, after)
	}
	for _, k := range []*kept{broken, whole} {
		told, err := json.Marshal(k.events)
		if err != nil || len(k.events) != len(all) || strings.Contains(string(told), secret) {
			t.Errorf("%d events (%v): %s", len(k.events), err, told)
		}
	}
	want := map[string]any{"a": []any{Mask, 1}, "b": map[string]any{"c": "x" + Mask}, "n": nil}
	if d := cmp.Diff(want, whole.events[4].Result.Outputs); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
}
