package trouble_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/labrun/labrun/steps/trouble"
)

// sources reads the Go files of a folder, tests or others.
func sources(t *testing.T, dir string, tests bool) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestAll holds every trouble to a name, a meaning and a cure.
func TestAll(t *testing.T) {
	seen := map[trouble.ID]bool{}
	for _, one := range trouble.All() {
		if seen[one.ID] {
			t.Errorf("%s stands twice", one.ID)
		}
		seen[one.ID] = true
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(string(one.ID)) {
			t.Errorf("%q is no name", one.ID)
		}
		if one.Shows == "" || !strings.HasSuffix(one.Means, ".") || len(one.Cures) == 0 || one.Ends == "" || one.Source == "" {
			t.Errorf("%s is not told whole: %+v", one.ID, one)
		}
		if got, ok := trouble.Find(string(one.ID)); !ok || got.ID != one.ID {
			t.Errorf("%s is not found", one.ID)
		}
	}
	if _, ok := trouble.Find("nothing"); ok {
		t.Error("nothing was found")
	}
}

// TestEveryTroubleIsJudged refuses a constant that is in no list, and a trouble
// that no judge of the steps names.
func TestEveryTroubleIsJudged(t *testing.T) {
	judges := sources(t, "..", false) + sources(t, "../kube", false) + sources(t, "../destroy", false)
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\s+ID = "([a-z-]+)"`).FindAllStringSubmatch(sources(t, ".", false), -1) {
		if _, ok := trouble.Find(m[2]); !ok {
			t.Errorf("%s is not in the list", m[2])
		}
		if !regexp.MustCompile(`\btrouble\.` + m[1] + `\b`).MatchString(judges) {
			t.Errorf("no judge names %s", m[2])
		}
	}
}

// TestEveryFailureIsKnown refuses a judge that fails a step otherwise than with
// a trouble of the catalogue: fail asks for one.
func TestEveryFailureIsKnown(t *testing.T) {
	if n := strings.Count(sources(t, "..", false), "kube.Failed"); n != 1 {
		t.Errorf("kube.Failed stands %d times in the steps, want 1, in fail", n)
	}
}
