package steps

import (
	"context"
	"fmt"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/decode"
)

// Assert fails unless an expression is true.
type Assert struct {
	That    decode.Expr `yaml:"that" result:"bool" doc:"expression that must be true"`
	Message string      `yaml:"message,omitempty" doc:"what to say where it is not"`
}

// AssertOutputs say what held.
type AssertOutputs struct{ that string }

// Summary is the expression.
func (o AssertOutputs) Summary() string { return o.that }

// Run evaluates the expression.
func (s Assert) Run(_ context.Context, _ *Env) (AssertOutputs, error) {
	value, err := s.That.Eval(nil)
	if err != nil {
		return AssertOutputs{}, fmt.Errorf("evaluating %s: %w", s.That.Text, err)
	}
	if value == true {
		return AssertOutputs{that: s.That.Text}, nil
	}
	title := s.Message
	if title == "" {
		title = "the assertion does not hold"
	}
	return AssertOutputs{}, &pipeline.Report{Report: report(title, "that", s.That.Text, "")}
}
