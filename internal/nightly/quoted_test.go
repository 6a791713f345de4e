package nightly

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is docs/ci.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fence = regexp.MustCompile("(?ms)^```(bash|yml)\n(.*?)^```$")

// TestQuoted: what the page shows of the files stands in them as it is shown.
func TestQuoted(t *testing.T) {
	all := offered(t, "nightly.sh") + offered(t, workflowFile) + offered(t, taskFile) + offered(t, runFile)
	blocks := fence.FindAllStringSubmatch(page(t), -1)
	if len(blocks) < 4 {
		t.Fatalf("%d blocks found", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(all, "\n"+b[2]) {
			t.Errorf("none of the files has\n%s", b[2])
		}
	}
}

// TestSettingsTold: the page and the head of the script name each setting with its default.
func TestSettingsTold(t *testing.T) {
	head, _, _ := strings.Cut(offered(t, "nightly.sh"), "\nset -euo")
	for name, fallback := range settings(t) {
		switch {
		case fallback == "":
			fallback = "none"
		case strings.HasPrefix(fallback, "$"): // another variable
			fallback = "labrun's own"
		}
		told := regexp.MustCompile(`(?m)^#   ` + name + ` .*`).FindString(head)
		if told == "" || !strings.Contains(head, fallback) {
			t.Errorf("the script's head does not tell of %s, which is %s: %q", name, fallback, told)
		}
		row := "| `" + name + "` | " + fallback + " | "
		if !strings.Contains(page(t), row) {
			t.Errorf("the page has no row %s", row)
		}
	}
}

var verdict = regexp.MustCompile(`(?m)^  ([\d |*]+)\)\s+verdict=(\w+) said=`)

// TestVerdictsTold: the page has a row for each verdict of the script, with its exit codes.
func TestVerdictsTold(t *testing.T) {
	all := verdict.FindAllStringSubmatch(offered(t, "nightly.sh"), -1)
	if len(all) != 7 {
		t.Fatalf("verdicts: %q", all)
	}
	for _, v := range all {
		code := strings.NewReplacer(" | ", ", ", "*", "other").Replace(v[1])
		if row := "\n| " + code + " | " + v[2] + " | "; !strings.Contains(page(t), row) {
			t.Errorf("the page has no row %q", row)
		}
	}
	if task := offered(t, taskFile); !strings.Contains(task, "green, failed, invalid, hardware, held, stopped or broken") {
		t.Error("the task's result is told otherwise")
	}
}
