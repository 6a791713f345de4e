package proc_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// parentDir, where set, makes the test binary the parent that TestKilledParent kills.
const parentDir = "PROC_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		parent(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// shell starts a shell script whose first line of output is awaited.
func shell(t *testing.T, ctx context.Context, script string) *proc.Process {
	t.Helper()
	p, err := proc.Start(ctx, command(t.TempDir(), script))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(context.Background()) })
	ready, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Await(ready, func(context.Context) error {
		if said, err := os.ReadFile(p.Log()); err != nil || len(said) == 0 {
			return errors.Join(err, errors.New("it said nothing yet"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func command(dir, script string) proc.Command {
	return proc.Command{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Grace: 200 * time.Millisecond,
		Log: filepath.Join(dir, "script.log"), Env: []string{"PATH=" + os.Getenv("PATH")},
	}
}

// gone waits for the end of any process, at most ten seconds.
func gone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000); err != nil || n != 1 {
		t.Fatalf("process %d still runs (%v)", pid, err)
	}
}

func within(t *testing.T, p *proc.Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it still runs")
	}
}

func TestStop(t *testing.T) {
	for name, script := range map[string]string{
		"at once":            `echo here; exec sleep 100`,
		"with cleaning":      `trap 'echo cleaned; exit 3' TERM; echo here; sleep 100 & wait`,
		"SIGTERM is ignored": `trap '' TERM; echo here; while :; do sleep 100; done`,
	} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, t.Context(), script)
			if err := p.Stop(t.Context()); err != nil {
				t.Errorf("a program that was told to end is no error: %v", err)
			}
			gone(t, p.PID())
			if said, _ := os.ReadFile(p.Log()); name == "with cleaning" && !strings.Contains(string(said), "cleaned") {
				t.Errorf("it had no time to clean: %q", said)
			}
			if err := p.Stop(t.Context()); err != nil {
				t.Errorf("a second stop: %v", err)
			}
		})
	}
}

func TestStopTakesTheWholeGroup(t *testing.T) {
	p := shell(t, t.Context(), `sh -c 'trap "" TERM; echo $$; exec sleep 100' & wait`)
	child := firstNumber(t, p.Log())
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, child)
}

func TestContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := shell(t, ctx, `echo here; exec sleep 100`)
	cancel()
	within(t, p)
	if p.Err() != nil {
		t.Errorf("ending with the context is no error: %v", p.Err())
	}
}

func TestEarlyEndIsReported(t *testing.T) {
	p, err := proc.Start(t.Context(), command(t.TempDir(), `for i in $(seq 30); do echo line $i; done; exit 7`))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Await(t.Context(), func(context.Context) error { return errors.New("not ready") })
	if err == nil {
		t.Fatal("a program that ended was taken as ready")
	}
	for _, want := range []string{"script ended by itself", "exit status 7", "line 30", p.Log()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 3\n") {
		t.Errorf("error holds more than the last lines: %v", err)
	}
}

func TestAwaitSaysWhatItLastSaw(t *testing.T) {
	p := shell(t, t.Context(), `echo here; exec sleep 100`)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	err := p.Await(ctx, func(context.Context) error { return errors.New("HTTP 503") })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "HTTP 503") || !strings.Contains(err.Error(), "here") {
		t.Errorf("got %v", err)
	}
}

func TestStartFails(t *testing.T) {
	c := command(t.TempDir(), "")
	c.Path = filepath.Join(t.TempDir(), "none")
	if _, err := proc.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "starting script") {
		t.Errorf("got %v", err)
	}
}

// The thread that calls Start may end: the program must not end with it.
func TestOutlivesTheCallersThread(t *testing.T) {
	started := make(chan *proc.Process)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		p, err := proc.Start(t.Context(), command(t.TempDir(), `sleep 0.3; echo survived`))
		if err != nil {
			t.Error(err)
		}
		started <- p
	}()
	p := <-started
	if p == nil {
		return
	}
	within(t, p)
	if said, _ := os.ReadFile(p.Log()); !strings.Contains(string(said), "survived") {
		t.Errorf("it ended with the thread: %v", p.Err())
	}
}

// A parent that is killed takes its programs with it.
func TestKilledParent(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentDir+"="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, child)
}

func parent(dir string) {
	p, err := proc.Start(context.Background(), command(dir, `exec sleep 100`))
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(strconv.Itoa(p.PID()) + "\n")
	<-p.Done()
}

func firstNumber(t *testing.T, file string) int {
	t.Helper()
	said, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(said), "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFreePort(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		port, err := proc.FreePort(ip)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			t.Fatalf("port %d is not free: %v", port, err)
		}
		l.Close()
	}
	if _, err := proc.FreePort("192.0.2.1"); err == nil {
		t.Error("an address that is none of this machine's has no free port")
	}
}
