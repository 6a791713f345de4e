package mistakes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
)

// TestBeforeRun runs labs whose secrets are missing: what a file or variable lacks
// is told when the lab is loaded, what a command or the management cluster lacks
// before the first step; all of it at once, and nothing is run or kept.
func TestBeforeRun(t *testing.T) {
	const (
		pullSecret = "-  pull_secret: {file: pull-secret.json}\n+  pull_secret: "
		workers    = "\n@@\n-        credentials: {username: admin, password: {file: bmc-password}}\n-    - name: worker1\n" +
			"+        credentials: {username: admin, password: FIRST}\n+    - name: worker1\n" +
			"@@\n-        credentials: {username: admin, password: {file: bmc-password}}\n-include: [builtin:hypershift-baremetal]\n" +
			"+        credentials: {username: admin, password: SECOND}\n+include: [builtin:hypershift-baremetal]\n"
	)
	for _, c := range []struct {
		name, pull, first, second string
		code                      int
		says                      []string
		silent                    []string
	}{
		{"at load", "{file: none.json}", "{env: LABRUN_NOBODY_SETS_THIS}", "{file: .}", 2, []string{
			"lab.yaml:23:16: there is no file none.json\n", "lab.yaml:35:50: the variable LABRUN_NOBODY_SETS_THIS is not set\n", "lab.yaml:40:50: . cannot be read: it is a folder\n",
		}, nil},
		{"before the first step", "{command: [echo, 's3cret{']}", "{command: [sh, -c, 'echo the safe is locked >&2; exit 3']}", "{secret: {namespace: bmc, name: rack1, key: password}}", 1, []string{
			"lab.yaml:23:16: the pull secret in command echo *** is no JSON", "lab.yaml:35:50: finding the secret in command sh -c", "exit status 3: the safe is locked",
			"lab.yaml:40:50: finding the secret in Secret bmc/rack1 key password", "labrun: lab.yaml: nothing was run\n", "look: oc get secret -n bmc rack1",
		}, nil},
		{"empty", "{file: pull-secret.json}", "{command: ['true']}", "{command: [sleep, '0']}", 1, []string{
			"lab.yaml:35:50: command true gives nothing\n", "lab.yaml:40:50: command sleep 0 gives nothing\n",
		}, []string{"pull_secret:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, state := t.TempDir(), t.TempDir()
			root, err := filepath.Abs(folder)
			if err != nil {
				t.Fatal(err)
			}
			sound, err := os.ReadFile(filepath.Join(root, "labs", "ipv6.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			lab, err := edited(string(sound), pullSecret+c.pull+strings.NewReplacer("FIRST", c.first, "SECOND", c.second).Replace(workers))
			if err != nil {
				t.Fatal(err)
			}
			files, err := siteFiles(root)
			if err != nil {
				t.Fatal(err)
			}
			files[LabFile] = lab
			if err := (Case{Files: files}).Write(dir); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			var out bytes.Buffer
			code := program.Main(t.Context(), []string{"run", LabFile, "--state-dir", state}, cli.Streams{Out: &out, Err: &out})
			said := strings.ReplaceAll(out.String(), dir+"/", "")
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			for _, not := range c.silent {
				if strings.Contains(said, not) {
					t.Errorf("it says %q", not)
				}
			}
			if found := ofGo.FindString(spoken(said)); found != "" {
				t.Errorf("it speaks of Go: %s", found)
			}
			if runs, _ := filepath.Glob(filepath.Join(state, "*", "[0-9]*")); len(runs) > 0 {
				t.Errorf("a run is kept: %v", runs)
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}
