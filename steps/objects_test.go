package steps

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// hows names the ways in which objects are brought about.
func hows() map[kube.How]string {
	return map[kube.How]string{kube.Apply: "apply", kube.CreateOnce: "create once", kube.Merge: "merge", kube.Delete: "delete", kube.Restore: "restore", kube.Forget: "forget"}
}

// secretsOf gives every secret of a lab a value of its own.
func secretsOf(f *labs.Facts) map[string]string {
	secrets := map[string]string{f.PullSecret.String(): `{"auths":{"quay.io":{"auth":"dGhlLXB1bGwtc2VjcmV0"}}}`}
	for _, w := range f.Workers {
		secrets[w.BMC.Credentials.Password.String()] = "the-bmc-password\n"
	}
	return secrets
}

// freshly is the object as a first run brings it about.
func freshly(t *testing.T, i kube.Intent) *unstructured.Unstructured {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(i.Object)
	if err != nil {
		t.Fatal(err)
	}
	delete(fields, "status")
	withoutEmpty(fields)
	u := &unstructured.Unstructured{Object: fields}
	for _, change := range []func(*unstructured.Unstructured) error{i.Initial, i.Change} {
		if change == nil {
			continue
		}
		if err := change(u); err != nil {
			t.Fatal(err)
		}
	}
	if i.Generate != nil {
		if err := i.Generate(bytes.NewReader(make([]byte, 64)), u); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// withoutEmpty leaves out what Go types write of fields that nobody set.
func withoutEmpty(m map[string]any) {
	for key, value := range m {
		switch value := value.(type) {
		case nil:
			delete(m, key)
		case string:
			if value == "" {
				delete(m, key)
			}
		case map[string]any:
			withoutEmpty(value)
		case []any:
			for _, item := range value {
				if item, ok := item.(map[string]any); ok {
					withoutEmpty(item)
				}
			}
		}
	}
}

// TestObjects keeps what a first run of each lab file brings about on a fresh hub.
func TestObjects(t *testing.T) {
	for _, lab := range []string{ipv6, ipv4} {
		t.Run(lab, func(t *testing.T) {
			p := loadLab(t, lab)
			f := p.Facts.(*labs.Facts)
			var b bytes.Buffer
			for _, i := range instancesOf(t, p) {
				s, ok := i.options.(kube.Step)
				if !ok {
					continue
				}
				intents, err := s.Objects(f, sees(t, f, s, secretsOf(f), ""))
				if err != nil {
					t.Fatalf("%s: %v", i, err)
				}
				for _, intent := range intents {
					u := freshly(t, intent)
					if intent.Secret {
						for key := range u.Object["data"].(map[string]any) {
							u.Object["data"].(map[string]any)[key] = "***"
						}
					}
					text, err := yaml.Marshal(u.Object)
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&b, "---\n# %s: %s\n%s", i, manner(intent), text)
				}
			}
			for _, secret := range []string{"dGhlLXB1bGwtc2VjcmV0", "the-bmc-password", "dGhlLWJtYy1wYXNzd29yZA"} {
				if strings.Contains(b.String(), secret) {
					t.Errorf("a secret stands in an object that is not masked: %s", secret)
				}
			}
			golden(t, "objects/"+lab+".yaml", b.Bytes())
		})
	}
}

func manner(i kube.Intent) string {
	s := hows()[i.How]
	for _, mark := range []struct {
		on   bool
		text string
	}{{i.Shared, "shared"}, {i.Partial, "partial"}, {i.Force, "by force"}, {i.Primary, "primary"}, {i.Secret, "secret"}} {
		if mark.on {
			s += ", " + mark.text
		}
	}
	return s
}

// data reads a Secret that a step makes.
func data(t *testing.T, i kube.Intent, key string) string {
	t.Helper()
	secret, ok := i.Object.(*corev1.Secret)
	if !ok {
		t.Fatalf("%T is no Secret", i.Object)
	}
	return string(secret.Data[key])
}

func TestSecretsGoIn(t *testing.T) {
	s, f := step[Host](t, ipv6, "host")
	intents, err := s.Objects(f, sees(t, f, s, secretsOf(f), ""))
	if err != nil {
		t.Fatal(err)
	}
	if user, password := data(t, intents[0], "username"), data(t, intents[0], "password"); user != "admin" || password != "the-bmc-password" {
		t.Errorf("user %q, password %q: the file's last newline is no part of it", user, password)
	}
	pull, f := step[PullSecret](t, ipv6, "pull_secret", "lab.registry.credentials.env=REGISTRY")
	secrets := secretsOf(f)
	secrets["variable REGISTRY"] = "user:password\n"
	intents, err = pull.Objects(f, sees(t, f, pull, secrets, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"auths":{"quay.io":{"auth":"dGhlLXB1bGwtc2VjcmV0"},"registry.hypershiftbm.lab:5000":{"auth":"dXNlcjpwYXNzd29yZA=="}}}`
	if got := data(t, intents[0], ".dockerconfigjson"); got != want {
		t.Errorf("pull secret %s, want %s", got, want)
	}
	if got := len(pull.Secrets(f)); got != 2 {
		t.Errorf("%d secrets are asked for, want 2", got)
	}
}

// TestOthersStay runs the merges on what somebody else made.
func TestOthersStay(t *testing.T) {
	engine, _ := step[MCEEngine](t, ipv6, "mce")
	registryCA, _ := step[RegistryCA](t, ipv6, "registry_ca")
	service, _ := step[AgentService](t, ipv6, "agent_service")
	registries, f := step[Registries](t, ipv6, "registries")
	image := `{apiVersion: config.openshift.io/v1, kind: Image, metadata: {name: cluster, resourceVersion: "1"}, spec: {additionalTrustedCA: {name: theirs}, registrySources: {insecureRegistries: [x]}}}`
	agent := `{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent, resourceVersion: "1", annotations: {a: b}}, spec: {mirrorRegistryRef: {name: theirs}, osImages: [{openshiftVersion: "4.19", version: x, url: "http://y", cpuArchitecture: x86_64}]}}`
	used := `{apiVersion: agent-install.openshift.io/v1beta1, kind: AgentServiceConfig, metadata: {name: agent, resourceVersion: "1", annotations: {labrun/used-by.other: "true"}}, spec: {osImages: [{openshiftVersion: "4.20", version: 9.6.20250826-0, url: "http://theirs", cpuArchitecture: x86_64}]}}`
	for _, c := range []struct {
		name string
		step kube.Step
		seen string // what Objects sees
		have string // the object that is merged into
		want string
	}{
		{"a registry's CA", registryCA, image, `{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs, namespace: openshift-config}, data: {other..443: PEM}}`, `{"other..443":"PEM"`},
		{"images.config", ImageConfig{Name: "registry-config"}, image, image, `"spec":{"additionalTrustedCA":{"name":"theirs"},"registrySources":{"insecureRegistries":["x"]}}`},
		{"bundle", UserCABundle{}, ``, `{apiVersion: v1, kind: ConfigMap, metadata: {name: user-ca-bundle, namespace: openshift-config}, data: {ca-bundle.crt: THEIRS}}`, `"ca-bundle.crt":"THEIRS\n-----BEGIN CERTIFICATE-----`},
		{"components", engine, ``, engineIn(`{}`), `"components":[{"enabled":true,"name":"assisted-service"},{"enabled":true,"name":"hypershift"}]`},
		{"live images", service, agent, agent, `"osImages":[{"cpuArchitecture":"x86_64","openshiftVersion":"4.19","url":"http://y","version":"x"},{"cpuArchitecture":"x86_64","openshiftVersion":"4.20"`},
		{"another lab's live image", service, used, used, `"osImages":[{"cpuArchitecture":"x86_64","openshiftVersion":"4.20","url":"http://theirs","version":"9.6.20250826-0"}]`},
		{"annotations", service, agent, agent, `"annotations":{"a":"b","unsupported.agent-install.openshift.io/assisted-service-configmap":"assisted-service-config"}`},
		{"mirrors' name", service, agent, agent, `"mirrorRegistryRef":{"name":"theirs"}`},
		{"labels", registries, agent, `{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs, namespace: multicluster-engine, labels: {a: b}}}`, `"labels":{"a":"b","app":"assisted-service"}`},
		{"flags", InstallFlags{}, ``, `{apiVersion: v1, kind: ConfigMap, metadata: {name: hypershift-operator-install-flags, namespace: local-cluster}, data: {installFlagsToRemove: --other}}`, `"--other --enable-uwm-telemetry-remote-write"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			intents, err := c.step.Objects(f, sees(t, f, c.step, nil, c.seen))
			if err != nil {
				t.Fatal(err)
			}
			u := objects(t, c.have)[0]
			if got := kube.RefTo(intents[0].Object.(*unstructured.Unstructured)); got.Name != u.GetName() && got.Kind != "MultiClusterEngine" {
				t.Errorf("merges into %s, want %s", got, u.GetName())
			}
			for range 2 { // a second time changes nothing
				if err := intents[0].Change(u); err != nil {
					t.Fatal(err)
				}
				text, err := u.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Count(string(text), c.want) != 1 {
					t.Errorf("%s lacks %s", text, c.want)
				}
			}
		})
	}
}

func TestWhatIsThereIsUsed(t *testing.T) {
	operator, f := step[MCEOperator](t, ipv6, "mce_operator")
	infraenv, _ := step[InfraEnv](t, ipv6, "infraenv")
	config, _ := step[AssistedConfig](t, ipv6, "assisted_config")
	hows := func(name string, s kube.Step, seen string, want ...string) {
		t.Run(name, func(t *testing.T) {
			intents, err := s.Objects(f, sees(t, f, s, nil, seen))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range intents {
				got = append(got, hows()[i.How]+" "+kube.RefTo(freshly(t, i)).String())
			}
			equal(t, got, want)
		})
	}
	hows("no operator", operator, ``, "apply Namespace multicluster-engine", "apply OperatorGroup multicluster-engine/multicluster-engine", "apply Subscription multicluster-engine/multicluster-engine")
	hows("somebody's operator", operator, `{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: mce, namespace: mce}, spec: {name: multicluster-engine}}`, "merge Subscription mce/mce")
	hows("another lab's operator", operator, `{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: multicluster-engine, namespace: multicluster-engine, managedFields: [{manager: labrun/other/mce_operator, operation: Apply}]}, spec: {name: multicluster-engine}}`, "merge Subscription multicluster-engine/multicluster-engine")
	madeBy := func(kind, name, marks string) string {
		return kind + `, metadata: {name: ` + name + `, namespace: multicluster-engine, annotations: {` + marks + `}, managedFields: [{manager: labrun/other/mce_operator, operation: Apply}]}, spec: {name: multicluster-engine}}` + "\n---\n"
	}
	another := madeBy(`{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription`, "multicluster-engine", `labrun/used-by.other: "true"`) + `{apiVersion: v1, kind: Namespace, metadata: {name: multicluster-engine, annotations: {labrun/used-by.other: "true"}}}` + "\n---\n"
	hows("another lab's operator, in what that lab made", operator, another+madeBy(`{apiVersion: operators.coreos.com/v1, kind: OperatorGroup`, "multicluster-engine", `labrun/used-by.other: "true"`),
		"merge Namespace multicluster-engine", "merge OperatorGroup multicluster-engine/multicluster-engine", "merge Subscription multicluster-engine/multicluster-engine")
	hows("another lab's operator, in somebody's group", operator, another+madeBy(`{apiVersion: operators.coreos.com/v1, kind: OperatorGroup`, "theirs", `a: b`),
		"merge Namespace multicluster-engine", "merge Subscription multicluster-engine/multicluster-engine")
	hows("its own operator", operator, `{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: multicluster-engine, namespace: multicluster-engine, managedFields: [{manager: labrun/ipv6-disconnected/mce_operator, operation: Apply}]}, spec: {name: multicluster-engine}}`, "apply Namespace multicluster-engine", "apply OperatorGroup multicluster-engine/multicluster-engine", "apply Subscription multicluster-engine/multicluster-engine")
	hows("somebody's group", operator, `{apiVersion: operators.coreos.com/v1, kind: OperatorGroup, metadata: {name: theirs, namespace: multicluster-engine}}`, "apply Namespace multicluster-engine", "apply Subscription multicluster-engine/multicluster-engine")
	hows("no hosts", infraenv, ``, "apply InfraEnv clusters-hosted-ipv6/hosted-ipv6")
	hows("hosts exist", infraenv, bareMetalHost(``), "create once InfraEnv clusters-hosted-ipv6/hosted-ipv6")

	settings := "merge ConfigMap multicluster-engine/assisted-service-config"
	service := `{apiVersion: apps/v1, kind: Deployment, metadata: {name: assisted-service, namespace: multicluster-engine}}` + "\n---\n"
	right := func(more string) string {
		return `{apiVersion: v1, kind: ConfigMap, metadata: {name: assisted-service-config, namespace: multicluster-engine` + more + `}, data: {ALLOW_CONVERGED_FLOW: "false", PUBLIC_CONTAINER_REGISTRIES: "quay.io,registry.redhat.io"}}`
	}
	restart := "merge Deployment multicluster-engine/assisted-service"
	hows("no service runs", config, ``, settings)
	hows("a service runs with other settings", config, service, settings, restart)
	hows("a service runs with these", config, service+right(``), settings)
	hows("a run was killed before the restart", config, service+right(`, annotations: {labrun/restart-for: x}`), settings, restart)
}
