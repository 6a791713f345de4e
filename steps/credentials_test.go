package steps

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/dynamic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
)

// TestCredentials writes what the Secrets hold that a HostedCluster's status names.
func TestCredentials(t *testing.T) {
	cp := hub.Get(t)
	ns := hub.Namespace(t, "credentials")
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "hub")
	hosted := string(cp.Kubeconfig()) // any kubeconfig will do
	if err := os.WriteFile(kubeconfig, []byte(hosted), 0o600); err != nil {
		t.Fatal(err)
	}
	f := factsOf(t, ipv6, "lab.hosted_cluster.namespace="+ns)
	lab := LabOptions{Kubeconfig: kubeconfig, StateDir: filepath.Join(dir, "state")}
	env, _ := anEnv(t, f, lab)
	_, err := Credentials{}.Run(t.Context(), env)
	wantError(t, err, "HostedCluster "+ns+"/hosted-ipv6", "not found")
	wantNoKubeconfig(t, env, "there is no HostedCluster "+ns+"/hosted-ipv6 on "+cp.URL(), "labrun run LAB builds it")

	client, err := dynamic.NewForConfig(cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	secrets := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(ns)
	for name, data := range map[string]map[string]string{
		"named-by-status":                {"kubeconfig": hosted},
		"hosted-ipv6-kubeadmin-password": {"password": "the password"},
	} {
		text, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name}, "stringData": data})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.Create(t.Context(), objects(t, string(text))[0], metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := step[HostedCluster](t, ipv6, "hosted_cluster", "lab.hosted_cluster.namespace="+ns)
	intents, err := s.Objects(f, sees(t, f, s, nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	clusters := client.Resource(schema.GroupVersionResource{Group: "hypershift.openshift.io", Version: "v1beta1", Resource: "hostedclusters"}).Namespace(ns)
	made, err := clusters.Create(t.Context(), freshly(t, intents[0]), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantNoKubeconfig(t, env, "the hosted cluster has no kubeconfig yet: there is no Secret "+ns+"/hosted-ipv6-admin-kubeconfig", "labrun status LAB")
	made.Object["status"] = map[string]any{"kubeconfig": map[string]any{"name": "named-by-status"}, "conditions": []any{}}
	if _, err := clusters.UpdateStatus(t.Context(), made, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}

	wantKubeconfig(t, env, hosted, "Secret "+ns+"/named-by-status on "+cp.URL())

	for _, want := range []int{2, 0} { // the second time nothing is written
		env, heard := anEnv(t, f, lab)
		out, err := Credentials{}.Run(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(heard.effects()); got != want {
			t.Errorf("%d effects, want %d", got, want)
		}
		for path, want := range map[string]string{out.Kubeconfig: hosted, out.Password: "the password"} {
			if have, err := os.ReadFile(path); err != nil || string(have) != want {
				t.Errorf("%s holds %q, %v", path, have, err)
			}
		}
	}
	written := filepath.Join(dir, "state", "kubeconfig")
	wantKubeconfig(t, env, hosted, "the file "+written)
	if err := os.WriteFile(written, []byte("kind: Config"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantKubeconfig(t, env, hosted, "Secret "+ns+"/named-by-status on "+cp.URL()) // the file is of another one
	wantLeftAlone(t, env, written)
	got, err := env.Secret(t.Context(), labs.SecretRef{Secret: labs.ClusterRef{Namespace: ns, Name: "named-by-status", Key: "kubeconfig"}})
	if err != nil || got.Reveal() != hosted {
		t.Errorf("a secret of the cluster: %v", err)
	}
	_, err = env.Secret(t.Context(), labs.SecretRef{Secret: labs.ClusterRef{Namespace: ns, Name: "named-by-status", Key: "other"}})
	wantError(t, err, "has no key other")
	wantGone(t, env, clusters, made.GetName(), written)
	if requests := env.Requests(); requests["hub reads"] == 0 || requests["hub writes"] != 0 {
		t.Errorf("requests %v", requests)
	}
}

func wantKubeconfig(t *testing.T, env *Env, want, where string) {
	t.Helper()
	found, err := env.HostedKubeconfig(t.Context())
	if err != nil || found != (FoundKubeconfig{Text: want, From: where}) {
		t.Errorf("the kubeconfig is from %q, %v (unasked: %q); want it from %q", found.From, err, found.Unasked, where)
	}
}

func wantNoKubeconfig(t *testing.T, env *Env, parts ...string) {
	t.Helper()
	_, err := env.HostedKubeconfig(t.Context())
	wantError(t, err, parts...)
}
