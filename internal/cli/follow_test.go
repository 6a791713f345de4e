package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline/event"
)

// beside is a labrun that watches the one that hangs.
type beside struct {
	t           *testing.T
	cmd         *exec.Cmd
	out, stderr bytes.Buffer
	lines       *bufio.Reader // of stderr
}

func (h *hung) beside(t *testing.T, args ...string) *beside {
	t.Helper()
	b := &beside{t: t, cmd: exec.Command("labrun", append(args, filepath.Join(h.dir, "lab.yaml"), "--state-dir", filepath.Join(h.dir, "state"))...)}
	b.cmd.Stdout = &b.out
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := b.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.lines = bufio.NewReader(io.TeeReader(stderr, &b.stderr))
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.cmd.Process.Kill() })
	return b
}

// until reads stderr until it has a text.
func (b *beside) until(text string) {
	b.t.Helper()
	for !strings.Contains(b.stderr.String(), text) {
		if _, err := b.lines.ReadString('\n'); err != nil {
			b.t.Fatalf("%q is not told: %v\n%s", text, err, &b.stderr)
		}
	}
}

// ends waits for its end, and holds it to an exit code and to what it tells.
func (b *beside) ends(code int, parts ...string) {
	b.t.Helper()
	_, _ = io.Copy(io.Discard, b.lines)
	_ = b.cmd.Wait()
	if got := b.cmd.ProcessState.ExitCode(); got != code {
		b.t.Errorf("%v: exit code %d, want %d\n%s%s", b.cmd.Args[1:], got, code, &b.out, &b.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(b.out.String()+b.stderr.String(), part) {
			b.t.Errorf("%v: %q is not told\n%s%s", b.cmd.Args[1:], part, &b.out, &b.stderr)
		}
	}
}

// Others see what a run does, and end as it does.
func TestFollowAndWait(t *testing.T) {
	h := hangs(t, false)
	pid := "process " + strconv.Itoa(h.cmd.Process.Pid)
	text, stream := h.beside(t, "status", "--follow"), h.beside(t, "status", "--follow", "-o", "json")
	done, step := h.beside(t, "wait"), h.beside(t, "wait", "--for", "wait")
	text.until("agent worker0 is not bound: state is known")
	done.until("waits for run 1 of hanging: " + pid)
	step.until(pid)
	lab := filepath.Join(h.dir, "lab.yaml") + " --state-dir " + filepath.Join(h.dir, "state")
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{0, []string{"--for", "first"}, "✓ first"},
		{1, []string{"--for", "wait", "--timeout", "1ms"}, "run 1 of hanging: wait has not ended: not within --timeout 1ms; it runs wait; labrun status " + lab + " --follow shows it"},
		{1, []string{"--timeout", "1ms"}, "the run has not ended"},
		{2, []string{"--for", "frist"}, `--for frist: run 1 has no step "frist"` + "\n  did you mean \"first\"?"},
	} {
		code, out, errs := h.labrun(t, append([]string{"wait"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("wait %v: exit code %d, want %d and %q\n%s%s", c.args, code, c.code, c.want, out, errs)
		}
	}
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	h.wait()
	text.ends(0, "hanging · ipv6 · run 1", "1 ok · 3 cancelled", "run the same command to go on: labrun continues from wait")
	stream.ends(0, `{"seq":1,`, `"type":"run.finished"`)
	done.ends(130, "1 ok · 3 cancelled")
	step.ends(1, "cancelled")
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{130, []string{"wait"}, "1 ok · 3 cancelled"},
		{130, []string{"wait", "-o", "json"}, `"continues_from": "wait"`},
		{1, []string{"wait", "--for", "each.w9"}, "run 1 of hanging has ended, and had no each.w9"},
		{0, []string{"status", "--follow"}, "1 ok · 3 cancelled"},
	} {
		if code, out, errs := h.labrun(t, c.args...); code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s%s", c.args, code, c.code, c.want, out, errs)
		}
	}
}

// Who watches a run that is killed is told so.
func TestFollowAndWaitForAKilledRun(t *testing.T) {
	h := hangs(t, false)
	text, done := h.beside(t, "status", "--follow"), h.beside(t, "wait")
	text.until("agent worker0 is not bound")
	done.until("waits for run 1")
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.wait()
	const told = "run the same command to go on: labrun continues from wait"
	text.ends(0, "the run was cut off: its last event is of ", told)
	done.ends(1, "the run was cut off", told)
	if code, out, _ := h.labrun(t, "status", "-o", "json"); code != 0 || !strings.Contains(out, `"cut_off": true`) || !strings.Contains(out, `"continues_from": "wait"`) {
		t.Errorf("status: exit code %d\n%s", code, out)
	}
}

// A run that holds the lab and has no journal yet is waited for.
func TestWaitForARunThatBegins(t *testing.T) {
	h := hangs(t, false) // for its files
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.wait()
	lab, err := statedir.Of(filepath.Join(h.dir, "state"), "hanging")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := lab.Lock(time.Now().Add(-time.Hour)) // the clock was set back
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := h.labrun(t, "status"); code != 0 || !strings.Contains(out, "another run has begun, and tells nothing yet: process ") || !strings.Contains(out, "the run was cut off") {
		t.Errorf("status: exit code %d\n%s%s", code, out, errs)
	}
	wait, follow := h.beside(t, "wait"), h.beside(t, "status", "--follow")
	record, err := lab.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Begins(record.Number); err != nil {
		t.Fatal(err)
	}
	journal, err := event.Create(record.Journal())
	if err != nil {
		t.Fatal(err)
	}
	for n, e := range []event.Event{
		{Type: event.RunStarted, Run: &event.Run{Version: event.Version, Lab: "hanging", Number: 2, Steps: []event.Ref{{ID: "first"}}}},
		{Type: event.StepFinished, Step: "first", Result: &event.Result{Status: event.Failed}},
		{Type: event.RunFinished, Summary: &event.Summary{Exit: 3, Counts: map[event.Status]int{event.Failed: 1}}},
	} {
		e.Seq, e.Time = n+1, time.Now()
		if err := journal.Take(e); err != nil {
			t.Fatal(err)
		}
		if e.Type != event.RunStarted {
			continue
		}
		const left = "less than a minute left, from 1 past run, in none of which wait and 2 more ended well"
		if code, out, errs := h.labrun(t, "status"); code != 0 || !strings.Contains(out, left) {
			t.Errorf("status: exit code %d, want %q\n%s%s", code, left, out, errs)
		}
		if code, out, _ := h.labrun(t, "status", "-o", "json"); code != 0 || !strings.Contains(out, `"runs": 1`) || !strings.Contains(out, `"holder": {`) {
			t.Errorf("status: exit code %d\n%s", code, out)
		}
	}
	if err := errors.Join(journal.Close(), lock.Unlock()); err != nil {
		t.Fatal(err)
	}
	wait.ends(3, "1 failed")
	follow.ends(0, "hanging · run 2", "1 failed")
}
