package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

// wantBlock holds what a run told of a failure against a golden file, with what is
// another in every run taken out.
func (l *lab) wantBlock(t *testing.T, name string, o outcome, i *event.Instance) {
	t.Helper()
	_, block, found := strings.Cut(o.err, "\n✗ "+i.Name()+" failed")
	if !found {
		t.Fatalf("%s is told nowhere:\n%s", i.Name(), o.err)
	}
	block, _, _ = strings.Cut(block, "\n\n")
	got := l.same("✗ " + i.Name() + " failed" + block + "\n")
	if i.Key != "" { // whichever worker is the first
		got = strings.ReplaceAll(got, i.Key, "WORKER")
	}
	wantGolden(t, filepath.Join("failures", name), got)
}

// wantGolden holds a text against a golden file.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is told otherwise (-want +got; -update writes it anew):\n%s", name, d)
	}
}

// same takes out of a text what is another in every run.
func (l *lab) same(text string) string {
	file, _ := filepath.Abs(l.file)
	text = strings.NewReplacer(file, "LAB_FILE", l.values, "VALUES", l.kubeconfig, "KUBECONFIG", l.state, "STATE").Replace(text)
	for _, p := range []struct{ pattern, with string }{
		{`failed after \S+`, "failed after SPAN"},
		{`(last change |since     |until )\d\d:\d\d:\d\d`, "${1}TIME"},
		{`\[::1\]:\d+`, "[::1]:PORT"},
		{`:\d{5}(/|$|\n)`, ":PORT$1"},
		{`-p \d{5} `, "-p PORT "},
		{`/\S+/pull-secret\.json`, "PULL_SECRET"},
		{`sha256:[0-9a-f]{64}`, "sha256:DIGEST"},
		{`-[0-9a-f]{8,10}-[0-9a-z]{5}(_|\b)`, "-POD$1"},
		{`(AgentMachine \S+)-[0-9a-z]{5}\b`, "$1-MACHINE"},
		{`back-off \S+ restarting`, "back-off SPAN restarting"},
		{`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`, "UUID"},
		{`"UUID"|\bagent-UUID`, "UUID"},
		{`\d+ times?\)`, "N times)"},
	} {
		text = regexp.MustCompile(p.pattern).ReplaceAllString(text, p.with)
	}
	return text
}
