package program

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/steps/kube"
)

// one is a lab that one run at a time may change, from several state folders: as
// if they were on several machines.
type one struct {
	t                *testing.T
	file, kubeconfig string
	client           *kubernetes.Clientset
}

const waiting = `
phases: [only]
steps:
  - {id: ready, phase: only, uses: k8s/wait, with: {api_version: v1, kind: ConfigMap, namespace: default, name: ready, condition: "true"}}
`

// building has a step that makes the management cluster, and one that changes it.
const building = `
phases: [only]
steps:
  - {id: hub, phase: only, uses: exec, with: {command: [cp, FROM, TO], creates: TO}}
  - {id: map, phase: only, uses: k8s/apply, with: {manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: default}}}}
`

// theLab is a lab with one step, which waits for a ConfigMap.
func theLab(t *testing.T) *one {
	t.Helper()
	t.Setenv("BMC_PASSWORD", "x")
	cp := cptest.ForTest(t, controlplane.Options{})
	dir := t.TempDir()
	o := &one{t: t, file: filepath.Join(dir, "lab.yaml"), kubeconfig: cp.KubeconfigPath(), client: kubernetes.NewForConfigOrDie(cp.Config())}
	text, err := os.ReadFile("../../labs/ipv4-connected.yaml")
	if err != nil {
		t.Fatal(err)
	}
	facts, _, ok := strings.Cut(string(text), "\ninclude:")
	secret := filepath.Join(dir, "pull-secret.json")
	facts = strings.Replace(facts, "~/.config/labrun/pull-secret.json", secret, 1)
	if !ok || !strings.Contains(facts, secret) {
		t.Fatal("the lab file has no include, or another pull secret")
	}
	for path, text := range map[string]string{o.file: facts + waiting, secret: `{"auths":{"quay.io":{"auth":"dTpw"}}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *one) command(state string, args ...string) *exec.Cmd {
	return exec.Command("labrun", append(args, o.file, "--kubeconfig", o.kubeconfig, "--state-dir", filepath.Join(filepath.Dir(o.file), state))...)
}

func (o *one) lease() *coordinationv1.Lease {
	o.t.Helper()
	lease, err := o.client.CoordinationV1().Leases(kube.InventoryNamespace).Get(o.t.Context(), kube.LeaseName("ipv4-connected"), meta.GetOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	return lease
}

// begins starts a run and returns when its step waits.
func (o *one) begins(state string) (*exec.Cmd, *bufio.Reader, *bytes.Buffer) {
	o.t.Helper()
	cmd := o.command(state, "run")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = cmd.Process.Kill() })
	told := &bytes.Buffer{}
	lines := bufio.NewReader(io.TeeReader(stderr, told))
	for !strings.Contains(told.String(), "… ready") {
		if _, err := lines.ReadString('\n'); err != nil {
			o.t.Fatalf("%v\n%s", err, told)
		}
	}
	return cmd, lines, told
}

// refused runs labrun, which must end with exit code 4, and gives what it said.
func (o *one) refused(state string) string {
	o.t.Helper()
	out, err := o.command(state, "run").CombinedOutput()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 4 {
		o.t.Fatalf("it ended with %v, want exit code 4\n%s", err, out)
	}
	return string(out)
}

// ends lets the step of a run be done.
func (o *one) ends(cmd *exec.Cmd, lines *bufio.Reader, told *bytes.Buffer) {
	o.t.Helper()
	_, _ = io.Copy(io.Discard, lines)
	if err := cmd.Wait(); err != nil {
		o.t.Errorf("%v\n%s", err, told)
	}
}

func TestOneRunALab(t *testing.T) {
	o := theLab(t)
	first, lines, _ := o.begins("a")
	name := "process " + strconv.Itoa(first.Process.Pid) + " on "
	for state, where := range map[string]string{"a": "", "b": "Lease labrun/lab-ipv4-connected on https://"} {
		began := time.Now()
		told := o.refused(state)
		t.Logf("after %s: %s", time.Since(began).Round(time.Millisecond), told)
		if !strings.Contains(told, name) || !strings.Contains(told, where) || !strings.Contains(told, "labrun status") {
			t.Errorf("it says\n%s\nwant %s and %s", told, name, where)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(o.file), "b", "ipv4-connected", "1")); err == nil {
		t.Error("a run that was refused has a folder")
	}

	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = first.Wait()
	if h, ok := holder.Parse(*o.lease().Spec.HolderIdentity); !ok || h.PID != first.Process.Pid {
		t.Fatalf("the killed run's Lease names %+v", h)
	}
	second, lines, told := o.begins("b")
	if h, _ := holder.Parse(*o.lease().Spec.HolderIdentity); h.PID != second.Process.Pid {
		t.Errorf("the Lease names %+v, want process %d", h, second.Process.Pid)
	}
	o.make()
	o.ends(second, lines, told)
	leases, err := o.client.CoordinationV1().Leases(kube.InventoryNamespace).List(t.Context(), meta.ListOptions{})
	if err != nil || len(leases.Items) > 0 {
		t.Errorf("after the run's end there are %d Leases: %v", len(leases.Items), err)
	}
	o.ofAnotherHost()
	o.taken()
	o.heldWithin()
}

// make makes what the step waits for.
func (o *one) make() {
	o.t.Helper()
	ready := &corev1.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "ready"}}
	if _, err := o.client.CoreV1().ConfigMaps("default").Create(o.t.Context(), ready, meta.CreateOptions{}); err != nil {
		o.t.Fatal(err)
	}
}

// ofAnotherHost holds a run against a Lease of another host: it is honoured until
// it expires, though there is no process of its number here.
func (o *one) ofAnotherHost() {
	o.t.Helper()
	h := holder.Self(time.Now())
	h.Host, h.Machine, h.Boot, h.PID = "night-2", "m2", "b2", 1<<22+1
	identity, seconds, now := h.Identity(), int32(60), meta.NowMicro()
	leases := o.client.CoordinationV1().Leases(kube.InventoryNamespace)
	lease, err := leases.Create(o.t.Context(), &coordinationv1.Lease{
		ObjectMeta: meta.ObjectMeta{Name: kube.LeaseName("ipv4-connected")},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &identity, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}, meta.CreateOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	if told := o.refused("b"); !strings.Contains(told, h.String()) || !strings.Contains(told, "if that run is dead, the lab is free at ") {
		o.t.Errorf("it says\n%s", told)
	}
	lease.Spec.RenewTime = &meta.MicroTime{Time: now.Add(-time.Minute)}
	if _, err := leases.Update(o.t.Context(), lease, meta.UpdateOptions{}); err != nil {
		o.t.Fatal(err)
	}
	if out, err := o.command("b", "run").CombinedOutput(); err != nil {
		o.t.Errorf("after it has expired: %v\n%s", err, out)
	}
}

// A run whose Lease another host takes learns of it when it next renews it, and
// ends.
func (o *one) taken() {
	o.t.Helper()
	if err := o.client.CoreV1().ConfigMaps("default").Delete(o.t.Context(), "ready", meta.DeleteOptions{}); err != nil {
		o.t.Fatal(err)
	}
	cmd, lines, told := o.begins("a")
	h := holder.Self(time.Now())
	h.Host = "night-2"
	identity, lease := h.Identity(), o.lease()
	lease.Spec.HolderIdentity = &identity
	if _, err := o.client.CoordinationV1().Leases(kube.InventoryNamespace).Update(o.t.Context(), lease, meta.UpdateOptions{}); err != nil {
		o.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 4 || !strings.Contains(told.String(), h.String()+" took it over by Lease labrun/lab-ipv4-connected") {
		o.t.Errorf("exit code %d\n%s", code, told)
	}
	if left := o.lease(); *left.Spec.HolderIdentity != identity {
		o.t.Errorf("the other's Lease is %+v now", left.Spec)
	}
}

// heldWithin holds a run whose management cluster did not answer at its beginning against
// the Lease of another host, which is met by the first step that changes something there.
func (o *one) heldWithin() {
	o.t.Helper()
	lease := o.lease()
	lease.Spec.RenewTime = &meta.MicroTime{Time: time.Now()}
	if _, err := o.client.CoordinationV1().Leases(kube.InventoryNamespace).Update(o.t.Context(), lease, meta.UpdateOptions{}); err != nil {
		o.t.Fatal(err)
	}
	lab, err := os.ReadFile(o.file)
	if err != nil {
		o.t.Fatal(err)
	}
	there := filepath.Join(o.t.TempDir(), "hub.kubeconfig")
	facts, _, _ := strings.Cut(string(lab), waiting)
	text := facts + strings.NewReplacer("FROM", o.kubeconfig, "TO", there).Replace(building)
	if err := os.WriteFile(o.file, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.kubeconfig = there
	told := o.refused("c")
	for _, part := range []string{"labrun: the lab is not held on the management cluster yet: reading the kubeconfig " + there + ": no such file; the first step",
		"✓ hub", "✗ map failed", "another run holds the lab ipv4-connected: process ", " on night-2, "} {
		if !strings.Contains(told, part) {
			o.t.Errorf("%q is not told\n%s", part, told)
		}
	}
}
