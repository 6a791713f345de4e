package program

import (
	"slices"
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

// What a step finds as a secret is concealed, once.
func TestOpenConcealsSecrets(t *testing.T) {
	t.Setenv("PW", "hunter2hunter2")
	var told []string
	e := open(cli.Job{Facts: &labs.Facts{}, Conceal: func(secret string) { told = append(told, secret) }})
	env := e.New(pipeline.NewScope("lab", "p", "s", "", func(event.Event) error { return nil }))
	for range 2 {
		if _, err := env.Secret(t.Context(), labs.SecretRef{Env: "PW"}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []string{"hunter2hunter2"}) {
		t.Errorf("concealed %d secrets", len(told))
	}
}
