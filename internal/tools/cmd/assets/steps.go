package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	kubeVersion = "1.34.2"
	etcdVersion = "3.6.5"
)

// steps lists what bin/ holds. Where kubebuilder is a folder (KUBEBUILDER_ASSETS) kube-apiserver and etcd are
// the user's own, and only kube-controller-manager, which is never there, is built.
func steps(kubebuilder string) ([]step, error) {
	requirements, err := os.ReadFile("requirements.txt")
	if err != nil {
		return nil, fmt.Errorf("%w (run me from internal/tools)", err)
	}
	wheel, err := os.ReadFile("schemas.txt")
	if err != nil {
		return nil, err
	}
	var list []step
	if kubebuilder == "" {
		list = append(list, etcd(), kube("kube-apiserver", "4 minutes on two cores"))
	} else if err := present(kubebuilder, "kube-apiserver", "etcd"); err != nil {
		return nil, err
	}
	return append(list,
		kube("kube-controller-manager", "some 80 seconds beside kube-apiserver, 4 minutes without it"),
		crds(),
		step{
			name:  "venv",
			stamp: digest(string(requirements)),
			why:   "sushy-tools: installing the emulated BMCs into a Python environment (half a minute: it downloads 17 packages)",
			make:  venv,
		},
		schemas(string(wheel))), nil
}

func etcd() step {
	return goProgram("etcd", "go.etcd.io/etcd/server/v3", etcdVersion, "-s -w", "half a minute to two")
}

// kube is one of the Kubernetes programs. Unstamped they call themselves v0.0.0, which clients and operators
// that compare versions stumble over.
func kube(name, takes string) step {
	major, minor, _ := strings.Cut(kubeVersion, ".")
	minor, _, _ = strings.Cut(minor, ".")
	flags := "-s -w"
	for _, p := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags += fmt.Sprintf(" -X %[1]s.gitVersion=v%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", p, kubeVersion, major, minor)
	}
	return goProgram(name, "k8s.io/kubernetes/cmd/"+name, kubeVersion, flags, takes)
}

func goProgram(name, pkg, version, ldflags, takes string) step {
	return step{
		name:  name,
		stamp: pkg + " " + version + " " + ldflags,
		why:   fmt.Sprintf("%s %s: building it from its modules, as no pre-built one exists there (once; %s)", name, version, takes),
		make: func(ctx context.Context, into string) error {
			fresh := into + ".new"
			cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", ldflags, "-o", fresh, pkg)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
			if err := quiet(cmd); err != nil {
				return err
			}
			return os.Rename(fresh, into)
		},
	}
}

// venv makes the Python environment in its final place: its scripts name that place.
func venv(ctx context.Context, into string) error {
	if err := os.RemoveAll(into); err != nil {
		return err
	}
	if err := quiet(exec.CommandContext(ctx, "python3", "-m", "venv", into)); err != nil {
		return fmt.Errorf("%w (Debian: apt install python3-venv)", err)
	}
	pip := filepath.Join(into, "bin", "pip")
	return quiet(exec.CommandContext(ctx, pip, "install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"))
}

func present(dir string, names ...string) error {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("KUBEBUILDER_ASSETS is set, but %w; unset it to have %s built", err, name)
		}
	}
	return nil
}

// quiet runs a command and shows what it said only where it failed.
func quiet(cmd *exec.Cmd) error {
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
