package e2e

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/internal/sim"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	// One failure takes half a minute: make e2e lets all of them happen.
	// Hours: make sweep.
	sweep      = flag.Int("sweep", 0, "kill so many runs at random moments, and a quarter as many rebuilds and destroys")
	boundaries = flag.String("boundaries", "", "kill a run, a rebuild and a destroy of its own at each boundary for which this matches the command, a space and its name")
	struck     = flag.String("struck", "", "a file of the boundaries that are struck: a sweep leaves them out, and adds its own")
	further    = flag.Bool("further", false, "let all failures happen, not just those that every test run has the time for")
)

// asLabrun, set in its environment, makes the test binary labrun itself.
const asLabrun = "LABRUN_E2E_MAIN"

// TestMain lets the test binary be labrun, as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv(asLabrun) != "" {
		os.Exit(program.Main(context.Background(), os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}))
	}
	sim.Quiet()
	os.Exit(m.Run())
}

// process is labrun as a process, in the folder of the checkout.
func process(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), asLabrun+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}
