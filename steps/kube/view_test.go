package kube

import (
	"errors"
	"testing"
)

// Of several references that cannot be read always the same one is told.
func TestTroubleIsToldInOrder(t *testing.T) {
	for range 20 {
		v := newView(nil)
		for _, kind := range []string{"Pod", "Agent", "Node"} {
			ref := Ref{APIVersion: "v1", Kind: kind}
			v.add(ref)
			v.fail(ref, errors.New(kind))
		}
		optional := Ref{APIVersion: "v1", Kind: "AAA", Optional: true}
		v.add(optional)
		v.fail(optional, errNotServed)
		if err := v.trouble(); err == nil || err.Error() != "Agent" {
			t.Fatalf("told %v", err)
		}
	}
}
