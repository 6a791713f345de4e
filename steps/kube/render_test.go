package kube

import (
	"errors"
	"net"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// A step that reads is not rendered where its cluster cannot be reached, and that
// is told at once.
func TestRenderOfAnUnreachableHub(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := gone.Addr().String()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	l := labAs(t, "render", &rest.Config{Host: "http://" + host})
	told := 0
	env := &anEnv{l, pipeline.NewScope("render", "p", "s", "", func(event.Event) error { told++; return nil })}
	s := stub{reads: []Ref{{APIVersion: "v1", Kind: "Node", Name: "n"}}, objects: func(Seen) ([]Intent, error) { return nil, nil }}
	_, err = Use[stub, *anEnv]("x/y", "", "").Render(t.Context(), env, s)
	var r event.Reporter
	if !errors.As(err, &r) || r.Tell().Title != "Node n: reading failed" || !strings.Contains(r.Tell().Next, "http://"+host+" runs and can be reached") {
		t.Errorf("rendering gave %+v", err)
	}
	if told != 0 {
		t.Errorf("%d events", told)
	}
}
