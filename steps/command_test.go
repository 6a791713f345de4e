package steps

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labrun/labrun/labs"
)

func TestTail(t *testing.T) {
	var b tail
	for range 3 {
		if n, err := b.Write([]byte(strings.Repeat("x", outputLimit-1) + "y")); n != outputLimit || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if n := len(b.String()); n != outputLimit || !strings.HasSuffix(b.String(), "y") {
		t.Errorf("%d bytes are kept", n)
	}
}

// aFIFO is a pipe by name: a reader sees its end once all that had opened it for
// writing are gone.
func aFIFO(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitEnd cancels once a program has opened the pipe, and waits until none has it
// open any longer.
func awaitEnd(t *testing.T, path string, cancel func()) {
	t.Helper()
	alive, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close() //nolint:errcheck // nothing was written
	cancel()
	if err := alive.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("something that the program started still runs: %v", err)
	}
}

func TestExecLeavesNothingBehind(t *testing.T) {
	path := aFIFO(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	ended := make(chan error, 1)
	go func() {
		_, err := Exec{Shell: `(trap "" TERM; exec >/dev/null 2>&1 3>"$ALIVE"; sleep 60; sleep 60) & wait`, Env: map[string]string{"ALIVE": path}}.Run(ctx, env)
		ended <- err
	}()
	awaitEnd(t, path, cancel)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// Kill ends what runs and all that it has started, whatever it heeds.
func TestKill(t *testing.T) {
	path := aFIFO(t)
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	ended := make(chan error, 1)
	go func() {
		_, err := Exec{Shell: `trap "" TERM; (exec >/dev/null 2>&1 3>"$ALIVE"; sleep 60; sleep 60) & wait`, Env: map[string]string{"ALIVE": path}}.Run(t.Context(), env)
		ended <- err
	}()
	awaitEnd(t, path, env.Kill)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("ended with %v", err)
	}
}

// A program does not outlive a labrun that is killed: the next one may begin it anew.
func TestProgramEndsWithLabrun(t *testing.T) {
	if path := os.Getenv("LABRUN_TEST_ALIVE"); path != "" { // this is the labrun that is killed
		env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
		_, err := Exec{Shell: `exec sleep 60 >"$ALIVE" 2>&1`, Env: map[string]string{"ALIVE": path}}.Run(t.Context(), env)
		t.Fatalf("it lives: %v", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("another kernel than Linux lets programs outlive who started them")
	}
	path := aFIFO(t)
	labrun := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	labrun.Env = append(os.Environ(), "LABRUN_TEST_ALIVE="+path)
	if err := labrun.Start(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, path, func() { _ = labrun.Process.Kill() })
	if err := labrun.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("it ended with %v", err)
	}
}

func TestSecretCommandIsStopped(t *testing.T) {
	path := aFIFO(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	ended := make(chan error, 1)
	slow := labs.SecretRef{Command: []string{"sh", "-c", `exec 3>"$0"; sleep 60 & wait`, path}}
	go func() {
		_, err := env.Secret(ctx, slow)
		ended <- err
	}()
	awaitEnd(t, path, func() {
		// Others do not wait for it, and who wants the same one waits no longer than it may.
		if got, err := env.Secret(ctx, labs.SecretRef{Command: []string{"echo", "other"}}); err != nil || got.Reveal() != "other" {
			t.Errorf("another secret: %v", err)
		}
		gone, end := context.WithCancel(ctx)
		end()
		if _, err := env.Secret(gone, slow); !errors.Is(err, context.Canceled) {
			t.Errorf("the same secret: %v", err)
		}
		cancel()
	})
	if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "finding the secret in command sh") {
		t.Errorf("ended with %v", err)
	}
}
