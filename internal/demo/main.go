// Command demo is `make demo`: it brings a simulated lab up, runs labrun on a lab
// file to the end, asks the API server of the hosted cluster for its nodes with
// the kubeconfig that the run wrote, and takes everything down again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// grace is how long the simulated lab may take to go down, in front of a kill.
const grace = 30 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lab := "labs/ipv6-disconnected.yaml"
	if len(os.Args) > 1 {
		lab = os.Args[1]
	}
	if err := run(ctx, lab); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, lab string) (err error) {
	dir, err := os.MkdirTemp("", "labrun-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	kubeconfig, values := filepath.Join(dir, "hub.kubeconfig"), filepath.Join(dir, "values.yaml")
	simulated := filepath.Join(dir, "lab")

	up := []string{"bin/labsim", "up", lab, "--kubeconfig", kubeconfig, "--values", values, "--state-dir", simulated, "--detach"}
	if err := show(ctx, up...); err != nil {
		return err
	}
	defer func() {
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		err = errors.Join(err, show(down, "bin/labsim", "down", "--state-dir", simulated))
	}()

	if err := show(ctx, "bin/labrun", lab, "--kubeconfig", kubeconfig, "--values", values, "--state-dir", dir); err != nil {
		return err
	}
	return result(ctx, dir)
}

// show prints a command as one would type it, and runs it.
func show(ctx context.Context, argv ...string) error {
	fmt.Println("\n$", strings.Join(argv, " "))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(argv[:2], " "), err)
	}
	return nil
}

// result asks the hosted cluster for its nodes.
func result(ctx context.Context, dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*", "kubeconfig"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("looking for the kubeconfig that the run wrote below %s: found %d", dir, len(found))
	}
	config, err := clientcmd.BuildConfigFromFlags("", found[0])
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the nodes of the hosted cluster at %s: %w", config.Host, err)
	}
	fmt.Printf("\nhosted cluster  %s\nkubeconfig      %s\n", config.Host, found[0])
	for _, n := range nodes.Items {
		fmt.Printf("worker          %s  %s  %s\n", n.Name, ready(n), addresses(n))
	}
	return nil
}

func ready(n corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return "Ready"
		}
	}
	return "NotReady"
}

func addresses(n corev1.Node) string {
	var out []string
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			out = append(out, a.Address)
		}
	}
	return strings.Join(out, " ")
}
