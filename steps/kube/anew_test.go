package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/pipeline/event"
)

// refusing answers the requests that match with 403, as if labrun had ended
// before it could send them.
type refusing struct {
	next    http.RoundTripper
	matches func(*http.Request) bool
}

// RoundTrip refuses, or hands on.
func (f *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.matches(r) {
		return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: io.NopCloser(strings.NewReader("no")), Request: r}, nil
	}
	return f.next.RoundTrip(r)
}

func (f *refusing) between(t *testing.T) *rest.Config {
	config := hub.Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		f.next = next
		return f
	})
	return config
}

// A run that ends right after it made an object anew, in the place of one that
// was being deleted, and before it could enter its UID, does not lock the lab out.
func TestEndedAfterAnObjectWasMadeAnew(t *testing.T) {
	ns := hub.Namespace(t, "anew")
	u := aConfigMap(ns, "anew", nil)
	s := stub{intents: []Intent{{Object: u}}}
	before := newLab(t, "anew")
	before.must("anew", s)
	client, err := before.cluster.resource(t.Context(), RefTo(u))
	if err != nil {
		t.Fatal(err)
	}
	held := before.get(RefTo(u))
	held.SetFinalizers([]string{"example.com/holds"})
	if _, err := client.Update(t.Context(), held, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.Delete(t.Context(), "anew", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	killed := labAs(t, "anew", (&refusing{matches: func(r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/"+InventoryName("anew")) {
			return false
		}
		now := before.get(RefTo(u))
		return now != nil && now.GetUID() != held.GetUID()
	}}).between(t))
	told := &tellings{hear: make(chan event.Event, 100)}
	ended := make(chan ran)
	go func() { ended <- killed.runIn(t.Context(), "anew", s, told) }()
	for e := range told.hear {
		if e.Type == event.StepProgress {
			break
		}
	}
	if _, err := client.Patch(t.Context(), "anew", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), meta.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r.err == nil {
		t.Fatal("the UID was entered")
	}
	newLab(t, "anew").must("anew", s)
}
