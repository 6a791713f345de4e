package nightly

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rhysd/actionlint"
)

const workflowFile = "github-workflow.yaml"

// pin is an action by its commit, with the version behind it.
var pin = regexp.MustCompile(`uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # (v\d+)\.\d+\.\d+`)

// linted says what is wrong with a workflow: by the schema that editors use, and by
// actionlint, which knows the expressions, the schedule and the inputs of actions.
// It knows those by version, so that each stands there in place of its commit.
func linted(t *testing.T, text string) []string {
	t.Helper()
	var wrong []string
	if err := compiled(t, published(t, "github-workflow.json")).Validate(read(t, text)); err != nil {
		wrong = append(wrong, "schema: "+err.Error())
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{
		WorkingDir: t.TempDir(), // no settings of a repository
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.Lint(workflowFile, []byte(pin.ReplaceAllString(text, "uses: $1@$2")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !strings.Contains(f.Message, `label "labrun" is unknown`) { // the user's own runner
			wrong = append(wrong, fmt.Sprintf("actionlint: %d: %s", f.Line, f.Message))
		}
	}
	return wrong
}

func TestWorkflow(t *testing.T) {
	for _, wrong := range linted(t, offered(t, workflowFile)) {
		t.Error(wrong)
	}
}

// TestWorkflowRefused proves that the check can fail, and which half of it does.
func TestWorkflowRefused(t *testing.T) {
	const schema, linter = "schema: ", "actionlint: "
	for _, c := range []struct {
		breakage
		by string
	}{
		{breakage{"a key that is none", "timeout-minutes:", "timeout-minute:"}, schema},
		{breakage{"a right that is none", "contents: read", "contents: look"}, schema},
		{breakage{"no runner", "    runs-on: [self-hosted, labrun]", "    runs_on: [self-hosted, labrun]"}, schema},
		{breakage{"a concurrency that is none", "cancel-in-progress: false", "cancel-in-progress: never"}, schema},
		{breakage{"neither action nor command", `run: exec docs/ci/nightly.sh "$LAB"`, "shell: bash"}, schema},
		{breakage{"no such time", `"17 22 * * *"`, `"17 25 * * *"`}, linter},
		{breakage{"no such input of the action", "persist-credentials", "keep-credentials"}, linter},
		{breakage{"an input that the workflow lacks", "LAB: ${{ inputs.lab ", "LAB: ${{ inputs.laboratory "}, linter},
		{breakage{"a step that is none", "steps.night.outputs", "steps.nightly.outputs"}, linter},
		{breakage{"an expression that does not end", "${{ secrets.BMC_PASSWORD }}", "${{ secrets.BMC_PASSWORD"}, linter},
		{breakage{"a condition that always holds", "if: always()", "if: ${{ always() }} and more"}, linter},
		{breakage{"a name of others in a command", `nightly.sh "$LAB"`, `nightly.sh "${{ github.event.head_commit.message }}"`}, linter},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong := linted(t, c.in(t, offered(t, workflowFile)))
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, c.by) }) {
				t.Errorf("%s let it pass: %q", c.by, wrong)
			}
		})
	}
}

// workflow is what this test reads of a workflow.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]struct {
		If      string            `yaml:"if"`
		Minutes int               `yaml:"timeout-minutes"`
		Env     map[string]string `yaml:"env"`
		Steps   []struct {
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			If   string            `yaml:"if"`
			Env  map[string]string `yaml:"env"`
			With map[string]any    `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// TestWorkflowRuns looks at what no schema asks: the workflow runs the script that
// the other tests run, in the shell's place, so that it gets GitHub's signals; its
// limit leaves labrun the time to end by its own; the reports are kept in any case;
// nobody else's commit is run, and one night at a time.
func TestWorkflowRuns(t *testing.T) {
	var w workflow
	text := offered(t, workflowFile)
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	job, ok := w.Jobs["rebuild"]
	if !ok || len(w.Jobs) != 1 || len(job.Steps) != 3 {
		t.Fatalf("jobs: %+v", w.Jobs)
	}
	checkout, night, keep := job.Steps[0], job.Steps[1], job.Steps[2]
	if want := "exec " + script + ` "$LAB"`; night.Run != want {
		t.Errorf("it runs %q, want %q", night.Run, want)
	}
	nightFits(t, time.Duration(job.Minutes)*time.Minute, night.Env)
	if keep.If != "always()" || keep.With["path"] != "${{ env.NIGHTLY_REPORTS }}" || job.Env["NIGHTLY_REPORTS"] == "" {
		t.Errorf("the reports are not always kept: %+v", keep)
	}
	if pins := pin.FindAllString(text, -1); len(pins) != strings.Count(text, "uses: ") {
		t.Errorf("actions that are pinned to a commit with a version: %q", pins)
	}
	if checkout.With["persist-credentials"] != false {
		t.Error("the token stays in the checkout")
	}
	for on := range w.On {
		if on != "schedule" && on != "workflow_dispatch" {
			t.Errorf("it runs on %s", on)
		}
	}
	if w.Concurrency.Group == "" || w.Concurrency.Cancel || len(w.Permissions) != 1 || !strings.Contains(job.If, "github.repository_owner") {
		t.Errorf("concurrency %+v, permissions %v, if %q", w.Concurrency, w.Permissions, job.If)
	}
	if strings.Contains(night.Run, "${{") {
		t.Errorf("an expression becomes part of a command: %s", night.Run)
	}
}
