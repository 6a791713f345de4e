package steps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
)

func TestExec(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := factsOf(t, ipv4)
	for _, c := range []struct {
		name    string
		step    Exec
		ran     bool
		stdout  string
		summary string
		err     []string
	}{
		{name: "prints", step: Exec{Command: []string{"echo", "a b; c"}}, ran: true, stdout: "a b; c"},
		{name: "no shell", step: Exec{Command: []string{"echo", "$HOME"}}, ran: true, stdout: "$HOME"},
		{name: "shell", step: Exec{Shell: "echo $A$B", Env: map[string]string{"A": "x", "B": "y"}}, ran: true, stdout: "xy"},
		{name: "folder", step: Exec{Shell: "ls", Dir: dir}, ran: true, stdout: "there"},
		{name: "creates", step: Exec{Command: []string{"false"}, Creates: there}, summary: there + " exists"},
		{name: "creates, not there", step: Exec{Command: []string{"true"}, Creates: there + "x"}, ran: true},
		{name: "creates, in its folder", step: Exec{Command: []string{"false"}, Dir: dir, Creates: "there"}, summary: there + " exists"},
		{name: "creates, not in its folder", step: Exec{Command: []string{"true"}, Dir: dir, Creates: "local_test.go"}, ran: true},
		{name: "unless", step: Exec{Command: []string{"false"}, Unless: []string{"true"}}, summary: "true succeeded"},
		{name: "unless, not so", step: Exec{Command: []string{"true"}, Unless: []string{"false"}}, ran: true},
		{name: "unless is not there", step: Exec{Command: []string{"true"}, Unless: []string{"/nowhere/x"}}, err: []string{"running unless", "/nowhere/x"}},
		{name: "fails", step: Exec{Shell: "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo out $i; done; echo why >&2; exit 3"}, ran: true, err: []string{"sh failed: exit status 3", "it said: why", "run sh by hand, with the arguments that step step of the lab file gives it"}},
		{name: "fails with a secret", step: Exec{Command: []string{"sh", "-c", "exit 3", "s3cret"}}, ran: true, err: []string{"sh failed: exit status 3"}},
		{name: "fails on stdout", step: Exec{Shell: "echo why; exit 3"}, ran: true, err: []string{"it said: why"}},
		{name: "an unset variable", step: Exec{Shell: "echo $UNSET_VARIABLE"}, ran: true, err: []string{"UNSET_VARIABLE"}},
		{name: "both", step: Exec{Shell: "x", Command: []string{"x"}}, err: []string{"both command and shell"}},
		{name: "neither", step: Exec{}, err: []string{"neither command nor shell"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, heard := anEnv(t, f, LabOptions{})
			out, err := c.step.Run(t.Context(), env)
			if c.err != nil {
				wantError(t, err, c.err...)
				var r event.Reporter
				if errors.As(err, &r) && strings.Contains(tell(r.Tell()), "s3cret") {
					t.Errorf("an argument is told: %s", tell(r.Tell()))
				}
				if strings.Contains(err.Error(), "out 12") {
					t.Errorf("what it printed hides what it complained of: %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if out.Ran != c.ran || out.Stdout != c.stdout || out.Summary() != c.summary {
				t.Errorf("outputs %+v", out)
			}
			if effects := heard.effects(); (len(effects) == 1) != c.ran {
				t.Errorf("effects %q", effects)
			}
		})
	}
}

// A plan says of what a program creates what the run says, wherever labrun was started.
func TestExecPlan(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rhcos.iso"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	get := []string{"curl", "-fsSO", "https://mirror.lab/rhcos.iso"}
	for _, c := range []struct {
		name string
		step Exec
		runs bool
	}{
		{"in its folder", Exec{Command: get, Dir: dir, Creates: "rhcos.iso"}, false},
		{"by its whole path", Exec{Command: get, Dir: "/", Creates: filepath.Join(dir, "rhcos.iso")}, false},
		{"not there yet", Exec{Command: get, Dir: dir, Creates: "other.iso"}, true},
		{"where labrun was started", Exec{Command: get, Dir: dir, Creates: "local_test.go"}, true},
		{"in a folder that is not there", Exec{Command: get, Dir: dir + "/x", Creates: "rhcos.iso"}, true},
	} {
		env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
		change, err := c.step.Plan(t.Context(), env)
		if err != nil || (len(change.Objects) == 1) != c.runs {
			t.Errorf("%s: %+v, %v", c.name, change, err)
		}
	}
}

func TestExecIsStopped(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	began := time.Now()
	_, err := Exec{Shell: "sleep 60 & wait"}.Run(ctx, env)
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("ended after %s with %v: what a program started is stopped with it", time.Since(began), err)
	}
}

// Arguments stand in the list of processes: what holds a secret is not run, and is
// not told.
func TestExecRefusesSecrets(t *testing.T) {
	const secret = "plover-shingle"
	holds := func(text string) bool { return strings.Contains(text, secret) }
	for name, s := range map[string]Exec{
		"command": {Command: []string{"echo", "-u", "admin:" + secret}}, "shell": {Shell: "echo " + secret},
		"unless": {Command: []string{"true"}, Unless: []string{"test", secret}},
	} {
		env, heard := anEnv(t, factsOf(t, ipv4), LabOptions{Holds: holds})
		out, err := s.Run(t.Context(), env)
		wantError(t, err, name+" is not run: part ", "give it by env, or in a file")
		if err != nil && strings.Contains(err.Error(), secret) || out.Ran || len(heard.effects()) > 0 {
			t.Errorf("%s: %+v, %v, effects %q", name, out, err, heard.effects())
		}
	}
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{Holds: holds})
	out, err := Exec{Shell: "echo $PW", Env: map[string]string{"PW": secret}}.Run(t.Context(), env)
	if err != nil || out.Stdout != secret {
		t.Errorf("by its environment: %+v, %v", out, err)
	}
}

// A line whose beginning was dropped is dropped whole: it may be the rest of a secret.
func TestExecCutsAtALine(t *testing.T) {
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	out, err := Exec{Shell: "head -c 70000 /dev/zero | tr '\\0' x; echo; echo end"}.Run(t.Context(), env)
	if err != nil || out.Stdout != "end" {
		t.Errorf("%d bytes are kept, %v", len(out.Stdout), err)
	}
}

func TestExecKeepsTheEnd(t *testing.T) {
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	out, err := Exec{Shell: "head -c 300000 /dev/zero | tr '\\0' x; echo end"}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(out.Stdout); n != outputLimit-1 || !strings.HasSuffix(out.Stdout, "xend") { // the last newline is left out
		t.Errorf("%d bytes are kept", n)
	}
}

func TestWritePrivate(t *testing.T) {
	f := factsOf(t, ipv4)
	path := filepath.Join(t.TempDir(), "new", "kubeconfig")
	write := func(content string) int {
		env, heard := anEnv(t, f, LabOptions{})
		if err := writePrivate(t.Context(), env, path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %o", info.Mode().Perm())
		}
		return len(heard.effects())
	}
	for _, c := range []struct {
		name, content string
		before        func() error
		effects       int
	}{
		{"new", "a", nil, 1}, {"unchanged", "a", nil, 0}, {"changed", "b", nil, 1},
		{"readable by others", "b", func() error { return os.Chmod(path, 0o644) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.before != nil {
				if err := c.before(); err != nil {
					t.Fatal(err)
				}
			}
			if got := write(c.content); got != c.effects {
				t.Errorf("%d effects, want %d", got, c.effects)
			}
			if have, err := os.ReadFile(path); err != nil || string(have) != c.content {
				t.Errorf("holds %q, %v", have, err)
			}
		})
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left beside it, %v", len(entries), err)
	}
	env, _ := anEnv(t, f, LabOptions{})
	wantError(t, writePrivate(t.Context(), env, filepath.Dir(path), nil), "writing "+filepath.Dir(path))
}

func TestEnvSecrets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LABRUN_TEST_SECRET", "from the variable")
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	for _, c := range []struct {
		ref       labs.SecretRef
		want, err string
	}{
		{ref: labs.SecretRef{File: labs.Path(file)}, want: "from the file\n"},
		{ref: labs.SecretRef{Env: "LABRUN_TEST_SECRET"}, want: "from the variable"},
		{ref: labs.SecretRef{Command: []string{"echo", "one"}}, want: "one"},
		{ref: labs.SecretRef{Command: []string{"echo", "two"}}, want: "two"}, // another secret of the same program
		{ref: labs.SecretRef{File: "/nowhere/x"}, err: "finding the secret in file /nowhere/x"},
		{ref: labs.SecretRef{Env: "LABRUN_TEST_UNSET"}, err: "export LABRUN_TEST_UNSET=…"},
		{ref: labs.SecretRef{Command: []string{"false"}}, err: "finding the secret in command false: exit status 1"},
		{ref: labs.SecretRef{Command: []string{"sh", "-c", "echo s3cret; echo one >&2; echo no such entry >&2; exit 2"}}, err: "exit status 2: one; no such entry"},
		{ref: labs.SecretRef{}, err: "no file, env, command or secret is named"},
	} {
		t.Run(c.ref.String(), func(t *testing.T) {
			got, err := env.Secret(t.Context(), c.ref)
			if c.err != "" {
				wantError(t, err, c.err)
				if strings.Contains(strings.ReplaceAll(err.Error(), c.ref.String(), ""), "s3cret") {
					t.Errorf("what the command printed is told: %v", err)
				}
				return
			}
			if err != nil || got.Reveal() != c.want {
				t.Errorf("%q, %v, want %q", got.Reveal(), err, c.want)
			}
		})
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got, err := env.Secret(t.Context(), labs.SecretRef{File: labs.Path(file)}); err != nil || got.Reveal() != "from the file\n" {
		t.Errorf("a secret is looked for more than once a run: %v", err)
	}
}

func TestLab(t *testing.T) {
	f := factsOf(t, ipv4)
	l := NewLab(f, LabOptions{Kubeconfig: "/nowhere/kubeconfig", StateDir: "/state", Adopt: true, Reveal: true})
	defer l.Close()
	if l.Facts() != f || !l.Adopt() || !l.RevealSecrets() || l.Kubeconfig() != "/nowhere/kubeconfig" || l.Now().IsZero() {
		t.Error("a lab forgets what it was given")
	}
	if got := NewLab(f, LabOptions{}).Kubeconfig(); !strings.HasSuffix(got, "/.kcli/clusters/hub-ipv4/auth/kubeconfig") {
		t.Errorf("kubeconfig %s", got)
	}
	if got := l.result("", "kubeconfig"); got != "/state/kubeconfig" {
		t.Errorf("result %s", got)
	}
	if got := l.result("/x/y", "kubeconfig"); got != "/x/y" {
		t.Errorf("result %s", got)
	}
	if _, err := l.Hub(t.Context()); err == nil || !strings.Contains(err.Error(), "/nowhere/kubeconfig") {
		t.Errorf("connecting: %v", err)
	}
	if got := l.Requests(); len(got) != 0 {
		t.Errorf("requests %v of nothing", got)
	}
}
