package nightly

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	root = "../.."
	// script is what every CI runs, from the root.
	script = "docs/ci/nightly.sh"
)

func TestMain(m *testing.M) {
	// The race detector would otherwise hold each process for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"labrun": standIn})
}

// TestNights are whole nights with a labrun that ends as it is told to. What a night
// with the real one is, internal/program and internal/e2e test.
func TestNights(t *testing.T) {
	path, err := filepath.Abs(filepath.Join(root, script))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", os.Getenv("GORACE"))
			e.Setenv("NIGHTLY", path)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"night": night},
	})
}

// night runs the script, which must end with an exit code: night 3 lab.yaml.
func night(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: night CODE [ARGUMENT]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var failed *exec.ExitError
	got := 0
	if err := ts.Exec(ts.Getenv("NIGHTLY"), args[1:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("the night ended with exit code %d, want %d", got, want)
	}
}

// TestExecutable: a checkout has to be able to run it.
func TestExecutable(t *testing.T) {
	info, err := os.Stat(filepath.Join(root, script))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode()&0o111 != 0o111 {
		t.Errorf("%s has the mode %o", script, info.Mode())
	}
}
