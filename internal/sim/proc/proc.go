// Package proc runs the programs of the simulated lab: API servers, etcd, emulated BMCs.
//
// A program that it starts cannot outlive the process that started it: it stands in a process group of its own, is
// told to end when its context is, and is killed by the kernel if its parent dies of whatever cause, SIGKILL
// included. What it prints goes to a log file; the last lines of that file are in the error of a program that ends by itself.
//
// Linux only, as the simulated lab is: the parent-death signal is Linux's.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command says what to start.
type Command struct {
	Name  string        // what messages call it; default: the base of Path
	Path  string        // the program
	Args  []string      // its arguments. They are visible to every user of the machine: never a secret
	Dir   string        // its working directory; default: the one of Log
	Env   []string      // its whole environment, as KEY=value; nothing is inherited
	Log   string        // file that gets what it prints, appended, mode 0600
	Grace time.Duration // from SIGTERM to SIGKILL; default 5 s
}

// Process is a program that was started.
type Process struct {
	command Command
	pid     int
	done    chan struct{} // closed once it has been reaped
	err     error         // readable after done

	mu       sync.Mutex
	stopping bool
	forget   func() bool // ends the watch on the context
}

// Start starts the program. It runs until it ends by itself, Stop is called or ctx is done.
func Start(ctx context.Context, c Command) (*Process, error) {
	if c.Name == "" {
		c.Name = filepath.Base(c.Path)
	}
	if c.Dir == "" {
		c.Dir = filepath.Dir(c.Log)
	}
	if c.Grace == 0 {
		c.Grace = 5 * time.Second
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	p := &Process{command: c, done: make(chan struct{})}
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	forget := context.AfterFunc(ctx, p.end)
	p.mu.Lock()
	p.forget = forget
	p.mu.Unlock()
	return p, nil
}

// live starts the program, and stays until it is reaped. The kernel sends the parent-death signal when the
// *thread* that started a child ends, so this goroutine keeps its thread for as long as the child lives.
func (p *Process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd, err := p.command.start()
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	awaitEnd(p.pid)
	// Before it is reaped, its id, and so that of its group, cannot belong to anybody else.
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	err = cmd.Wait()
	p.mu.Lock()
	if !p.stopping {
		p.err = p.early(err)
	}
	p.mu.Unlock()
	close(p.done)
}

func (c Command) start() (*exec.Cmd, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}

// awaitEnd returns when the process has ended, and leaves it to be reaped.
func awaitEnd(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// early is the error of a program that nobody told to end.
func (p *Process) early(err error) error {
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	return fmt.Errorf("%s ended by itself: %s; the last it said (%s):\n%s", p.command.Name, how, p.command.Log, lastLines(p.command.Log, 12))
}

// PID is the program's process id, which is also that of its process group.
func (p *Process) PID() int { return p.pid }

// Name is what messages call the program.
func (p *Process) Name() string { return p.command.Name }

// Log is the file that holds what the program printed.
func (p *Process) Log() string { return p.command.Log }

// Done is closed once the program has ended and been reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says why the program ended by itself. It is nil while it runs and after it was told to end.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop ends the program and all it started: SIGTERM, and SIGKILL after the grace period or when ctx is done. It
// returns when the program has been reaped; its error is that of a program that had ended by itself before.
func (p *Process) Stop(ctx context.Context) error {
	p.mu.Lock()
	forget := p.forget
	p.mu.Unlock()
	if forget != nil {
		forget()
	}
	p.terminate(ctx)
	return p.Err()
}

// end is Stop for a context that is done.
func (p *Process) end() { p.terminate(context.Background()) }

func (p *Process) terminate(ctx context.Context) {
	p.signal(syscall.SIGTERM)
	grace := time.NewTimer(p.command.Grace)
	defer grace.Stop()
	select {
	case <-p.done:
		return
	case <-grace.C:
	case <-ctx.Done():
	}
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal reaches the whole group, unless the program is gone.
func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return
	default:
	}
	p.stopping = true
	_ = syscall.Kill(-p.pid, s)
}
