package doctest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	root = "../.."

	// commandLimit is how long one command may take: a whole run on a busy machine.
	commandLimit = 5 * time.Minute
)

// bench is where the commands of a document are run: a folder that looks like the
// checkout, whose bin has labrun and labsim as they are now, with a home of its own.
type bench struct {
	*testing.T
	dir string // the checkout, by links
	env []string
}

// built is where labrun and labsim are, made once for all tests.
var built = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "build", "-o", programs+"/", "./cmd/labrun", "./cmd/labsim")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return programs, nil
})

var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "labrun-doctest-")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func newBench(t *testing.T) *bench {
	t.Helper()
	programs, err := built()
	if err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	b := &bench{T: t, dir: filepath.Join(top, "labrun")}
	home := filepath.Join(top, "home")
	for _, dir := range []string{home, filepath.Join(b.dir, "bin")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.secrets(home)
	b.links(root, b.dir)
	b.links(filepath.Join(root, "bin"), filepath.Join(b.dir, "bin"))
	b.links(programs, filepath.Join(b.dir, "bin"))
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "XDG_") && name != "KUBECONFIG" && name != "HOME" && name != "PATH" {
			b.env = append(b.env, v)
		}
	}
	b.env = append(b.env, "HOME="+home, "PATH="+filepath.Join(b.dir, "bin")+":"+os.Getenv("PATH"), "NO_COLOR=1", "BMC_PASSWORD=tin-whistle-7")
	return b
}

// secrets puts what the lab files refer to where a user has it.
func (b *bench) secrets(home string) {
	b.Helper()
	path := filepath.Join(home, ".config", "labrun", "pull-secret.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"auths": {"registry.hypershiftbm.lab:5000": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}, "quay.io": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}}}`), 0o600); err != nil {
		b.Fatal(err)
	}
}

// links makes to look like from. bin is a folder of its own, in which what was
// built now stands in front of what make built.
func (b *bench) links(from, to string) {
	b.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		b.Fatalf("%v (make bin fills bin)", err)
	}
	for _, e := range entries {
		if e.Name() == "bin" || e.Name() == ".git" {
			continue
		}
		target, err := filepath.Abs(filepath.Join(from, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		name := filepath.Join(to, e.Name())
		_ = os.Remove(name) // an earlier link
		if err := os.Symlink(target, name); err != nil {
			b.Fatal(err)
		}
	}
}

// run runs a command as a shell does, and gives what a terminal would show.
func (b *bench) run(text string) (string, int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", text)
	cmd.Dir, cmd.Env = b.dir, b.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		b.Fatalf("%s: %v", text, err)
	}
	if ctx.Err() != nil {
		b.Errorf("%s: not finished after %s", text, commandLimit)
	}
	return b.visible(string(out)), cmd.ProcessState.ExitCode()
}

// visible puts what a user has in the place of the folders of the test.
func (b *bench) visible(out string) string {
	top := filepath.Dir(b.dir)
	return strings.NewReplacer(filepath.Join(top, "home")+"/", "~/", b.dir+"/", "").Replace(out)
}

// guard takes down the labs of this bench once the test ends, in whatever way: it
// waits in a process of its own for the end of a pipe that only the test holds.
func (b *bench) guard() {
	b.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	const script = `cat >/dev/null; cd "$HOME/.local/state/labsim" 2>/dev/null || exit 0
for lab in *; do test ! -d "$lab" || labsim down "$lab" || exit 1; done`
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir, cmd.Env, cmd.Stdin = b.dir, b.env, in
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	in.Close()
	b.Cleanup(func() {
		out.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("taking the simulated labs down: %v\n%s", err, said.String())
		}
	})
}
