package kube

import "testing"

func TestSeenSaysWhenTheStepBegan(t *testing.T) {
	l := newLab(t, "began")
	var first, last Seen
	l.must("began", stub{
		objects: func(seen Seen) ([]Intent, error) { first = seen; return nil, nil },
		judge:   func(seen Seen) Verdict { last = seen; return Verdict{State: Done, Summary: "done"} },
	})
	if first.Began.IsZero() || first.Began.After(first.Now) || !first.Began.Equal(last.Began) || last.Now.Before(first.Now) {
		t.Errorf("began %s at %s, then %s at %s", first.Began, first.Now, last.Began, last.Now)
	}
}
