package gate

import (
	"fmt"
	"reflect"
	"testing"
)

// largeScope has n steps, as a file of that many has.
func largeScope(n int) Scope {
	s := testScope()
	step := MapOf(map[string]Type{"outputs": TypeOf(reflect.TypeFor[testOutputs]()), "status": String()})
	steps := map[string]Type{}
	for i := range n {
		steps[fmt.Sprintf("step_%d", i)] = step
	}
	s.Roots["steps"] = MapOf(steps)
	return s
}

// One compilation with 10,000 steps in scope, nothing cached.
func BenchmarkCompile(b *testing.B) {
	scope := largeScope(10_000)
	c := NewCompiler("")
	for i := 0; b.Loop(); i++ {
		text := fmt.Sprintf("lab.disconnected && steps.step_%d.outputs.ready", i%10_000)
		if i%10_000 == 0 {
			c = NewCompiler("")
		}
		if _, err := c.Compile(text, scope, Bool()); err != nil {
			b.Fatal(err.Message)
		}
	}
}

// The same expression again, as in 10,000 steps that share one gate.
func BenchmarkCompileEqual(b *testing.B) {
	scope := largeScope(10_000)
	c := NewCompiler("")
	for b.Loop() {
		if _, err := c.Compile("lab.disconnected && steps.step_1.outputs.ready", scope, Bool()); err != nil {
			b.Fatal(err.Message)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	p, err := NewCompiler("").Compile("lab.disconnected || lab.stack == 'ipv6'", testScope(), Bool())
	if err != nil {
		b.Fatal(err.Message)
	}
	values := testValues()
	for b.Loop() {
		if _, err := p.Eval(values); err != nil {
			b.Fatal(err)
		}
	}
}
