// Command assets fills the folder bin/ with the programs and CustomResourceDefinitions that the simulated lab
// runs on: kube-apiserver, kube-controller-manager and etcd, built from their modules; the real CRDs of the
// operators, taken from the module cache; a Python environment with sushy-tools.
//
// Each is made once: a stamp in bin/.stamps says of what version and with which settings it was made, and what
// carries the right stamp is left alone.
//
//	go run ./cmd/assets -o ../../bin
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// step makes one asset.
type step struct {
	name  string // its place below the folder
	stamp string // version and settings; another stamp makes it anew
	why   string // what the user is told before it starts
	make  func(ctx context.Context, into string) error
}

func main() {
	out := flag.String("o", "../../bin", "folder to fill")
	only := flag.String("only", "", "comma-separated names to make (default: all)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, only string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, ".stamps"), 0o755); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(out, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	steps, err := steps(os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		return err
	}
	for _, s := range steps {
		if only != "" && !contains(strings.Split(only, ","), s.name) {
			continue
		}
		if err := s.once(ctx, out); err != nil {
			return fmt.Errorf("making %s: %w", s.name, err)
		}
	}
	return nil
}

// once makes the asset beside its place and moves it there, so that a killed run leaves no half of one.
func (s step) once(ctx context.Context, out string) error {
	place := filepath.Join(out, s.name)
	stamp := filepath.Join(out, ".stamps", s.name)
	if seen, err := os.ReadFile(stamp); err == nil && string(seen) == s.stamp {
		if _, err := os.Stat(place); err == nil {
			return nil
		}
	}
	fmt.Println(s.why)
	start := time.Now()
	if err := os.Remove(stamp); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := s.make(ctx, place); err != nil {
		return err
	}
	fmt.Printf("  %s made in %s\n", s.name, time.Since(start).Round(100*time.Millisecond))
	return os.WriteFile(stamp, []byte(s.stamp), 0o644)
}

// lock lets one run at a time fill the folder; a second one waits, then finds everything made.
func lock(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.TrimSpace(n) == name {
			return true
		}
	}
	return false
}
