package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// TestConnectedLab builds the connected lab, asks its BMCs, builds it again, also
// without what is known of the first run, and takes it apart; and builds it once more
// where runs are killed on the way. The disconnected one is built by TestTwoLabsOneHub.
func TestConnectedLab(t *testing.T) {
	t.Parallel()
	l := start(t, connected, sim.Options{})
	before := l.hub(t)
	first := l.run(t).must(t, 0)
	t.Log("first run: ", first.told())
	if len(first.status(event.Changed)) == 0 {
		t.Error("the first run changed nothing")
	}
	wantNoMirror(t, first)
	l.wantFiles(t)
	l.wantOwn(t)
	objects, changes := l.snapshot(t), l.changes(t)
	l.wantFinishedPlan(t)
	l.wantNothingToDo(t)
	l.wantChangedPlan(t)
	l.wantNothingToDoWithoutState(t)
	l.wantNights(t)
	l.wantDestroyed(t, before)
	killedEverywhere(t, oneSide, objects, changes)
}

// wantNothingToDoWithoutState runs a finished lab again after its state folder was
// deleted: what the lab shows is observed, nothing is done again. Just the results
// that were written there are kept elsewhere.
func (l *lab) wantNothingToDoWithoutState(t *testing.T) {
	t.Helper()
	kept, folder := t.TempDir(), filepath.Join(l.state, l.facts.Name)
	for _, name := range []string{"kubeconfig", "kubeadmin-password"} {
		if err := os.Rename(filepath.Join(folder, name), filepath.Join(kept, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	before := l.mark(t)
	o := l.run(t, "--set", "lab.results.kubeconfig="+kept+"/kubeconfig", "--set", "lab.results.password="+kept+"/kubeadmin-password").must(t, 0)
	t.Logf("without its state folder: run %d: %s", o.Run.Number, o.told())
	if other := o.status(event.Changed, event.Failed, event.Blocked, event.Cancelled); len(other) > 0 || o.Run.Number != 1 {
		t.Errorf("run %d: neither ok nor skipped: %v", o.Run.Number, other)
	}
	l.wantUntouched(t, before)
	for _, name := range []string{"kubeconfig", "kubeadmin-password"} {
		if err := os.Rename(filepath.Join(kept, name), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantNothingToDo runs a finished lab again: every step is ok or skipped, and the
// servers' own logs tell of no change.
func (l *lab) wantNothingToDo(t *testing.T, args ...string) {
	t.Helper()
	before := l.mark(t)
	again := l.run(t, args...).must(t, 0)
	t.Logf("%s again: %s", l.facts.Name, again.told())
	if other := again.status(event.Changed, event.Failed, event.Blocked, event.Cancelled); len(other) > 0 {
		t.Errorf("%s: neither ok nor skipped: %v", l.facts.Name, other)
	}
	hosts := l.hosts(t)
	if n, least := again.Summary.Counts[event.OK], 24+3*len(hosts); n < least {
		t.Errorf("%s: %d steps ok, want at least %d", l.facts.Name, n, least)
	}
	l.wantUntouched(t, before)
	again.wantNoWarnings(t, hosts)
}

// wantNoMirror holds a connected lab's run against the steps that only a
// disconnected one has.
func wantNoMirror(t *testing.T, o outcome) {
	t.Helper()
	skipped := o.status(event.Skipped)
	for _, step := range []string{"registry_ca", "image_config", "user_ca_bundle", "registries", "trust_bundle"} {
		if !slices.Contains(skipped, step) {
			t.Errorf("%s was not skipped", step)
		}
	}
	for _, i := range o.instances() {
		if i.Result.Status == event.Skipped && i.Start != nil {
			t.Errorf("%s was skipped and has run", i.Name())
		}
	}
}

// wantFiles looks at what a finished run left on this machine: for its owner
// alone, and of use.
func (l *lab) wantFiles(t *testing.T) {
	t.Helper()
	folder := filepath.Join(l.state, l.facts.Name)
	kubeconfig, password := filepath.Join(folder, "kubeconfig"), filepath.Join(folder, "kubeadmin-password")
	seen := 0
	err := filepath.WalkDir(l.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == l.state {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if path == kubeconfig || path == password {
			seen++
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		return nil
	})
	if err != nil || seen != 2 {
		t.Fatalf("%d of kubeconfig and kubeadmin-password are in %s: %v", seen, folder, err)
	}
	if text, err := os.ReadFile(password); err != nil || len(strings.TrimSpace(string(text))) < 10 {
		t.Errorf("the password has %d characters: %v", len(text), err)
	}
	var workers []string
	for _, w := range l.facts.Workers {
		workers = append(workers, w.Name)
	}
	l.wantNodes(t, workers...)
}

// wantNodes holds the hosted cluster's nodes against the workers, by the kubeconfig
// that the run wrote.
func (l *lab) wantNodes(t *testing.T, workers ...string) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(l.state, l.facts.Name, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, n := range list.Items {
		nodes = append(nodes, n.Name)
	}
	slices.Sort(nodes)
	slices.Sort(workers)
	if !slices.Equal(nodes, workers) {
		t.Errorf("the kubeconfig lists the nodes %v, want %v", nodes, workers)
	}
}

// sixLabs are the names of the lab files.
func sixLabs() []string {
	var names []string
	for _, stack := range []string{"ipv4", "ipv6", "dual"} {
		names = append(names, stack+"-connected", stack+"-disconnected")
	}
	return names
}

// TestPlans holds the plans of the lab files against golden files.
func TestPlans(t *testing.T) {
	for _, name := range sixLabs() {
		file := "labs/" + name + ".yaml"
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			cmd := process(t.Context(), "plan", file)
			cmd.Stderr = &stderr
			got, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			golden := filepath.Join("testdata", "plan", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("the plan is another one (go test ./internal/e2e -run TestPlans -update writes it):\n%s", got)
			}
			if file == connected {
				wantReasons(t, string(got))
			}
		})
	}
}

// wantReasons holds the plan of the connected lab against the place of the fact
// that skips the disconnected steps.
func wantReasons(t *testing.T, plan string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, connected))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	line := slices.Index(lines, "  disconnected: false") + 1
	why := fmt.Sprintf("lab.disconnected is false (%s:%d:17)", connected, line)
	if n := strings.Count(plan, why); n != 5 {
		t.Errorf("%q is the reason of %d steps, want 5", why, n)
	}
}
