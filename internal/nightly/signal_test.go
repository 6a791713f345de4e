package nightly

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSignals: whoever stops a night sends its signal to the script, or to all that
// runs in its group, as a terminal and Tekton do. labrun gets it once, as SIGTERM,
// since the second one ends it at once; the script waits for it, tells the night's
// end, and has labrun's exit code, whatever that is.
func TestSignals(t *testing.T) {
	for _, c := range []struct {
		name, command string
		first         syscall.Signal
		group         bool
		code          string
		verdict, said string
	}{
		{"GitHub cancels", "rebuild", syscall.SIGINT, false, "143", "stopped", "rebuild of lab.yaml was stopped by a signal"},
		{"Tekton deletes the pod", "rebuild", syscall.SIGTERM, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal"},
		{"Ctrl-C", "rebuild", syscall.SIGINT, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal"},
		{"the terminal goes away", "rebuild", syscall.SIGHUP, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal"},
		{"labrun was about to end", "rebuild", syscall.SIGTERM, false, "0", "green", "lab.yaml was rebuilt from hosted"},
		{"a step failed meanwhile", "rebuild", syscall.SIGTERM, true, "1", "failed", "rebuild of lab.yaml failed"},
		{"during the pre-flight", "preflight", syscall.SIGTERM, true, "143", "stopped", "preflight of lab.yaml was stopped by a signal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := begin(t, c.command, c.code)
			pid := n.cmd.Process.Pid
			if c.group {
				pid = -pid
			}
			n.read(t, "ready")
			n.kill(t, pid, c.first)
			n.read(t, "terminated")
			n.kill(t, n.cmd.Process.Pid, syscall.SIGTERM)
			n.read(t, "terminated")
			_ = n.cmd.Wait()
			if got := n.cmd.ProcessState.String(); got != "exit status "+c.code {
				t.Errorf("the night ended with %s, want exit code %s\n%s", got, c.code, &n.said)
			}
			if got, err := os.ReadFile(filepath.Join(n.cmd.Dir, "nightly-reports", "verdict")); err != nil || string(got) != c.verdict {
				t.Errorf("the verdict is %q, want %q: %v", got, c.verdict, err)
			}
			if !strings.Contains(n.said.String(), c.said) {
				t.Errorf("it does not say %q:\n%s", c.said, &n.said)
			}
			if c.command == "preflight" && bytes.Contains(n.calls(t), []byte("rebuild")) {
				t.Errorf("it was stopped, and yet rebuilt the lab:\n%s", n.calls(t))
			}
		})
	}
}

// TestStoppedWhileItPauses: a night that waits for its turn ends at once.
func TestStoppedWhileItPauses(t *testing.T) {
	n := begin(t, "", "")
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = n.cmd.Wait()
	if got := n.cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("exit code %d, want 143\n%s", got, &n.said)
	}
	if got := bytes.Count(n.calls(t), []byte("rebuild")); got != 1 {
		t.Errorf("rebuilt %d times, want 1:\n%s", got, n.calls(t))
	}
}

// aNight is a script that runs.
type aNight struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	told *bufio.Reader // what the stand-in writes into its pipe
}

// begin starts a night in which labrun, at that command, waits for signals and then
// ends with that code. Without a command the lab is held, and it returns once the
// script pauses.
func begin(t *testing.T, command, code string) *aNight {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, script))
	if err != nil {
		t.Fatal(err)
	}
	n := &aNight{cmd: exec.Command(path, "lab.yaml")}
	n.cmd.Dir = t.TempDir()
	says := filepath.Join(n.cmd.Dir, "says")
	if err := os.Mkdir(says, 0o700); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(says, command+".ready")
	if command == "" {
		command, code, pipe = "rebuild", "4", filepath.Join(n.cmd.Dir, "paused")
		pauser := filepath.Join(n.cmd.Dir, "sleep")
		if err := os.WriteFile(pauser, []byte("#!/bin/sh\necho paused >paused\nexec tail -f /dev/null\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(says, command+".code"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	n.cmd.Env = append(os.Environ(), "HOME="+n.cmd.Dir, "NIGHTLY_TRIES=2", "PATH="+n.cmd.Dir+":"+os.Getenv("PATH"))
	n.cmd.Stderr = &n.said
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL) })
	told, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.Close() })
	n.told = bufio.NewReader(told)
	if filepath.Base(pipe) == "paused" {
		n.read(t, "paused")
	}
	return n
}

// read reads the next line that the stand-in wrote.
func (n *aNight) read(t *testing.T, want string) {
	t.Helper()
	line, err := n.told.ReadString('\n')
	if strings.TrimSpace(line) != want {
		t.Fatalf("labrun was told %q, want %q: %v\n%s", line, want, err, &n.said)
	}
}

func (n *aNight) kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

func (n *aNight) calls(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.cmd.Dir, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
