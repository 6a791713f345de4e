package program

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/cli"
)

// The value of a secret is no value of an expression, by whatever name it is asked
// for: none can come into a command, a plan or a journal so.
func TestNoExpressionGivesASecret(t *testing.T) {
	root, err := filepath.Abs("../../testdata/mistakes/site")
	if err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile("../../testdata/mistakes/labs/ipv6.yaml")
	if err != nil {
		t.Fatal(err)
	}
	facts, _, _ := strings.Cut(string(sound), "\ninclude:")
	facts = strings.Replace(facts, "{file: bmc-password}", "{env: LABRUN_SECRET_HERE}", 1)
	t.Setenv("LABRUN_SECRET_HERE", "plover-shingle-4410")
	for name, c := range map[string]struct {
		expression, env, says string
		code                  int
	}{
		"the reference itself": {expression: "lab.pull_secret", says: "must be a string, this is a map", code: 2},
		"its value":            {expression: "lab.pull_secret.value", says: `lab.pull_secret has no fact "value"`, code: 2},
		"a password":           {expression: "lab.workers[0].bmc.credentials.password", says: "must be a string, this is a map", code: 2},
		"its file":             {expression: "file(lab.pull_secret.file)", says: "is the file of a secret", code: 2},
		"its variable":         {expression: "env.LABRUN_SECRET_HERE", env: "env: [LABRUN_SECRET_HERE]\n", says: "the environment variable LABRUN_SECRET_HERE holds a secret of the lab", code: 2},
		"a default for it":     {expression: "env.LABRUN_SECRET_HERE", env: "env: {LABRUN_SECRET_HERE: x}\n", says: "the environment variable LABRUN_SECRET_HERE holds a secret of the lab", code: 2},
		"a variable not named": {expression: "env.LABRUN_SECRET_HERE", says: "LABRUN_SECRET_HERE", code: 2},
		"a text of it":         {expression: "string(lab.pull_secret)", says: "1 changed", code: 0}, // where it is found
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(root)); err != nil {
				t.Fatal(err)
			}
			text := facts + "\n" + c.env + "phases: [one]\nsteps:\n  - {id: a, phase: one, uses: exec, with: {command: [echo, \"${{ " + c.expression + " }}\"]}}\n"
			if err := os.WriteFile(filepath.Join(dir, "lab.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			var out bytes.Buffer
			code := Main(t.Context(), []string{"run", "lab.yaml", "--state-dir", filepath.Join(dir, "state")}, cli.Streams{Out: &out, Err: &out})
			if code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.says, out.String())
			}
			if strings.Contains(out.String(), "plover") || strings.Contains(out.String(), "hunter2") {
				t.Errorf("it tells a secret:\n%s", out.String())
			}
		})
	}
}
