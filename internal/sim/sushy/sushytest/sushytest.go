// Package sushytest gives tests real emulated BMCs.
//
//	bmc := sushytest.ForTest(t, sushy.Options{Systems: []sushy.System{sushytest.System(0)}, QuickPower: true})
//
// Where bin/venv is not there, the test is skipped with the command to type; with CI=true it fails.
package sushytest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/labrun/labrun/internal/sim/sushy"
)

// ForTest starts an emulator that ends with the test. Dir defaults to a folder of the test.
func ForTest(t testing.TB, o sushy.Options) *sushy.Emulator {
	t.Helper()
	o.Assets = Need(t)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	e, err := sushy.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = e.Stop(ctx) // a test may have let it die
	})
	return e
}

// Need skips the test where bin/venv is missing, and fails it where CI=true.
func Need(t testing.TB) proc.Assets {
	t.Helper()
	assets, err := proc.FindAssets("")
	if err == nil {
		_, err = assets.Path("venv", "bin", "sushy-emulator")
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

// System is the n-th of the servers that tests use: workerN, powered off, with one interface.
func System(n int) sushy.System {
	return sushy.System{
		UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n),
		Name: fmt.Sprintf("worker%d", n),
		MAC:  fmt.Sprintf("52:54:00:00:01:%02x", n),
	}
}
