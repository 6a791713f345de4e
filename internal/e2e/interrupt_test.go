package e2e

import (
	"bufio"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// TestInterrupt interrupts a run twice, each time in another phase, and lets the
// third one finish.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	l := start(t, connected, sim.Options{})
	for _, c := range []struct {
		signal  syscall.Signal
		exit    int
		after   string // what labrun tells when it is interrupted
		waiting string // the step that runs then
	}{
		{syscall.SIGINT, 130, "✓ mce_operator ", "mce"},
		{syscall.SIGTERM, 143, "✓ etcd_key ", "hosted_cluster"},
	} {
		o := l.interrupt(t, c.signal, c.after)
		t.Logf("%v: %s", c.signal, o.told())
		if o.exit != c.exit || o.Summary.Exit != c.exit {
			t.Errorf("exit %d (journal %d), want %d\n%s", o.exit, o.Summary.Exit, c.exit, o.err)
		}
		if !slices.Contains(o.status(event.Cancelled), c.waiting) {
			t.Errorf("cancelled: %v, want %s among them\n%s", o.status(event.Cancelled), c.waiting, o.err)
		}
		if wrong := o.status(event.Failed, event.Blocked); len(wrong) > 0 {
			t.Errorf("failed or blocked by an interruption: %v", wrong)
		}
		wantWhole(t, o)
	}
	o := l.run(t).must(t, 0)
	t.Log("then:", o.told())
	if left := o.status(event.Failed, event.Blocked, event.Cancelled); len(left) > 0 {
		t.Errorf("not done: %v", left)
	}
	wantWhole(t, o)
	l.wantFiles(t)
	l.wantNothingToDo(t)
}

// interrupt runs labrun as a process, and sends it a signal when its progress
// shows a text.
func (l *lab) interrupt(t *testing.T, signal syscall.Signal, after string) outcome {
	t.Helper()
	cmd := process(t.Context(), l.args()...)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	sent := false
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		told.WriteString(lines.Text() + "\n")
		if !sent && strings.Contains(lines.Text(), after) {
			sent = true
			if err := cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
		}
	}
	o := outcome{err: told.String()}
	err = cmd.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	o.exit = cmd.ProcessState.ExitCode()
	if !sent {
		t.Fatalf("exit %d, and %q was never told:\n%s", o.exit, after, o.err)
	}
	l.read(t, &o)
	return o
}

// wantWhole holds a journal against gaps: each event has the next number, what
// began has ended, each intent has its done, and the run tells its end.
func wantWhole(t *testing.T, o outcome) {
	t.Helper()
	for n, e := range o.events {
		if e.Seq != n+1 {
			t.Fatalf("event %d has the number %d", n+1, e.Seq)
		}
	}
	if !o.Finished || o.Torn {
		t.Errorf("the journal has %d events, finished: %t, torn: %t", len(o.events), o.Finished, o.Torn)
	}
	for _, i := range o.instances() {
		if i.Result == nil {
			t.Errorf("%s has no end", i.Name())
		}
		if len(i.Open) > 0 {
			t.Errorf("%s has intents without their end: %+v", i.Name(), i.Open)
		}
	}
	for _, s := range o.Steps {
		if len(s.Instances) == 0 {
			t.Errorf("%s is not told of", s.ID)
		}
	}
}
