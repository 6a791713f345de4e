package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/playtest"
)

// wantNights lets the script of docs/ci rebuild a finished lab twice: a night that the
// CI ends by SIGTERM while it builds, and the next one, which cleans up after it.
func (l *lab) wantNights(t *testing.T) {
	t.Helper()
	client := playtest.Client(t, l.Hub().Config())
	cluster := obj.New("hypershift.openshift.io/v1beta1", "HostedCluster", l.facts.Hosted.Namespace, l.facts.Hosted.Name)
	old := playtest.Until(t, client, cluster, func(*unstructured.Unstructured) string { return "" }).GetUID()

	n := l.night(t)
	playtest.Until(t, client, cluster, func(u *unstructured.Unstructured) string {
		if u.GetDeletionTimestamp() == nil {
			return "nobody destroys it"
		}
		return ""
	})
	playtest.Until(t, client, cluster, func(u *unstructured.Unstructured) string {
		if u.GetUID() == old {
			return "yesterday's is there"
		}
		return ""
	})
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	n.want(t, 143, "stopped")
	l.wantNoSecrets(t, outcome{err: n.told.String()})

	n = l.night(t)
	n.want(t, 0, "green")
	l.wantNoSecrets(t, outcome{err: n.told.String()})
	l.wantFiles(t)
	for _, report := range []string{"summary.md", "validate.txt", "preflight.xml", "events.jsonl", "status.txt"} {
		if info, err := os.Stat(filepath.Join(n.reports, report)); err != nil || info.Size() == 0 && report != "validate.txt" {
			t.Errorf("no %s is left of the night: %v", report, err)
		}
	}
}

// night is one run of the script.
type night struct {
	cmd     *exec.Cmd
	reports string
	told    bytes.Buffer
}

// night begins one, with this test's labrun.
func (l *lab) night(t *testing.T) *night {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	labrun, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	n := &night{reports: filepath.Join(l.state, "night")} // where the secrets are looked for
	n.cmd = exec.CommandContext(ctx, filepath.Join(root, "docs/ci/nightly.sh"), l.file, "--kubeconfig", l.kubeconfig, "--values", l.values)
	n.cmd.Env = append(os.Environ(), asLabrun+"=1", "GORACE=atexit_sleep_ms=0", "LABRUN="+labrun, "NIGHTLY_STATE="+l.state, "NIGHTLY_REPORTS="+n.reports)
	n.cmd.Stdout, n.cmd.Stderr = &n.told, &n.told
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return n
}

// want waits for its end.
func (n *night) want(t *testing.T, exit int, verdict string) {
	t.Helper()
	_ = n.cmd.Wait() // the exit code tells
	text, err := os.ReadFile(filepath.Join(n.reports, "verdict"))
	if err != nil || n.cmd.ProcessState.ExitCode() != exit || strings.TrimSpace(string(text)) != verdict {
		t.Fatalf("a night ended with exit code %d, verdict %q (%v), want %d and %q\n%s", n.cmd.ProcessState.ExitCode(), text, err, exit, verdict, &n.told)
	}
}
