package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

var hub = cptest.Shared{Options: controlplane.Options{CRDs: []string{controlplane.All}}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

// seedSteps are the nine steps of HyperShift's own overview, and the steps of the
// lab files that bring their objects about. 7 and 9 make none: they wait.
func seedSteps() []struct {
	number string
	says   string
	ids    []string
} {
	return []struct {
		number string
		says   string
		ids    []string
	}{
		{"1", "ConfigMap with the registry's CA", []string{"registry_ca"}},
		{"2", "images.config: additionalTrustedCA", []string{"image_config"}},
		{"3", "ConfigMap with registries.conf and the CA", []string{"registries", "assisted_config"}},
		{"4", "MultiClusterEngine with Agent and HyperShift", []string{"mce_operator", "mce", "install_flags", "provisioning", "agent_service"}},
		{"5.1", "Secrets: pull secret, SSH key, etcd key", []string{"namespaces", "pull_secret", "ssh_key", "etcd_key", "capi_role"}},
		{"5.2", "ConfigMap with the registry's CA", []string{"trust_bundle"}},
		{"5.3", "HostedCluster", []string{"hosted_cluster"}},
		{"5.4", "NodePool", []string{"node_pool"}},
		{"6", "InfraEnv, BareMetalHosts and their Secrets", []string{"network", "infraenv", "host"}},
		{"7", "Metal3 boots the workers", nil},
		{"8", "the NodePool is scaled", []string{"scale"}},
		{"9", "the cluster finishes", nil},
	}
}

// applied runs a step until its objects are brought about; nobody plays the
// operators here, and so the wait that may follow is ended at once.
func applied(t *testing.T, l *Lab, lab string, i instance) (effects []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	scope := pipeline.NewScope(lab, i.phase, i.id, i.key, func(e event.Event) error {
		switch {
		case e.Type == event.StepProgress:
			cancel()
		case e.Type == event.Done && e.Effect.Error == "":
			changed := "unchanged"
			if e.Effect.Changed {
				changed = "changed"
			}
			effects = append(effects, e.Effect.Verb+" "+e.Effect.Object+" "+changed)
		}
		return nil
	})
	if _, err := i.kind.Run(ctx, l.Env(scope), i.options); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", i, err)
	}
	return effects
}

// TestStrict brings every object of both labs about on a real API server with the
// operators' own CRDs, which takes fields that it does not know as errors.
func TestStrict(t *testing.T) {
	cp := hub.Get(t)
	client, err := kubernetes.NewForConfig(cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openshift-config", "local-cluster"} { // a hub has these
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	t.Setenv("BMC_PASSWORD", "the-bmc-password")
	dir := t.TempDir()
	pullSecret, kubeconfig := filepath.Join(dir, "pull-secret.json"), filepath.Join(dir, "kubeconfig")
	for path, text := range map[string][]byte{pullSecret: []byte(`{"auths":{"quay.io":{"auth":"dGhlOnB1bGw="},"registry.hypershiftbm.lab:5000":{"auth":"dGhlOnB1bGw="}}}`), kubeconfig: cp.Kubeconfig()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, lab := range []string{ipv6, ipv4} {
		t.Run(lab, func(t *testing.T) {
			p := loadLab(t, lab, "lab.pull_secret.file="+pullSecret)
			f := p.Facts.(*labs.Facts)
			l := NewLab(f, LabOptions{Kubeconfig: kubeconfig})
			defer l.Close()
			made := map[string][]string{}
			for _, i := range instancesOf(t, p) {
				if s, ok := i.options.(kube.Step); ok && brings(t, f, s) {
					made[i.id] = append(made[i.id], applied(t, l, lab, i)...)
				}
			}
			if t.Failed() {
				return
			}
			tabulate(t, f, made)
			for _, i := range instancesOf(t, p) {
				if s, ok := i.options.(kube.Step); ok && brings(t, f, s) {
					for _, e := range applied(t, l, lab, i) {
						if strings.HasSuffix(e, " changed") {
							t.Errorf("a second run of %s: %s", i, e)
						}
					}
				}
			}
		})
	}
}

// brings says whether a step brings objects of the hub about.
func brings(t *testing.T, f *labs.Facts, s kube.Step) bool {
	t.Helper()
	intents, err := s.Objects(f, sees(t, f, s, secretsOf(f), ""))
	if err != nil {
		t.Fatal(err)
	}
	return len(intents) > 0
}

// tabulate prints what was accepted beside the seed's steps, and refuses an
// object that belongs to none.
func tabulate(t *testing.T, f *labs.Facts, made map[string][]string) {
	t.Helper()
	var b strings.Builder
	var placed []string
	for _, seed := range seedSteps() {
		first := fmt.Sprintf("%-4s %-46s", seed.number, seed.says)
		rows := 0
		for _, id := range seed.ids {
			placed = append(placed, id)
			for _, e := range made[id] {
				if strings.Contains(e, "settle the owner of") {
					continue
				}
				fmt.Fprintf(&b, "%-51s %-15s %s, accepted\n", first, id, strings.TrimSuffix(e, " changed"))
				first, rows = "", rows+1
			}
		}
		if rows == 0 {
			why := "no object: it is waited for"
			if len(seed.ids) > 0 && !f.Disconnected {
				why = "not in a connected lab"
			} else if len(seed.ids) > 0 {
				t.Errorf("step %s of the overview (%s) brought nothing about", seed.number, seed.says)
			}
			fmt.Fprintf(&b, "%-51s %s\n", first, why)
		}
	}
	for id := range made {
		if !slices.Contains(placed, id) {
			t.Errorf("step %s has objects, and no place in the overview", id)
		}
	}
	t.Log("seed step → what the run sent\n" + b.String())
}
