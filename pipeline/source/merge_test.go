package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, name, in string) *Node {
	t.Helper()
	n, found := Parse(name, []byte(in))
	if found != nil {
		t.Fatal(found)
	}
	return n
}

// flat writes each scalar with its path and the file that set it.
func flat(b *strings.Builder, path string, n *Node) {
	switch n.Kind {
	case Scalar:
		b.WriteString(path + "=" + n.Text + " " + n.Pos.String() + "\n")
	case Mapping:
		for _, e := range n.Entries {
			flat(b, path+"."+e.Key.Text, e.Value)
		}
	case Sequence:
		for _, item := range n.Items {
			flat(b, path+"[]", item)
		}
	}
}

func TestMerge(t *testing.T) {
	base := "a: 1\nlist: [x]\nhosts:\n  - {name: h0, mac: m0}\n  - {name: h1, mac: m1}\n"
	tests := []struct{ name, values, set, want string }{
		{"values", "a: 2\nlist: [y, z]\nhosts: [{name: h1, mac: new}, {name: h2}]\nb: 3\n", "",
			".a=2 v:1:4\n.list[]=y v:2:8\n.list[]=z v:2:11\n.hosts[].name=h0 f:4:12\n.hosts[].mac=m0 f:4:21\n.hosts[].name=h1 v:3:16\n.hosts[].mac=new v:3:25\n.hosts[].name=h2 v:3:38\n.b=3 v:4:4\n"},
		{"null removes", "a: null\nlist: ~\n", "", ".hosts[].name=h0 f:4:12\n.hosts[].mac=m0 f:4:21\n.hosts[].name=h1 f:5:12\n.hosts[].mac=m1 f:5:21\n"},
		{"by name", "", "hosts.h1.mac=52:54", ".a=1 f:1:4\n.list[]=x f:2:8\n.hosts[].name=h0 f:4:12\n.hosts[].mac=m0 f:4:21\n.hosts[].name=h1 f:5:12\n.hosts[].mac=52:54 --set:1:14\n"},
		{"by number", "", "hosts[0].mac=\"q\"", ".a=1 f:1:4\n.list[]=x f:2:8\n.hosts[].name=h0 f:4:12\n.hosts[].mac=q --set:1:14\n.hosts[].name=h1 f:5:12\n.hosts[].mac=m1 f:5:21\n"},
		{"yaml value", "", "list=[p, q]", ".a=1 f:1:4\n.list[]=p --set:1:7\n.list[]=q --set:1:10\n.hosts[].name=h0 f:4:12\n.hosts[].mac=m0 f:4:21\n.hosts[].name=h1 f:5:12\n.hosts[].mac=m1 f:5:21\n"},
		{"removed item", "", "hosts.h0=null", ".a=1 f:1:4\n.list[]=x f:2:8\n.hosts[].name=h1 f:5:12\n.hosts[].mac=m1 f:5:21\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := parse(t, "f", base)
			over := parse(t, "v", tt.values)
			if tt.set != "" {
				var found Diagnostics
				if over, found = ParseSet(tt.set, 1); found != nil {
					t.Fatal(found)
				}
			}
			merged, found := Merge(tree, over)
			if found != nil {
				t.Fatal(found)
			}
			var b strings.Builder
			flat(&b, "", merged)
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSetRefused(t *testing.T) {
	for arg, want := range map[string]string{
		"":             "--set:1:1: expected PATH=VALUE",
		"a":            "--set:1:1: expected PATH=VALUE",
		"=x":           "--set:1:1: expected PATH=VALUE",
		"a..b=1":       "--set:1:3: expected PATH=VALUE",
		"a[=1":         "--set:1:2: expected PATH=VALUE",
		"a[0]b=1":      "--set:1:2: expected PATH=VALUE",
		"a=[b, *z]":    "--set:1:7: there is no anchor \"z\"",
		"hosts.h9.a=1": "--set:1:7: the list has no item \"h9\"",
	} {
		over, found := ParseSet(arg, 1)
		if found == nil {
			_, found = Merge(parse(t, "f", "hosts: [{name: h0}]"), over)
		}
		if got := found.Error(); got != want {
			t.Errorf("%q: got %q, want %q", arg, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	tree := parse(t, "f", "hosts:\n  - name: h0\n    bmc: {a: 1}\n")
	for path, want := range map[string]string{
		"hosts[0].bmc.a": "f:3:14 true", "hosts.h0.bmc.a": "f:3:14 true", "hosts[0].bmc.b": "f:3:10 false", "hosts[7]": "f:2:3 false", "": "f:1:1 true",
	} {
		n, ok := tree.Lookup(path)
		got := n.Pos.String() + map[bool]string{true: " true", false: " false"}[ok]
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func FuzzSet(f *testing.F) {
	for _, seed := range []string{"a.b=c", "a[0].b={x: [1]}", "a=null", "a='x'", "[a.b]=1", "é.ü=ö"} {
		f.Add(seed)
	}
	base, _ := Parse("f", []byte("a: [{name: x}, {name: y}]\nb: {c: 1}\n"))
	f.Fuzz(func(t *testing.T, arg string) {
		n, found := ParseSet(arg, 2)
		if (n == nil) == (found == nil) {
			t.Fatalf("tree %v, findings %v", n, found)
		}
		if n != nil {
			if merged, _ := Merge(base, n); merged == nil {
				t.Fatal("nothing left")
			}
		}
	})
}
