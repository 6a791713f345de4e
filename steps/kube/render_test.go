package kube

import (
	"errors"
	"fmt"
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
	kind := Use[stub, *anEnv]("x/y", "", "")
	reads := []Ref{{APIVersion: "v1", Kind: "Node", Name: "n"}}
	s := stub{reads: reads, intents: []Intent{{Object: aConfigMap("a", "c", nil)}}}
	_, err = kind.Render(t.Context(), env, s)
	var r event.Reporter
	if !errors.Is(err, pipeline.ErrLater) || !errors.As(err, &r) || r.Tell().Title != "Node n: reading failed" || !strings.Contains(r.Tell().Next, "http://"+host+" runs and can be reached") {
		t.Errorf("rendering gave %+v", err)
	}
	if told != 0 {
		t.Errorf("%d events", told)
	}
	objects, err := kind.Render(t.Context(), env, stub{reads: reads})
	if err != nil || len(objects) != 0 {
		t.Errorf("a step without objects: %v, %v", objects, err)
	}
}

// Before the run a hub lacks kinds that an earlier step will bring.
func TestRenderTakesAKindThatIsNotServedAsAbsent(t *testing.T) {
	env := &anEnv{newLab(t, "render"), pipeline.NewScope("render", "p", "s", "", func(event.Event) error { return nil })}
	engines := Ref{APIVersion: "not.served/v1", Kind: "Engine"}
	s := stub{reads: []Ref{engines}, objects: func(seen Seen) ([]Intent, error) {
		return []Intent{{Object: aConfigMap("a", "c", map[string]string{"engines": fmt.Sprint(len(seen.List(engines)))})}}, nil
	}}
	objects, err := Use[stub, *anEnv]("x/y", "", "").Render(t.Context(), env, s)
	if err != nil || len(objects) != 1 || fmt.Sprint(objects[0]["data"]) != "map[engines:0]" {
		t.Errorf("rendered %v, %v", objects, err)
	}
}

// What a step cannot read yet does not end the rendering of the others.
func TestRenderOfWhatIsNotThereYet(t *testing.T) {
	env := &anEnv{&aLab{t: t, name: "render"}, pipeline.NewScope("render", "p", "s", "", func(event.Event) error { return nil })}
	s := stub{objects: func(Seen) ([]Intent, error) { return nil, &NotYet{event.Report{Title: "no agent yet"}} }}
	if _, err := Use[stub, *anEnv]("x/y", "", "").Render(t.Context(), env, s); !errors.Is(err, pipeline.ErrLater) || !strings.Contains(err.Error(), "no agent yet") {
		t.Errorf("rendering gave %v", err)
	}
}
