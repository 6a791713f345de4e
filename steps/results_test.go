package steps

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// wantLeftAlone has the results removed while the hosted cluster stands: a file that
// is not its own stays, and the password goes.
func wantLeftAlone(t *testing.T, env *Env, kept string) {
	t.Helper()
	password := filepath.Join(filepath.Dir(kept), "kubeadmin-password")
	wantRemoved(t, env, password)
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("a file that is not of this cluster: %v", err)
	}
	if err := os.WriteFile(password, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantGone deletes the HostedCluster: the file of the cluster that was is not given any
// more, and both go with the results, whatever they hold.
func wantGone(t *testing.T, env *Env, clusters dynamic.ResourceInterface, name, written string) {
	t.Helper()
	if err := clusters.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantNoKubeconfig(t, env, "the hosted cluster is gone: "+written+" is of one that was", "there is no HostedCluster", "labrun run LAB")
	password := filepath.Join(filepath.Dir(written), "kubeadmin-password")
	wantRemoved(t, env) // its password is still published
	unpublish(t, env)
	wantRemoved(t, env) // nothing says that the hub ever had the lab
	t.Cleanup(enter(t, hub.Get(t), env.facts, nil))
	wantRemoved(t, env, written, password)
	wantRemoved(t, env)
	wantNoKubeconfig(t, env, "the hosted cluster is not there, nor its kubeconfig: there is no HostedCluster")
}

func unpublish(t *testing.T, env *Env) {
	t.Helper()
	ref := passwordSecret(env.facts)
	if err := kubernetes.NewForConfigOrDie(hub.Get(t).Config()).CoreV1().Secrets(ref.Namespace).Delete(t.Context(), ref.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// enter makes the lab's inventory, and gives what deletes it again.
func enter(t *testing.T, cp *controlplane.ControlPlane, f *labs.Facts, data map[string]string) (leave func()) {
	t.Helper()
	client := kubernetes.NewForConfigOrDie(cp.Config()).CoreV1()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: kube.InventoryNamespace}}
	if _, err := client.Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	inventory := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: kube.InventoryName(f.Name)}, Data: data}
	if _, err := client.ConfigMaps(kube.InventoryNamespace).Create(t.Context(), inventory, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := client.ConfigMaps(kube.InventoryNamespace).Delete(context.WithoutCancel(t.Context()), inventory.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func wantRemoved(t *testing.T, env *Env, want ...string) {
	t.Helper()
	out, err := Results{}.Run(t.Context(), env)
	if err != nil || !slices.Equal(out.Removed, want) {
		t.Errorf("removed: %v, %v; want %v", out.Removed, err, want)
	}
	for _, path := range want {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// emptyHub is a management cluster that knows no kind of HyperShift's yet.
func emptyHub(t *testing.T, f *labs.Facts) (*Env, *controlplane.ControlPlane) {
	t.Helper()
	cp := cptest.ForTest(t, controlplane.Options{})
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "hub")
	if err := os.WriteFile(kubeconfig, cp.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	env, _ := anEnv(t, f, LabOptions{Kubeconfig: kubeconfig, StateDir: dir})
	return env, cp
}

// A hub without HyperShift has no hosted cluster either. What lies where the lab file
// says is its user's.
func TestHostedKubeconfigWithoutHyperShift(t *testing.T) {
	f := factsOf(t, ipv6)
	env, cp := emptyHub(t, f)
	wantNoKubeconfig(t, env, "the hosted cluster is not there, nor its kubeconfig: there is no HostedCluster clusters/hosted-ipv6", "labrun run LAB builds it")
	named := filepath.Join(t.TempDir(), "mine")
	f.Results.Kubeconfig = labs.Path(named)
	own := filepath.Join(env.opts.StateDir, "kubeconfig")
	for _, path := range []string{named, own} {
		if err := os.WriteFile(path, []byte("of a cluster that was"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantNoKubeconfig(t, env, "the hosted cluster is gone: "+named+" is of one that was")
	wantRemoved(t, env) // it may be another hub than the lab's
	enter(t, cp, f, nil)
	wantRemoved(t, env, own)
	if _, err := os.Stat(named); err != nil {
		t.Errorf("the file that the lab file names: %v", err)
	}
}

// Only where the hub cannot be asked is what a run has written taken at its word, and
// said to be.
func TestHostedKubeconfigOfSilentHub(t *testing.T) {
	dir := t.TempDir()
	env, _ := anEnv(t, factsOf(t, ipv6), LabOptions{Kubeconfig: filepath.Join(dir, "none"), StateDir: dir})
	wantNoKubeconfig(t, env, "none: no such file", "--kubeconfig FILE")
	written := filepath.Join(dir, "kubeconfig")
	text := string(hub.Get(t).Kubeconfig())
	if err := os.WriteFile(written, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := env.HostedKubeconfig(t.Context())
	want := FoundKubeconfig{Text: text, From: "the file " + written, Unasked: "reading the kubeconfig " + filepath.Join(dir, "none") + ": no such file"}
	if err != nil || found != want {
		t.Errorf("from %q, unasked %q, %v", found.From, found.Unasked, err)
	}
	wantRemoved(t, env) // it may be the cluster's
	if err := os.WriteFile(written, []byte("kind: Config"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantNoKubeconfig(t, env, "the file "+written+" holds no kubeconfig", "it names no cluster", "none: no such file")
}
