package nightly

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSignals: whoever stops a night sends its signal to the script, or to all that
// runs in its group, as a terminal and Tekton do. labrun gets it once, as SIGTERM,
// since the second one ends it at once; the script waits for it, tells the night's
// end, and has labrun's exit code, whatever that is.
func TestSignals(t *testing.T) {
	heedHangup(t)
	for _, c := range []struct {
		name, command string
		first         syscall.Signal
		group         bool
		code          string
		verdict, said string
		rebuilt       int
	}{
		{"GitHub cancels", "rebuild", syscall.SIGINT, false, "143", "stopped", "rebuild of lab.yaml was stopped by a signal", 1},
		{"Tekton deletes the pod", "rebuild", syscall.SIGTERM, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal", 1},
		{"Ctrl-C", "rebuild", syscall.SIGINT, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal", 1},
		{"the terminal goes away", "rebuild", syscall.SIGHUP, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal", 1},
		{"labrun was about to end", "rebuild", syscall.SIGTERM, false, "0", "green", "lab.yaml was rebuilt from hosted", 1},
		{"a step failed meanwhile", "rebuild", syscall.SIGTERM, true, "1", "failed", "rebuild of lab.yaml failed", 1},
		{"during the pre-flight", "preflight", syscall.SIGTERM, true, "143", "stopped", "preflight of lab.yaml was stopped by a signal", 0},
		{"while it waits for a held lab", "sleep", syscall.SIGTERM, true, "143", "stopped", "rebuild of lab.yaml was stopped by a signal", 1},
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
			if got, err := os.ReadFile(filepath.Join(n.cmd.Dir, "nightly-reports", "verdict")); err != nil || string(got) != c.verdict+"\n" {
				t.Errorf("the verdict is %q, want %q: %v", got, c.verdict, err)
			}
			if !strings.Contains(n.said.String(), c.said) {
				t.Errorf("it does not say %q:\n%s", c.said, &n.said)
			}
			calls, err := os.ReadFile(filepath.Join(n.cmd.Dir, "calls"))
			if got := bytes.Count(calls, []byte("rebuild lab.yaml")); err != nil || got != c.rebuilt {
				t.Errorf("the lab was rebuilt %d times, want %d: %v\n%s", got, c.rebuilt, err, calls)
			}
		})
	}
}

// heedHangup lets what the test starts be told that the terminal goes away. Where the
// test was started by nohup it would ignore that, and a script cannot trap what it
// ignores from its beginning.
func heedHangup(t *testing.T) {
	t.Helper()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
}

// aNight is a script that runs.
type aNight struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	told *bufio.Reader // what the stand-in writes into its pipe
}

// begin starts a night in which labrun, at that command, waits for signals and then
// ends with that code. The command sleep is the pause of a night whose lab is held.
func begin(t *testing.T, command, code string) *aNight {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, script))
	if err != nil {
		t.Fatal(err)
	}
	n := &aNight{cmd: exec.Command(path, "lab.yaml")}
	n.cmd.Dir = t.TempDir()
	pipe := n.prepare(t, command, code)
	n.cmd.Env = append(os.Environ(), "HOME="+n.cmd.Dir, "NIGHTLY_TRIES=2", "PATH="+n.cmd.Dir+":"+os.Getenv("PATH"))
	n.cmd.Stderr = &n.said
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL) } // and with it the stand-in
	t.Cleanup(end)
	late := time.AfterFunc(time.Minute, end)
	t.Cleanup(func() { late.Stop() })
	told, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.Close() })
	n.told = bufio.NewReader(told)
	return n
}

// prepare says what labrun does in this night, and gives the pipe that it tells of
// its signals.
func (n *aNight) prepare(t *testing.T, command, code string) (pipe string) {
	t.Helper()
	says := filepath.Join(n.cmd.Dir, "says")
	if err := os.Mkdir(says, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{filepath.Join(says, command+".code"): code}
	if command == "sleep" {
		files[filepath.Join(says, "rebuild.code")] = "4"
		files[filepath.Join(n.cmd.Dir, "sleep")] = "#!/bin/sh\nexec labrun sleep\n"
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	pipe = filepath.Join(says, command+".ready")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return pipe
}

// read reads the next line that the stand-in wrote.
func (n *aNight) read(t *testing.T, want string) {
	t.Helper()
	line, err := n.told.ReadString('\n')
	if strings.TrimSpace(line) != want {
		_ = syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL)
		_ = n.cmd.Wait() // nothing is written any more
		t.Fatalf("labrun was told %q, want %q: %v\n%s", line, want, err, &n.said)
	}
}

func (n *aNight) kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
