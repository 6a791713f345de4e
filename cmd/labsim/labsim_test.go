package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
)

const (
	ipv6 = "../../labs/ipv6-disconnected.yaml"
	ipv4 = "../../labs/ipv4-connected.yaml"
)

// asLabsim makes the test binary labsim itself, so that it can be started, detached and killed.
const asLabsim = "LABSIM_TEST_AS_LABSIM"

func TestMain(m *testing.M) {
	if os.Getenv(asLabsim) != "" {
		main()
	}
	os.Exit(m.Run())
}

// bench is where a test's labs stand.
type bench struct {
	*testing.T
	dir string
}

func newBench(t *testing.T) bench {
	t.Helper()
	cptest.Need(t, "etcd", "kube-apiserver", "kube-controller-manager", "crds", "venv/bin/sushy-emulator")
	b := bench{t, t.TempDir()}
	t.Cleanup(func() {
		for _, p := range b.processes() {
			t.Errorf("left behind: process %s", p)
		}
	})
	return b
}

// command is labsim, to be started. It dies with the test.
func (b bench) command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asLabsim+"=1", "XDG_STATE_HOME="+b.dir)
	return c
}

// labsim runs it to its end.
func (b bench) labsim(args ...string) (said string, code int) {
	b.Helper()
	var out bytes.Buffer
	c := b.command(args...)
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

func (b bench) up(lab, state string, more ...string) []string {
	return append([]string{"up", lab, "--kubeconfig", filepath.Join(b.dir, state+".k"), "--values", filepath.Join(b.dir, state+".v"),
		"--state-dir", filepath.Join(b.dir, state)}, more...)
}

// processes are those that have to do with the bench's folder.
func (b bench) processes() []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range dirs {
		command, _ := os.ReadFile(p + "/cmdline")
		environ, _ := os.ReadFile(p + "/environ")
		if filepath.Base(p) != "self" && p != "/proc/"+strconv.Itoa(os.Getpid()) && (bytes.Contains(command, []byte(b.dir)) || bytes.Contains(environ, []byte("HOME="+b.dir))) {
			if startOf(number(filepath.Base(p))) != "" {
				found = append(found, filepath.Base(p)+" "+strings.ReplaceAll(string(command), "\x00", " "))
			}
		}
	}
	return found
}

// gone fails unless nothing of a lab is left.
func (b bench) gone(state string, addresses ...string) {
	b.Helper()
	for _, name := range []string{state, state + ".k", state + ".v"} {
		if _, err := os.Stat(filepath.Join(b.dir, name)); !errors.Is(err, os.ErrNotExist) {
			b.Errorf("%s is left behind: %v", name, err)
		}
	}
	if still := answering(addresses); len(still) > 0 {
		b.Errorf("somebody still answers at %v", still)
	}
}

func answering(addresses []string) []string {
	var still []string
	for _, a := range addresses {
		if c, err := net.DialTimeout("tcp", a, time.Second); err == nil {
			c.Close()
			still = append(still, a)
		}
	}
	return still
}

// addresses are where a lab answers.
func (b bench) addresses(state string) []string {
	b.Helper()
	r, err := read(filepath.Join(b.dir, state))
	if err != nil {
		b.Fatal(err)
	}
	api, err := url.Parse(r.API)
	if err != nil || api.Host == "" {
		b.Fatalf("the record names no API server: %q, %v", r.API, err)
	}
	values := []string{filepath.Join(b.dir, state+".v")}
	lab, err := load(ipv6, values, nil, io.Discard)
	if err != nil {
		lab, err = load(ipv4, values, nil, io.Discard)
	}
	if err != nil {
		b.Fatal(err)
	}
	return []string{api.Host, lab.facts.DNS.Server}
}

func TestDetached(t *testing.T) {
	b := newBench(t)
	said, code := b.labsim(b.up(ipv6, "one", "--detach")...)
	if code != 0 || !strings.Contains(said, "labrun "+ipv6+" --kubeconfig") ||
		!strings.Contains(said, "it runs until labsim down --state-dir "+filepath.Join(b.dir, "one")+"\n") {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	addresses := b.addresses("one")
	for _, name := range []string{"one.k", "one.v", "one/labsim.json", "one/pull-secret.json"} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info.Mode(), err)
		}
	}
	if said, code := b.labsim("status", "--state-dir", filepath.Join(b.dir, "one")); code != 0 || !strings.Contains(said, "ipv6-disconnected  ready") {
		t.Errorf("status, exit %d: %s", code, said)
	}
	if said, code := b.labsim(b.up(ipv6, "one")...); code != exitRunning || !strings.Contains(said, "runs already as process") {
		t.Errorf("a second one in the same folder, exit %d: %s", code, said)
	}
	var mistakes bytes.Buffer
	lab, err := load(ipv6, []string{filepath.Join(b.dir, "one.v")}, nil, &mistakes)
	if err != nil {
		t.Fatalf("the values do not fit the lab file: %v\n%s", err, mistakes.String())
	}
	if got := lab.facts.Workers[1].BMC.Address; !strings.HasPrefix(got, "redfish-virtualmedia+https://[::1]:") {
		t.Errorf("the second worker's BMC is %s", got)
	}
	if said, code := b.labsim("down", "--state-dir", filepath.Join(b.dir, "one")); code != 0 {
		t.Errorf("down, exit %d: %s", code, said)
	}
	b.gone("one", addresses...)
}

// foreground starts a lab and waits until it says that it is ready.
func (b bench) foreground(args ...string) *exec.Cmd {
	b.Helper()
	c := b.command(args...)
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var failed bytes.Buffer
	c.Stderr = &failed
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Process.Kill() })
	var said []byte
	for part := make([]byte, 4096); !bytes.Contains(said, []byte("Ctrl-C")); {
		n, err := out.Read(part)
		said = append(said, part[:n]...)
		if err != nil {
			b.Fatalf("the lab did not get ready: %v\n%s\n%s", err, said, failed.String())
		}
	}
	return c
}

func TestTwoAtOnceAndCtrlC(t *testing.T) {
	b := newBench(t)
	var both sync.WaitGroup
	var one, two *exec.Cmd
	both.Go(func() { one = b.foreground(b.up(ipv4, "one")...) })
	both.Go(func() { two = b.foreground(b.up(ipv4, "two")...) })
	both.Wait()
	if one == nil || two == nil {
		t.FailNow()
	}
	first, second := b.addresses("one"), b.addresses("two")
	for i := range first {
		if first[i] == second[i] {
			t.Errorf("both labs have %s", first[i])
		}
	}
	for state, c := range map[string]*exec.Cmd{"one": one, "two": two} {
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("after Ctrl-C: %v", err)
		}
		b.gone(state)
	}
}

func TestKilled(t *testing.T) {
	b := newBench(t)
	c := b.foreground(b.up(ipv4, "one")...)
	addresses := b.addresses("one")
	if len(b.processes()) < 5 {
		t.Errorf("only these run: %q", b.processes())
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	for limit := time.Now().Add(10 * time.Second); len(b.processes())+len(answering(addresses)) > 0 && time.Now().Before(limit); {
		time.Sleep(20 * time.Millisecond) // processes of nobody's cannot be waited for; a dying one loses its ports last
	}
	if said, code := b.labsim("status", "--state-dir", filepath.Join(b.dir, "one")); code != 0 || !strings.Contains(said, "killed") {
		t.Errorf("status, exit %d: %s", code, said)
	}
	if said, code := b.labsim("down", "--state-dir", filepath.Join(b.dir, "one")); code != 0 {
		t.Errorf("down, exit %d: %s", code, said)
	}
	b.gone("one", addresses...)
}

func TestFailedStart(t *testing.T) {
	b := newBench(t)
	args := b.up(ipv4, "one", "--detach")
	args[3] = filepath.Join(b.dir, "no", "such", "folder")
	said, code := b.labsim(args...)
	if code != exitFailed || strings.Count(said, "no such file or directory") != 1 {
		t.Errorf("exit %d: %s", code, said)
	}
	b.gone("one")

	c := b.command(b.up(ipv4, "two")...)
	var failed bytes.Buffer
	c.Stderr = &failed
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(20 * time.Second); len(b.processes()) < 3 && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond) // until it has started something
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 143 {
		t.Errorf("a start that is interrupted exits %d, want 143: %s", code, failed.String())
	}
	b.gone("two")
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	b := bench{t, dir}
	if err := os.MkdirAll(filepath.Join(dir, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine", "thesis.tex"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"up"}, exitUsage, "expected one lab file"},
		{[]string{"up", ipv4}, exitUsage, "--kubeconfig and --values"},
		{b.up("nowhere.yaml", "x"), exitUsage, "nowhere.yaml"},
		{b.up(ipv4, "x", "--set", "lab.stak=ipv4"), exitUsage, "stak"},
		{b.up(ipv4, "x", "--delay", "machine.boot"), exitUsage, "NAME=DURATION"},
		{b.up(ipv4, "x", "--nonsense"), exitUsage, "nonsense"},
		{b.up(ipv4, "mine"), exitUsage, "holds something else"},
		{b.up(ipv4, "x", "--fail", "everything"), exitFailed, "agent-validation"},
		{[]string{"down"}, exitUsage, "name the lab"},
		{[]string{"down", ipv4}, exitFailed, "no simulated lab has its state in"},
		{[]string{"status"}, exitDone, "no simulated lab runs"},
		{[]string{"failures"}, exitDone, "bmh-registration"},
		{[]string{"delays"}, exitDone, "machine.boot"},
		{[]string{"players"}, exitDone, "metal3"},
	} {
		if said, code := b.labsim(c.args...); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("labsim %s: exit %d, want %d with %q:\n%s", strings.Join(c.args, " "), code, c.code, c.says, said)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "mine", "thesis.tex")); err != nil {
		t.Error(err)
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
