package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`lab.disconnected`, `no: lab.disconnected=false`},
		{`lab.disconnected && steps.infraenv.outputs.ready`, `no: lab.disconnected=false`},
		{`steps.infraenv.outputs.ready && lab.disconnected`, `no: lab.disconnected=false`},
		{`!lab.disconnected && steps.infraenv.outputs.ready`, `unknown: lab.disconnected=false; steps.infraenv.outputs.ready`},
		{`not lab.disconnected or steps.infraenv.outputs.ready`, `yes: lab.disconnected=false`},
		{`(steps.infraenv.outputs.ready or lab.disconnected) and lab.stack == 'ipv4'`, `no: lab.stack=ipv6`},
		{`lab.stack == 'ipv6' && lab.replicas > 1`, `yes: lab.stack=ipv6, lab.replicas=2`},
		{`lab.disconnected ? steps.infraenv.outputs.ready : lab.replicas == 3`, `no: lab.disconnected=false, lab.replicas=2`},
		{`steps.infraenv.outputs.ready ? lab.disconnected : lab.stack == 'ipv4'`, `no: lab.disconnected=false, lab.stack=ipv6`},
		{`steps.infraenv.outputs.ready ? true : lab.disconnected`, `unknown: ; steps.infraenv.outputs.ready`},
		{`item.name in steps.infraenv.outputs.usable`, `unknown: item.name=worker0; steps.infraenv.outputs.usable`},
		{`false`, `no: =<nil>`},
		{`steps.infraenv.outputs.ready && lab.workers[9].name == 'x'`, `unknown: ; steps.infraenv.outputs.ready`},
		{`let d = lab.disconnected; d && steps.infraenv.outputs.ready`, `unknown: lab.disconnected=false; steps.infraenv.outputs.ready`},
	} {
		t.Run(c.text, func(t *testing.T) {
			d, err := Decide(mustCompile(t, c.text, Bool()), testValues(), func(r Read) bool { return r.Path[0] != "steps" })
			if err != nil {
				t.Fatal(err.Message)
			}
			if diff := cmp.Diff(c.want, tell(d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func tell(d Decision) string {
	var because, open []string
	for _, c := range d.Because {
		because = append(because, fmt.Sprintf("%s=%v", strings.Join(c.Path, "."), c.Value))
	}
	for _, r := range d.Open {
		open = append(open, joinPath(r))
	}
	text := map[Truth]string{Unknown: "unknown", True: "yes", False: "no"}[d.Value] + ": " + strings.Join(because, ", ")
	if len(open) > 0 {
		text += "; " + strings.Join(open, ", ")
	}
	return text
}

func TestDecideAgreesWithEval(t *testing.T) {
	for _, text := range []string{
		`lab.disconnected || lab.stack == 'ipv6' && !(lab.replicas > 3)`,
		`lab.replicas > 1 ? lab.disconnected : true`,
		`1 < lab.replicas < 3 and len(lab.workers) == 2`,
		`all(lab.workers, .cpus > 0) or not (lab.stack in ['ipv4'])`,
	} {
		p := mustCompile(t, text, Bool())
		d, err := Decide(p, testValues(), func(Read) bool { return true })
		if err != nil {
			t.Fatal(err.Message)
		}
		v, failed := p.Eval(testValues())
		if failed != nil {
			t.Fatal(failed)
		}
		if (d.Value == True) != v.(bool) || d.Value == Unknown {
			t.Errorf("%s: decided %v, evaluated %v", text, d.Value, v)
		}
	}
}

func TestImplies(t *testing.T) {
	for _, c := range []struct {
		reader, other string
		want          bool
	}{
		{`lab.disconnected && lab.replicas > 1`, `lab.disconnected`, true},
		{`lab.replicas > 1 and (lab.disconnected and lab.stack == "ipv6")`, `lab.stack == 'ipv6' && lab.disconnected`, true},
		{`lab.disconnected || lab.replicas > 1`, `lab.disconnected`, false},
		{`lab.disconnected`, `lab.disconnected && lab.replicas > 1`, false},
		{`not lab.disconnected`, `!lab.disconnected`, true},
	} {
		if got := Implies(mustCompile(t, c.reader, Bool()), mustCompile(t, c.other, Bool())); got != c.want {
			t.Errorf("%s implies %s: got %v", c.reader, c.other, got)
		}
	}
	gate := mustCompile(t, `lab.disconnected`, Bool())
	if !Implies(nil, nil) || !Implies(gate, nil) || Implies(nil, gate) {
		t.Error("no gate at all is implied by everything and implies no gate")
	}
}
