package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/labrun/labrun/pipeline/event"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files of the scripts")
	// The race detector would otherwise hold each process for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testscript.Main(leakFree{m}, map[string]func(){"labrun": labrun})
}

// leakFree runs the tests and then looks for goroutines left behind.
type leakFree struct{ m *testing.M }

func (l leakFree) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return code
}

// The command line as a user runs it.
func TestScripts(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LABRUN_TEST_CLOCK", "1")
			e.Setenv("TZ", "UTC")
			e.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exit": exits, "mode": mode},
	})
}

// exits runs a command that must end with an exit code: exit 2 labrun validate x.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// mode checks a file's mode: mode 0600 state/x.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	if info.Mode().Perm() != os.FileMode(want) {
		ts.Fatalf("%s has the mode %o", args[1], info.Mode().Perm())
	}
}

const hanging = `version: v1
name: hanging
lab: {stack: ipv6, hosts: [{name: w0}, {name: w1}]}
phases: [one, two]
steps:
- {id: first, phase: one, uses: test/note}
- {id: wait, phase: one, uses: test/hang, with: {ready: "READY", deaf: DEAF}}
- {id: each, phase: two, forEach: lab.hosts, uses: test/note, with: {text: "${{ item.name }}"}}
- {id: last, phase: two, uses: test/note}
`

// hung is a labrun whose step waits.
type hung struct {
	cmd    *exec.Cmd
	dir    string
	stderr *bytes.Buffer // what was read of it and of stdout, 2>&1
	told   *bufio.Reader
	pipe   *os.File // that told reads
}

// hang starts labrun on a lab with a step that waits for ever, and returns when
// it does.
func hangs(t *testing.T, deaf bool) *hung {
	t.Helper()
	return hangsAs(t, deaf, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
}

func hangsAs(t *testing.T, deaf bool, attributes *syscall.SysProcAttr) *hung {
	t.Helper()
	h := &hung{dir: t.TempDir(), stderr: &bytes.Buffer{}}
	ready := filepath.Join(h.dir, "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	lab := filepath.Join(h.dir, "lab.yaml")
	text := strings.NewReplacer("READY", ready, "DEAF", strconv.FormatBool(deaf)).Replace(hanging)
	if err := os.WriteFile(lab, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.cmd = exec.Command("labrun", lab, "--state-dir", filepath.Join(h.dir, "state"))
	told, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	h.cmd.Stdout, h.cmd.Stderr, h.pipe = stderr, stderr, told
	h.told = bufio.NewReader(io.TeeReader(told, h.stderr))
	t.Cleanup(func() { _ = told.Close() })
	h.cmd.SysProcAttr = attributes
	if err := h.cmd.Start(); attributes.Cloneflags != 0 && errors.Is(err, syscall.EPERM) {
		t.Skipf("this machine lets nobody make a namespace of processes: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := stderr.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	f, err := os.Open(ready) // until the step opens it too
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if line, err := bufio.NewReader(f).ReadString('\n'); err != nil {
		t.Fatalf("the step wrote %q: %v", line, err)
	}
	return h
}

// wait reads stderr to its end and waits for labrun's.
func (h *hung) wait() {
	_, _ = io.Copy(io.Discard, h.told)
	_ = h.cmd.Wait()
}

func (h *hung) journal(t *testing.T) *event.State {
	t.Helper()
	f, err := os.Open(filepath.Join(h.dir, "state", "hanging", "1", "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := event.Fold(event.Read(f))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *hung) labrun(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("labrun", append(args, filepath.Join(h.dir, "lab.yaml"), "--state-dir", filepath.Join(h.dir, "state"))...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func TestInterrupted(t *testing.T) {
	for _, tc := range []struct {
		signal syscall.Signal
		code   int
		reason string
	}{{syscall.SIGINT, 130, "interrupted"}, {syscall.SIGTERM, 143, "told to stop (terminated)"}} {
		h := hangs(t, false)
		if err := h.cmd.Process.Signal(tc.signal); err != nil {
			t.Fatal(err)
		}
		h.wait()
		if code := h.cmd.ProcessState.ExitCode(); code != tc.code {
			t.Errorf("%v: exit code %d, want %d\n%s", tc.signal, code, tc.code, h.stderr)
		}
		s := h.journal(t)
		if !s.Finished || s.Torn || s.Summary.Exit != tc.code || s.Summary.Counts[event.Cancelled] != 3 || s.Summary.Counts[event.OK] != 1 {
			t.Errorf("%v: the journal ends with %+v, torn %v", tc.signal, s.Summary, s.Torn)
		}
		for _, st := range s.Steps[1:] {
			if st.Status() != event.Cancelled || st.Instances[0].Result.Reason != tc.reason {
				t.Errorf("%v: %s ended as %q: %+v", tc.signal, st.ID, st.Status(), st.Instances[0].Result)
			}
		}
		if !strings.Contains(h.stderr.String(), tc.reason+": the steps that run are stopped") {
			t.Errorf("%v: stderr:\n%s", tc.signal, h.stderr)
		}
	}
}

// Ctrl-C in labrun lab.yaml 2>&1 | tee log ends tee first: labrun comes to its end
// nevertheless, with the exit code of the interruption.
func TestInterruptedWithItsReader(t *testing.T) {
	h := hangs(t, false)
	if err := h.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
	if code := h.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("labrun ended with %v, want exit code 130", h.cmd.ProcessState)
	}
	if s := h.journal(t); !s.Finished || s.Summary.Exit != 130 {
		t.Errorf("the journal ends with %+v", s.Summary)
	}
}

// While a run goes on, another one is refused and status tells what it does; once
// it was killed, the lab is free and status says that it was cut off.
func TestHeldThenKilled(t *testing.T) {
	h := hangs(t, false)
	code, _, errs := h.labrun(t, "run")
	if code != 4 || !strings.Contains(errs, "process "+strconv.Itoa(h.cmd.Process.Pid)+" on ") {
		t.Errorf("a second run: exit code %d\n%s", code, errs)
	}
	lab := filepath.Join(h.dir, "lab.yaml") + " --state-dir " + filepath.Join(h.dir, "state")
	if want := "wait for it: labrun wait " + lab + "; or watch it: labrun status " + lab + " --follow\n"; !strings.HasSuffix(errs, want) {
		t.Errorf("a second run says\n%swant at its end\n%s", errs, want)
	}
	code, out, errs := h.labrun(t, "status")
	if code != 0 || !strings.Contains(out, "agent worker0 is not bound: state is known") || !strings.Contains(out, "process "+strconv.Itoa(h.cmd.Process.Pid)) {
		t.Errorf("status: exit code %d\n%s%s", code, out, errs)
	}
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.wait()
	code, out, _ = h.labrun(t, "status")
	if code != 0 || !strings.Contains(out, "the run was cut off") || !strings.Contains(out, "cut off  agent worker0 is not bound") {
		t.Errorf("status after SIGKILL: exit code %d\n%s", code, out)
	}
}

// The second signal ends labrun at once, whatever its steps do.
func TestInterruptedTwice(t *testing.T) {
	h := hangs(t, true)
	h.interruptTwice(t)
	status, ok := h.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("labrun ended with %v", h.cmd.ProcessState)
	}
}

// As the first process of a container it tells by its exit code what ended it.
func TestInterruptedTwiceInAContainer(t *testing.T) {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWPID}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
	}
	h := hangsAs(t, true, attributes)
	h.interruptTwice(t)
	if code := h.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("labrun ended with %v, want exit code 130", h.cmd.ProcessState)
	}
}

func (h *hung) interruptTwice(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := h.told.ReadString('\n')
		if err != nil {
			t.Fatalf("labrun ended at the first signal: %v\n%s", err, h.stderr)
		}
		if strings.Contains(line, "once more ends labrun at once") {
			break
		}
	}
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	h.wait()
}
