// Package simtest gives tests a simulated lab.
//
//	lab := simtest.ForTest(t, sim.Options{Facts: facts, Fail: []string{"never-available"}})
//
// Where bin/ is not there, the test is skipped with the command to type; with CI=true it fails.
package simtest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
)

// ForTest starts a lab that ends with the test. Dir defaults to a folder of the test. A part of the lab that ends by
// itself fails the test.
func ForTest(t testing.TB, o sim.Options) *sim.Lab {
	t.Helper()
	o.Assets = cptest.Need(t, "etcd", "kube-apiserver", "kube-controller-manager", "crds", "venv/bin/sushy-emulator")
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	lab, err := sim.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		select {
		case err := <-lab.Failed():
			t.Errorf("the lab failed: %v", err)
		default:
		}
		if err := lab.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// Files writes the lab's kubeconfig and values into a folder of the test and gives their names.
func Files(t testing.TB, lab *sim.Lab) (kubeconfig, values string) {
	t.Helper()
	dir := t.TempDir()
	kubeconfig, values = dir+"/kubeconfig", dir+"/values.yaml"
	err := errors.Join(os.WriteFile(kubeconfig, lab.Kubeconfig(), 0o600), os.WriteFile(values, lab.Values(), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig, values
}
