// Package cptest gives tests a real API server.
//
// One of its own, for a test that changes what all see:
//
//	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"metal3"}, WithControllerManager: true})
//
// Or one for all tests of a package, started at the first use (it costs seconds), with a namespace for each test:
//
//	var hub = cptest.Shared{Options: controlplane.Options{CRDs: []string{controlplane.All}}}
//
//	func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }
//
//	func TestX(t *testing.T) {
//		cp := hub.Get(t)
//		ns := hub.Namespace(t, "clusters")
//	}
//
// Where bin/ is not there, tests that need it are skipped with the command to type; with CI=true they fail.
package cptest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/proc"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Need skips the test where a program or folder of bin/ is missing, and fails it where CI=true.
func Need(t testing.TB, names ...string) proc.Assets {
	t.Helper()
	assets, err := proc.FindAssets("")
	for _, name := range names {
		if err == nil {
			_, err = assets.Path(strings.Split(name, "/")...)
		}
	}
	if err == nil {
		return assets
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return assets
}

// ForTest starts a control plane that ends with the test. Dir defaults to a folder of the test.
func ForTest(t testing.TB, o controlplane.Options) *controlplane.ControlPlane {
	t.Helper()
	o.Assets = need(t, o)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	cp, err := controlplane.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := cp.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return cp
}

func need(t testing.TB, o controlplane.Options) proc.Assets {
	t.Helper()
	names := []string{"etcd", "kube-apiserver"}
	if o.WithControllerManager {
		names = append(names, "kube-controller-manager")
	}
	if len(o.CRDs) > 0 {
		names = append(names, "crds")
	}
	return Need(t, names...)
}

// Shared is one control plane for all tests of a package.
type Shared struct {
	Options controlplane.Options

	once sync.Once
	dir  string
	cp   *controlplane.ControlPlane
	err  error
}

// Main runs the tests, ends the control plane if any test used it, and gives the exit code.
func (s *Shared) Main(m *testing.M) int {
	code := m.Run()
	if s.cp != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.cp.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if s.dir != "" {
		if err := os.RemoveAll(s.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// Get is the control plane, started at the first call.
func (s *Shared) Get(t testing.TB) *controlplane.ControlPlane {
	t.Helper()
	s.Options.Assets = need(t, s.Options)
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "labrun-controlplane-"); s.err != nil {
			return
		}
		o := s.Options
		o.Dir = s.dir
		s.cp, s.err = controlplane.Start(context.Background(), o)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cp
}

// Namespace makes a namespace whose name starts with prefix and that no other test has, and deletes it after the test.
// Nobody waits until it is gone.
func (s *Shared) Namespace(t testing.TB, prefix string) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(s.Get(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	namespaces := client.CoreV1().Namespaces()
	made, err := namespaces.Create(context.Background(), &core.Namespace{ObjectMeta: meta.ObjectMeta{GenerateName: prefix + "-"}}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := namespaces.Delete(context.Background(), made.Name, meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return made.Name
}
