package gate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		text, points, message, hint string
		want                        Type
	}{
		{text: `lab.hosted_cluster.nodeport`, points: "nodeport", message: `lab.hosted_cluster has no fact "nodeport"`, hint: `did you mean "node_port"?`},
		{text: `lab.hosted_cluster.node_port.address.x`, points: "x", message: `lab.hosted_cluster.node_port.address is a string: it has no "x"`},
		{text: `labs.stack == 'ipv6'`, points: "labs", message: `nothing is called "labs" here`, hint: `did you mean "lab"?`},
		{text: `disconnected`, points: "disconnected", message: `nothing is called "disconnected" here`, hint: `did you mean "lab.disconnected"?`},
		{text: `infraenv.iso_url`, points: "infraenv", message: `nothing is called "infraenv" here`, hint: `did you mean "steps.infraenv.outputs"?`},
		{text: `steps.infraenf.outputs.iso_url`, points: "infraenf", message: `no step has the id "infraenf"`, hint: `did you mean "infraenv"?`},
		{text: `steps.infraenv.outputs.iso`, points: "iso", message: `steps.infraenv has no output "iso"`, hint: `there is iso_url, ready, usable`},
		{text: `steps.infraenv.iso_url`, points: "iso_url", message: `steps.infraenv has no "iso_url"`, hint: `did you mean "steps.infraenv.outputs.iso_url"?`},
		{text: `steps['infraenf'].status == 'ok'`, points: "'infraenf'", message: `no step has the id "infraenf"`, hint: `did you mean "infraenv"?`},
		{text: `env.HOMEE`, points: "HOMEE", message: `the file lists no environment variable "HOMEE" under env`, hint: `did you mean "HOME"?`},
		{text: `steps.probe-bmcs.outputs.ready`, points: "probe-bmcs", message: `a hyphen is a minus here: "probe-bmcs" cannot be a name`, hint: `did you mean "probe_bmcs"?`},
		{text: `len(steps) > 0`, points: "steps", message: `steps cannot be read as a whole: what a step waits for must be clear before the run`, hint: `name the step: steps.id.outputs`},
		{text: `steps[item.name].status`, points: "name", message: `which step is read must be clear before the run: steps[…] takes a name in quotes only`},
		{text: `lab[item.name]`, points: "name", message: `which fact is read must be clear before the run: lab[…] takes a name in quotes only`},
		{text: `get(lab, 'stack')`, points: "get", message: `get(lab, …) would read past the check of the names`, hint: `name what is read: lab.x`},
		{text: `$env.lab`, points: "$env", message: `$env is not available`, hint: `name what is read: lab.x, steps.id.outputs.x`},
		{text: `lab.stack == 'ipv9'`, points: "'ipv9'", message: `"ipv9" is none of ipv4, ipv6, dual`, hint: `did you mean "ipv4"?`},
		{text: `'ipv9' != lab.stack`, points: "'ipv9'", message: `"ipv9" is none of ipv4, ipv6, dual`, hint: `did you mean "ipv4"?`},
		{text: `lab.stack in ['ipv6', 'duel']`, points: "'duel'", message: `"duel" is none of ipv4, ipv6, dual`, hint: `did you mean "dual"?`},
		{text: `any(lab.workers, .boot_mode == 'BIOS')`, points: "'BIOS'", message: `"BIOS" is none of UEFI, legacy`},
		{text: `let s = lab.stack; s == 'six'`, points: "'six'", message: `"six" is none of ipv4, ipv6, dual`},
		{text: `steps.infraenv.status == 'done'`, points: "'done'", message: `"done" is none of ok, changed, skipped, failed, blocked, cancelled`},
		{text: `any(lab.workers, .nme == 'x')`, points: "nme", message: `there is no "nme"`, hint: `did you mean "name"?`},
		{text: `lab.workers[0].nme`, points: "nme", message: `there is no "nme"`, hint: `did you mean "name"?`},
		{text: `now().Year()`, points: "now", message: `now() is not available: the same file would mean another thing at each run`},
		{text: `cidr_contain('a', 'b')`, points: "cidr_contain", message: `no function is called "cidr_contain"`, hint: `did you mean "cidr_contains"?`},
		{text: `bracket(lab.replicas)`, points: "replicas", message: `bracket() takes a string here, this is a whole number`},
		{text: `bracket()`, points: "bracket", message: `not enough arguments for bracket()`},
		{text: `lab.replicas == 'two'`, points: "==", message: `== does not work between a whole number and a string`},
		{text: `lab.stack + lab.replicas`, points: "+", message: `+ does not work between a string and a whole number`, hint: `string(…) makes a text of a value`},
		{text: `lab.stack`, want: Bool(), points: "lab.stack", message: `must be true or false, this is a string`},
		{text: `"é" == lab.stack ? lab.replicas : true`, want: Bool(), points: "\"é\"", message: `"é" is none of ipv4, ipv6, dual`},
		{text: `lab.disconnected ? lab.replicas : true`, want: Bool(), points: "lab.replicas", message: `must be true or false, this is a whole number`},
		{text: `lab.replicas / 2`, want: Int(), points: "lab.replicas / 2", message: `must be a whole number, this is a number`, hint: `a division gives a fraction: int(…) cuts it off`},
		{text: `lab.replicas`, want: String(), points: "lab.replicas", message: `must be a string, this is a whole number`, hint: `string(…) makes a string of it`},
		{text: `lab.workers`, want: Text(), points: "lab.workers", message: `must be a string or a number, this is a list`, hint: `join(…, ",") makes a string of a list`},
		{text: `lab.stack`, want: ListOf(String()), points: "lab.stack", message: `must be a list, this is a string`, hint: `[x] is a list of one`},
		{text: `lab.workers`, want: ListOf(String()), points: "lab.workers", message: `an item of the list must be a string, this is a map`},
		{text: `lab.workers`, want: ListOf(TypeOf(reflect.TypeFor[testNodePort]())), points: "lab.workers", message: `an item of the list has a member "boot_mode" that does not belong here`},
		{text: `lab.hosted_cluster`, want: TypeOf(reflect.TypeFor[testWorker]()), points: "lab.hosted_cluster", message: `has a member "node_port" that does not belong here`},
		{text: `'ipv5'`, want: EnumOf("ipv4", "ipv6"), points: "'ipv5'", message: `"ipv5" is none of ipv4, ipv6`, hint: `did you mean "ipv4"?`},
		{text: `lab.stack = 'ipv6'`, points: "=", message: `= is not expected here`, hint: `two values are compared with ==`},
		{text: `lab.stack ==`, points: "=", message: `the expression ends too early`},
		{text: `lab.stack == 'ipv6`, points: "6", message: `a quote is not closed`},
		{text: `lab.disconnected AND true`, points: "AND", message: `AND is not expected here`, hint: `write && or and`},
		{text: `lab.stack == “ipv6”`, points: "“", message: `“ has no meaning here`, hint: `quotes are ' or "`},
		{text: `lab. == 1`, points: "1", message: `after a dot stands a name`},
		{text: `lab.disconnected || !steps.infraenv.outputs?.ready`, points: "steps.infraenv.outputs?.ready",
			message: `must be true or false, this is nothing where the step is skipped`, hint: `steps.infraenv.outputs?.ready ?? false`},
		{text: `lab.workers.name`, points: "name", message: `lab.workers is a list: it has no "name"`, hint: `of one item: lab.workers[0].name; of all: map(lab.workers, .name)`},
		{text: `lab.stack ? 1 : 2`, points: "stack", message: `a condition must be true or false, this is a string`},
		{text: `lab.replicas in lab.networks`, points: "in", message: `a whole number is never in a list of which each item is a string`},
		{text: `len(lab.replicas)`, points: "len", message: `len() does not take a whole number`},
		{text: `lab.stack matches '('`, points: "matches", message: "not a regular expression: missing closing ): `(`"},
		{text: `sortBy(lab.workers, .name, 5)`, points: "5", message: `sortBy order argument must be a string (got a whole number)`},
		{text: `steps.infraenv.outputs.usable contains 'x'`, points: "contains", message: `contains does not work between a list and a string`, hint: `'x' in list says whether a list holds it`},
		{text: `1 + nil`, points: "+", message: `+ does not work between a whole number and nothing`},
		{text: `lab.stack()`, points: "stack", message: `a string is no function`},
		{text: `semver_matches(4.20.3, '>4')`, points: ".3", message: `.3 is not expected here`, hint: `addresses, versions and sizes are strings: put them in quotes`},
		{text: `bracket(fd00::1)`, points: "::", message: `:: is not expected here`, hint: `addresses, versions and sizes are strings: put them in quotes`},
		{text: `!${{ lab.disconnected }}`, points: "{", message: `{ is not expected here`, hint: "within an expression there is no ${{ }}"},
		{text: `lab.workers | fliter(.name == 'x')`, points: ".", message: `. is not expected here`, hint: `a member of an item, .name, stands within filter(), map(), any(), all() and the like`},
		{text: ` `, points: " ", message: `an expression is missing`},
		{text: `lab.disconnected && null`, points: "null", message: `nothing is called "null" here`, hint: `nothing is nil`},
		{text: "true &&\n  'größe' == lab.stak", points: "stak", message: `lab has no fact "stak"`, hint: `did you mean "stack"?`},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, err := NewCompiler("").Compile(c.text, testScope(), c.want)
			if err == nil {
				t.Fatal("was not refused")
			}
			got := fmt.Sprintf("%s | %s | %s", pointed(c.text, err), err.Message, err.Hint)
			want := fmt.Sprintf("%s | %s | %s", c.points, c.message, c.hint)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEval(t *testing.T) {
	for _, c := range []struct {
		text   string
		want   Type
		result any
	}{
		{`lab.stack == 'ipv6' and not lab.disconnected`, Bool(), true},
		{`lab.replicas * 2`, Int(), 4},
		{`lab.replicas / 2`, Float(), 1.0},
		{`int(lab.replicas / 2)`, Int(), 1},
		{`lab.replicas`, Float(), 2.0},
		{`map(lab.workers, .name)`, ListOf(String()), []any{"worker0", "worker1"}},
		{`lab.workers[0].cpus`, Int(), 4},
		{`lab['stack']`, String(), "ipv6"},
		{`item.name in steps.infraenv.outputs.usable`, Bool(), true},
		{`steps.probe_bmcs.outputs.iso_url ?? 'none'`, String(), "none"},
		{`steps.probe_bmcs.outputs?.usable ?? []`, ListOf(String()), []any{}},
		{`steps.probe_bmcs.outputs?.iso_url == 'x'`, Bool(), false},
		{`steps.probe_bmcs.outputs?.iso_url`, String(), nil},
		{`keys({b: 1, a: 2})`, Any(), []any{"a", "b"}},
		{`{b: 1, a: 2} | values()`, Any(), []any{2, 1}},
		{`toPairs({b: 1, a: [2]})`, Any(), []any{[]any{"a", []any{2}}, []any{"b", 1}}},
		{`cidr_contains(lab.networks[0], 'fd03::5')`, Bool(), true},
		{`cidr_host('192.168.7.9/24', 5)`, String(), "192.168.7.5"},
		{`cidr_host('fd03::/64', -1)`, String(), "fd03::ffff:ffff:ffff:ffff"},
		{`cidr_family(lab.networks[0])`, String(), "ipv6"},
		{`is_ipv6('[fd03::1]')`, Bool(), true},
		{`is_ipv6('a.example')`, Bool(), false},
		{`bracket('fd03::1') + bracket('10.0.0.1') + bracket('x')`, String(), "[fd03::1]10.0.0.1x"},
		{`host_port('fd03::1', 5000)`, String(), "[fd03::1]:5000"},
		{`base64_decode(base64_encode('a'))`, String(), "a"},
		{`semver_matches('4.20.3', '>= 4.19')`, Bool(), true},
		{`lab.free?.x ?? 'd'`, String(), "d"},
		{`steps.infraenv.status == 'ok'`, Bool(), true},
		{`lab.hosted_cluster.node_port`, Any(), map[string]any{"address": ""}},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := mustCompile(t, c.text, c.want).Eval(testValues())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.result, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEvalFails(t *testing.T) {
	for _, c := range []struct {
		text, points, message string
		want                  Type
	}{
		{"lab.workers[7].name", "[", "there is no item 7: the list has 2, counted from 0", Any()},
		{"lab.free", "lab.free", "must be true or false, this is nothing: what it reads is not there", Bool()},
		{"1 / 0", "1 / 0", "the result is no number: something was divided by 0", Any()},
		{"int(lab.stack)", "int", "int() cannot make a number of ipv6", Any()},
		{"sum(lab.workers)", "sum", "+ does not work between a map and a whole number", Any()},
		{"1 % (lab.replicas - 2)", "%", "a division by 0", Any()},
		{"bracket(lab.free)", "bracket", "bracket() takes a string here, this is nothing", Any()},
		{"cidr_family(lab.stack)", "cidr_family", `cidr_family(): "ipv6" is no CIDR, such as fd03::/48 or 10.132.0.0/14`, Any()},
		{"file('none')", "file", "no such file", Any()},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, failed := mustCompile(t, c.text, c.want).Eval(testValues())
			var err *Error
			if !errors.As(failed, &err) {
				t.Fatalf("got %v, want an error with its place", failed)
			}
			if !strings.Contains(err.Message, c.message) || pointed(c.text, err) != c.points {
				t.Errorf("%q at %q", err.Message, pointed(c.text, err))
			}
		})
	}
}

func TestReadsOf(t *testing.T) {
	text := "let w = lab.workers; any(w, .name == steps.a.outputs?.x) && lab.workers[index].name == (steps['b'].status ?? vars.n)"
	reads, err := ReadsOf(text)
	if err != nil {
		t.Fatal(err.Message)
	}
	var got []string
	for _, r := range reads {
		got = append(got, fmt.Sprintf("%s %v %s", joinPath(r), r.Optional, string([]rune(text)[r.From:r.From+r.Width])))
	}
	want := []string{
		"lab.workers false lab.workers", "steps.a.outputs.x true steps.a.outputs?.x",
		"lab.workers false lab.workers", "index false index",
		"steps.b.status true steps['b'].status", "vars.n false vars.n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompileOnce(t *testing.T) {
	c := NewCompiler("")
	a, _ := c.Compile("lab.stack == 'ipv6'", testScope(), Bool())
	b, _ := c.Compile("lab.stack == 'ipv6'", testScope(), Bool())
	d, _ := c.Compile("lab.stack == 'ipv6'", testScope(), Any())
	if a == nil || a != b || a == d {
		t.Errorf("programs %p %p %p: equal text, types and want are compiled once", a, b, d)
	}
}

func TestEvalOfWhatIsNotThere(t *testing.T) {
	scope := Scope{Roots: map[string]Type{"object": Any()}}
	object := map[string]any{"object": map[string]any{"n": 1, "list": []any{}, "metadata": map[string]any{"name": "x"}}}
	for _, c := range []struct {
		text   string
		absent bool
	}{
		{`object.status.phase == 'Ready'`, true},
		{`object.status.ready`, true},
		{`object.ready`, true},
		{`!object.ready`, true},
		{`object.ready && true`, true},
		{`object.list[0].x == 1`, true},
		{`any(object.status, .type == 'Ready')`, true},
		{`any(object.conditions, .type == 'Ready')`, true},
		{`object.count > 1`, true},
		{`len(object.count) > 1`, true},
		{`bracket(object.name) == 'x'`, true},
		{`object.n startsWith 'x'`, false},
		{`bracket(object.n) == 'x'`, false},
		{`object.n`, false},
		{`object.metadata.name > 1`, false},
	} {
		p, bad := NewCompiler("").Compile(c.text, scope, Bool())
		if bad != nil {
			t.Errorf("%s: %s", c.text, bad.Message)
			continue
		}
		_, failed := p.Eval(object)
		var err *Error
		if !errors.As(failed, &err) || err.Absent != c.absent {
			t.Errorf("%s: got %v, absent is to be %v", c.text, failed, c.absent)
		}
	}
}

func TestSideBySide(t *testing.T) {
	c, scope := NewCompiler(""), testScope()
	texts := []string{
		`lab.disconnected || lab.stack == 'ipv6'`, `steps.infraenv.outputs.ready && lab.replicas > 1`,
		`any(lab.workers, .boot_mode == 'legacy')`, `lab.stak`, `let w = lab.workers; len(w) > 1`,
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, text := range texts {
				p, err := c.Compile(text, scope, Bool())
				if err != nil {
					if text != `lab.stak` {
						t.Errorf("%s: %s", text, err.Message)
					}
					continue
				}
				if v, err := p.Eval(testValues()); err != nil || v != true {
					t.Errorf("%s: %v, %v", text, v, err)
				}
				if d, err := Decide(p, testValues(), func(Read) bool { return true }); err != nil || d.Value != True {
					t.Errorf("%s: decided %v, %v", text, d.Value, err)
				}
			}
		})
	}
	all.Wait()
}
