package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"golang.org/x/sys/unix"
)

// describe tells what runs, and what to type next.
func describe(lab loaded, running *sim.Lab, took time.Duration, command, end string) string {
	var b strings.Builder
	var workers []string
	for _, m := range running.Machines() {
		workers = append(workers, m.Name)
	}
	fmt.Fprintf(&b, "%s · %s · simulated\n\n", lab.name, lab.facts.Title())
	line := func(what, value string) { fmt.Fprintf(&b, "  %-20s %s\n", what, value) }
	line("management cluster", running.Hub().URL())
	line("BMCs", fmt.Sprintf("%s (%s)", running.Machines()[0].BMC, strings.Join(workers, ", ")))
	line("name server", running.DNS())
	line("state", running.Dir())
	fmt.Fprintf(&b, "\nready after %s; now type\n\n  %s\n\n", took.Round(100*time.Millisecond), command)
	fmt.Fprintf(&b, "it runs until %s\n", end)
	return b.String()
}

// report is where the news of a start goes: to the terminal, or to the parent of a detached one.
type report struct {
	out    io.Writer
	parent *os.File
}

// news is what a detached one tells its parent, as one line of JSON.
type news struct {
	Ready string `json:"ready,omitempty"`
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"`
}

func (u *up) report() *report {
	r := &report{out: u.out}
	if u.readyFD > 0 {
		r.parent = os.NewFile(uintptr(u.readyFD), "ready")
		unix.CloseOnExec(u.readyFD)
	}
	return r
}

func (r *report) ready(text string) {
	if r.parent == nil {
		fmt.Fprint(r.out, text)
		return
	}
	r.send(news{Ready: text})
	silence()
}

// errTold marks an error that the parent was told, and tells.
var errTold = errors.New("the parent was told")

func (r *report) failed(err error) error {
	if r.parent == nil || err == nil {
		return err
	}
	r.send(news{Error: err.Error(), Code: code(err)})
	return fmt.Errorf("%w: %w", errTold, err)
}

func (r *report) send(n news) {
	_ = json.NewEncoder(r.parent).Encode(n) // a parent that is gone needs no news
	r.parent.Close()
	r.parent = nil
}

// silence lets go of the terminal, or whatever the parent's output was.
func silence() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	for fd := range 3 {
		_ = unix.Dup3(int(null.Fd()), fd, 0)
	}
}

// told is an error that a detached one has met.
type told struct {
	text string
	code int
}

func (t *told) Error() string { return t.text }

// Is lets the exit code be the one that the error had there.
func (t *told) Is(target error) bool {
	switch t.code {
	case exitRunning:
		return target == errRunning
	case exitUsage:
		return target == errInvalid
	}
	return false
}

// background starts labsim up once more, detached, and returns when the lab is ready. A lab whose start is interrupted
// is ended.
func (u *up) background(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	child := exec.Command(self, u.arguments()...)
	child.Stdout, child.Stderr = u.out, u.errors
	if f, ok := u.errors.(*os.File); ok {
		child.Stdout, child.Stderr = f, f
	}
	child.ExtraFiles = []*os.File{out}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = child.Start()
	out.Close()
	if err != nil {
		return fmt.Errorf("starting labsim in the background: %w", err)
	}
	forget := context.AfterFunc(ctx, func() { _ = child.Process.Signal(syscall.SIGTERM) })
	defer forget()
	var n news
	if err := json.NewDecoder(in).Decode(&n); err != nil || n.Ready == "" {
		ended := child.Wait()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case n.Error != "":
			return &told{n.Error, n.Code}
		}
		return fmt.Errorf("labsim in the background ended before the lab was ready: %w", errors.Join(err, ended))
	}
	fmt.Fprint(u.out, n.Ready)
	return child.Process.Release()
}

// arguments are those of this command, for the one in the background.
func (u *up) arguments() []string {
	args := []string{"up", u.lab, "--kubeconfig", absolute(u.kubeconfig), "--values", absolute(u.values), "--ready-fd", "3",
		"--speed", strconv.FormatFloat(u.speed, 'g', -1, 64)}
	for flag, list := range map[string][]string{"values-in": u.valuesIn, "set": u.set, "delay": u.delays, "without": u.without, "fail": u.fail} {
		for _, value := range list {
			args = append(args, "--"+flag+"="+value)
		}
	}
	if u.stateDir != "" {
		args = append(args, "--state-dir", absolute(u.stateDir))
	}
	for flag, on := range map[string]bool{"real-power": u.realPower, "keep": u.keep} {
		if on {
			args = append(args, "--"+flag)
		}
	}
	return args
}

// code is the exit code of an error.
func code(err error) int {
	switch {
	case errors.Is(err, errRunning):
		return exitRunning
	case errors.Is(err, errInvalid), errors.Is(err, errUsage):
		return exitUsage
	}
	return exitFailed
}
