package program

import (
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// The flags that say how a lab is worked on reach its steps.
func TestOpenHandsTheJobOn(t *testing.T) {
	for _, want := range []bool{false, true} {
		e := open(cli.Job{Facts: &labs.Facts{}, Adopt: want, Reveal: want, Kubeconfig: "hub.kubeconfig"})
		env := e.New(pipeline.NewScope("lab", "p", "s", "", func(event.Event) error { return nil }))
		if env.Adopt() != want || env.RevealSecrets() != want || env.Kubeconfig() != "hub.kubeconfig" {
			t.Errorf("adopt %v, reveal %v of kubeconfig %q; want %v", env.Adopt(), env.RevealSecrets(), env.Kubeconfig(), want)
		}
		e.Close()
	}
}
