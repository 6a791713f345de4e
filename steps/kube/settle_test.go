package kube

import (
	"net/http"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// interloper does something just before each of the first requests of one kind.
type interloper struct {
	next        http.RoundTripper
	contentType string
	times       int
	act         func()
}

// RoundTrip sends the request after what comes between.
func (i *interloper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Content-Type") == i.contentType && i.times > 0 {
		i.times--
		i.act()
	}
	return i.next.RoundTrip(r)
}

// An operator that writes a new object before labrun has settled its fields does
// not leave them to the next run.
func TestSettlesWhatIsWrittenMeanwhile(t *testing.T) {
	other := newLab(t, "operator")
	ns := hub.Namespace(t, "settle")
	pool := aNodePool(ns, "quay.io/a:1")
	ref := RefTo(pool)
	written := 0
	between := &interloper{contentType: string(types.JSONPatchType), times: 3, act: func() {
		u := other.get(ref)
		written++
		u.SetAnnotations(map[string]string{"written": string(rune('0' + written))})
		client, err := other.cluster.resource(t.Context(), ref)
		if err == nil {
			_, err = client.Update(t.Context(), u, meta.UpdateOptions{FieldManager: "operator"})
		}
		if err != nil {
			t.Error(err)
		}
	}}
	config := hub.Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		between.next = next
		return between
	})
	l := labAs(t, "settle", config)
	s := stub{intents: []Intent{{Object: pool, Initial: func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
	}}}}
	l.must("pool", s)
	if written != 3 {
		t.Fatalf("the operator wrote %d times, want 3", written)
	}
	if _, double, err := disown(l.get(ref).GetManagedFields(), FieldManager("settle", "pool", "")); err != nil || double {
		t.Errorf("the create still owns what is applied (%v)", err)
	}
	if r := l.must("pool", s); r.changed {
		t.Errorf("the second run changed something: %v", r.told.effects())
	}
}
