package steps

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outputLimit bounds what is kept of a program's output, in bytes; killDelay is
// the time between the interrupt and the kill of a program that is stopped.
const (
	outputLimit = 64 << 10
	killDelay   = 10 * time.Second
)

// command makes a command in a process group of its own, so that what it started
// is stopped with it; run it with groups.run.
func command(ctx context.Context, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endsWithLabrun(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
	return cmd
}

// groups are the process groups that run, so that they can be ended with labrun.
type groups struct {
	mu     sync.Mutex
	pids   map[int]bool
	killed bool
}

// run runs a command to its end. Where it was stopped, what it had started and
// what did not heed the interrupt is killed: the end of the program alone says
// nothing of those.
func (g *groups) run(ctx context.Context, cmd *exec.Cmd) error {
	runtime.LockOSThread() // a program ends with the thread that started it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	g.note(pid, true)
	defer g.note(pid, false)
	err := cmd.Wait()
	if err != nil && ctx.Err() != nil {
		_ = syscall.Kill(-pid, syscall.SIGKILL) // no such process: all of them have ended
	}
	return err
}

// note keeps a group while it runs. One that was begun as all were killed is killed, too.
func (g *groups) note(pid int, runs bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if runs && g.killed {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	if g.pids == nil {
		g.pids = map[int]bool{}
	}
	if runs {
		g.pids[pid] = true
	} else {
		delete(g.pids, pid)
	}
}

// kill kills all that run, and all that are begun from now on.
func (g *groups) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.killed = true
	for pid := range g.pids {
		_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended just now
	}
}

func lastLines(s string, n int) []string {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	lines := strings.Split(s, "\n")
	return lines[max(0, len(lines)-n):]
}

// tail keeps the end of what is written to it. It has no other way in: a
// ReadFrom would go past the limit.
type tail struct {
	buf bytes.Buffer
	cut bool
}

// Write keeps at most outputLimit bytes.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.buf.Write(p)
	if over := t.buf.Len() - outputLimit; over > 0 {
		t.buf.Next(over)
		t.cut = true
	}
	return n, err
}

// String gives what was kept: whole lines, for the rest of a line may be the rest
// of a secret, which nobody would know again.
func (t *tail) String() string {
	if _, whole, found := strings.Cut(t.buf.String(), "\n"); t.cut && found && whole != "" {
		return whole
	}
	return t.buf.String()
}
