package proc_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/proc"
)

func TestFindAssets(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", "")
	a, err := proc.FindAssets("")
	if err != nil {
		t.Fatal(err)
	}
	root, _ := filepath.Abs("../../..")
	if want := filepath.Join(root, "bin"); a.Dir != want {
		t.Errorf("found %s, want %s", a.Dir, want)
	}
	t.Chdir(t.TempDir())
	if _, err := proc.FindAssets(""); !errors.Is(err, proc.ErrNoAssets) || !strings.Contains(err.Error(), "make bin") {
		t.Errorf("outside a checkout: %v", err)
	}
	if a, err := proc.FindAssets("x"); err != nil || !filepath.IsAbs(a.Dir) {
		t.Errorf("named folder: %v %v", a, err)
	}
}

func TestAssetsPath(t *testing.T) {
	own, users := t.TempDir(), t.TempDir()
	for _, f := range []string{own + "/etcd", own + "/kube-controller-manager", users + "/etcd"} {
		if err := os.WriteFile(f, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a := proc.Assets{Dir: own, Kubebuilder: users}
	for name, want := range map[string]string{"etcd": users + "/etcd", "kube-controller-manager": own + "/kube-controller-manager"} {
		if got, err := a.Path(name); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := a.Path("kube-apiserver"); !errors.Is(err, proc.ErrNoAssets) {
		t.Errorf("missing program: %v", err)
	}
}
