package program

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/faults"
	"github.com/labrun/labrun/pipeline/event"
)

var update = flag.Bool("update", false, "write the golden files of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"labrun": func() {
		os.Exit(Main(context.Background(), os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}))
	}})
}

// The commands that know what a lab is, as a user runs them.
func TestScripts(t *testing.T) {
	night, err := filepath.Abs(filepath.Join("..", "..", "docs", "ci", "nightly.sh"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("BMC_PASSWORD", "x")
			e.Setenv("NIGHTLY", night)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exit": exits, "broken": broken, "last": last, "recorded": recorded},
	})
}

// exits runs a command that must end with an exit code: exit 2 labrun init.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// broken writes lab.yaml and values.yaml of a lab with a fault, and starts its BMCs: broken wrong-password.
func broken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: broken FAULT")
	}
	f, found := faults.Find(args[0])
	if !found {
		ts.Fatalf("there is no fault %q", args[0])
	}
	ends, err := f.Set(ts.MkAbs("."))
	ts.Check(err)
	ts.Defer(ends)
}

// recorded holds what programs did, a line each, against a journal: every one was begun there before it had its effect.
func recorded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: recorded JOURNAL FILE")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	state, err := event.Fold(event.Read(f))
	ts.Check(err)
	if state.Torn || state.Finished {
		ts.Fatalf("torn: %t, finished: %t", state.Torn, state.Finished)
	}
	begun := 0
	for _, step := range state.Steps {
		for _, i := range step.Instances {
			begun += i.Unseen
		}
	}
	done := strings.Fields(ts.ReadFile(args[1]))
	if begun != len(done) || begun < 3 {
		ts.Fatalf("%d effects are in the journal as begun, %d were had: %v", begun, len(done), done)
	}
	for _, id := range done {
		if i := state.Instance(id, ""); i == nil || i.Unseen != 1 {
			ts.Fatalf("%s had an effect that the journal does not know of", id)
		}
	}
}

// last looks for patterns in the last lines of what the last command wrote to stdout: last 2 worker1 'auth: .*401'. Each has to
// be there.
func last(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: last LINES PATTERN...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\n"), "\n")
	text := strings.Join(lines[max(0, len(lines)-n):], "\n")
	for _, pattern := range args[1:] {
		if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
			ts.Fatalf("no %s in the last %d lines:\n%s", pattern, n, text)
		}
	}
}
