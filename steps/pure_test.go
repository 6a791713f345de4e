package steps

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

func TestMergeRegistries(t *testing.T) {
	one := []labs.Mirror{{Source: "quay.io/a", Mirrors: []string{"r:5000/a"}}}
	fresh, err := mergeRegistries("", one)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, have string
		mirrors    []labs.Mirror
		want       []string
		not        string
	}{
		{"nothing there", "", one, []string{"unqualified-search-registries = ", "[[registry]]", "location = 'quay.io/a'", "mirror-by-digest-only = true", "prefix = ''", "[[registry.mirror]]\nlocation = 'r:5000/a'"}, ""},
		{"all there", fresh, one, []string{fresh}, ""},
		{"a comment stays where nothing changes", "# ours\n" + fresh, one, []string{"# ours\n" + fresh}, ""},
		{"another source", fresh, []labs.Mirror{{Source: "quay.io/b", Mirrors: []string{"r:5000/b"}}}, []string{"quay.io/a", "quay.io/b"}, ""},
		{"another mirror", fresh, []labs.Mirror{{Source: "quay.io/a", Mirrors: []string{"s:5000/a"}}}, []string{"location = 'r:5000/a'\n\n[[registry.mirror]]\nlocation = 's:5000/a'"}, ""},
		{"the same source twice", "", append(one, labs.Mirror{Source: "quay.io/a", Mirrors: []string{"s:5000/a"}}), []string{"r:5000/a", "s:5000/a"}, ""},
		{"keys that labrun does not know", "short-name-mode = 'enforcing'\n[[registry]]\nlocation = 'x/y'\ninsecure = true\nblocked = true\n", one, []string{"short-name-mode = 'enforcing'", "insecure = true", "blocked = true", "quay.io/a"}, "unqualified"},
		{"named by its prefix", "[[registry]]\nprefix = 'quay.io/a'\n", one, []string{"prefix = 'quay.io/a'", "r:5000/a"}, "location = 'quay.io/a'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := mergeRegistries(c.have, c.mirrors)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range c.want {
				if !strings.Contains(got, part) {
					t.Errorf("%q is not in\n%s", part, got)
				}
			}
			if c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("%q is in\n%s", c.not, got)
			}
			again, err := mergeRegistries(got, c.mirrors)
			if err != nil || again != got {
				t.Errorf("a second time gives %v\n%s", err, again)
			}
		})
	}
	for have, want := range map[string]string{"[[": "does not parse as TOML", "registry = 1": `its key "registry" is no list of tables`, "registry = [1]": "no list of tables", "[[registry]]\nlocation = 'quay.io/a'\nmirror = 'x'\n": `its key "mirror" is no list of tables`} {
		_, err := mergeRegistries(have, one)
		wantError(t, err, want)
	}
}

func TestMergeAuth(t *testing.T) {
	for _, c := range []struct{ name, document, credentials, want, err string }{
		{"added", `{"auths":{"a":{"auth":"x"}}}`, "u:p", `{"auths":{"a":{"auth":"x"},"r:5000":{"auth":"dTpw"}}}`, ""},
		{"a final newline is no part of the password", `{"auths":{}}`, "u:p\n", `{"auths":{"r:5000":{"auth":"dTpw"}}}`, ""},
		{"a colon in the password", `{"auths":{}}`, "u:p:q", `{"auths":{"r:5000":{"auth":"dTpwOnE="}}}`, ""},
		{"kept", ` {"auths":{"r:5000":{"auth":"theirs"}}} `, "u:p", ` {"auths":{"r:5000":{"auth":"theirs"}}} `, ""},
		{"other keys stay", `{"auths":{},"credsStore":"x"}`, "u:p", `{"auths":{"r:5000":{"auth":"dTpw"}},"credsStore":"x"}`, ""},
		{"no colon", `{"auths":{}}`, "secret-password", "", "not user:password"},
		{"no user", `{"auths":{}}`, ":secret-password", "", "not user:password"},
		{"no JSON", `secret-document`, "u:p", "", `not JSON with the key "auths"`},
		{"no auths", `{"secret-document":{}}`, "u:p", "", `the key "auths"`},
		{"auths is a list", `{"auths":["secret-document"]}`, "u:p", "", `the key "auths"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := mergeAuth(c.document, "r:5000", c.credentials)
			if c.err != "" {
				wantError(t, err, c.err)
				if strings.Contains(err.Error(), "secret-") {
					t.Errorf("the error holds the secret: %v", err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestEnableComponents(t *testing.T) {
	for _, c := range []struct{ name, have, want string }{
		{"none", `{}`, `[{enabled: true, name: assisted-service}, {enabled: true, name: hypershift}]`},
		{"turned off", `{spec: {overrides: {components: [{name: hive, enabled: false}, {name: hypershift, enabled: false, x: y}]}}}`,
			`[{enabled: true, name: hive}, {enabled: true, name: hypershift, x: y}, {enabled: true, name: assisted-service}]`},
		{"others stay", `{spec: {overrides: {components: [{name: console-mce, enabled: false}, {name: assisted-service, enabled: true}, {name: hypershift, enabled: true}]}}}`,
			`[{enabled: false, name: console-mce}, {enabled: true, name: assisted-service}, {enabled: true, name: hypershift}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var u unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(c.have), &u.Object); err != nil {
				t.Fatal(err)
			}
			if err := enableComponents(&u); err != nil {
				t.Fatal(err)
			}
			list, _, err := unstructured.NestedSlice(u.Object, "spec", "overrides", "components")
			if err != nil {
				t.Fatal(err)
			}
			var want []any
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			a, errA := yaml.Marshal(list)
			b, errB := yaml.Marshal(want)
			if errA != nil || errB != nil || string(a) != string(b) {
				t.Errorf("components\n%s, want\n%s", a, b)
			}
		})
	}
	u := unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"overrides": "x"}}}
	if err := enableComponents(&u); err == nil {
		t.Error("overrides that are a text are taken")
	}
}

func cidr(t *testing.T, s string) labs.CIDR {
	t.Helper()
	var c labs.CIDR
	if err := c.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNMState(t *testing.T) {
	got, err := nmState(labs.StaticNetwork{Interface: "eno1", Addresses: []labs.CIDR{cidr(t, "192.168.1.10/24"), cidr(t, "fd00:5::10/64")},
		Gateways: []string{"192.168.1.1", "fd00:5::1"}, DNS: []string{"192.168.1.2"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "nmstate-dual.yaml", text)
	_, err = nmState(labs.StaticNetwork{Gateways: []string{"nonsense"}})
	wantError(t, err, `gateway "nonsense" is no address`)
	bare, err := nmState(labs.StaticNetwork{Interface: "eno1", Addresses: []labs.CIDR{cidr(t, "192.168.1.10/24")}})
	if err != nil || bare["routes"] != nil || bare["dns-resolver"] != nil {
		t.Errorf("without gateways and name servers: %v, %v", bare, err)
	}
}

func TestHasField(t *testing.T) {
	known := objects(t, imageTypeCRD)[0]
	for _, c := range []struct {
		definition *unstructured.Unstructured
		field      string
		want       bool
	}{{known, "imageType", true}, {known, "other", false}, {nil, "imageType", false}, {&unstructured.Unstructured{Object: map[string]any{}}, "imageType", false}} {
		if got := hasField(c.definition, c.field); got != c.want {
			t.Errorf("%s: %t, want %t", c.field, got, c.want)
		}
	}
	f := factsOf(t, ipv6)
	s := InfraEnv{}
	for documents, want := range map[string]string{"": "", imageTypeCRD: "minimal-iso"} {
		intents, err := s.Objects(f, sees(t, f, s, nil, documents))
		if err != nil {
			t.Fatal(err)
		}
		if got := text(freshly(t, intents[0]), "spec", "imageType"); got != want {
			t.Errorf("imageType %q, want %q", got, want)
		}
	}
}

func TestAppendPEM(t *testing.T) {
	const pem = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
	for have, want := range map[string]string{
		"": pem, "OTHER\n": "OTHER\n" + pem, "OTHER": "OTHER\n" + pem, pem: pem, "OTHER\n" + pem + "MORE\n": "OTHER\n" + pem + "MORE\n",
	} {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		if have != "" {
			u.Object["data"] = map[string]any{"ca": have}
		}
		if err := appendPEM("ca", pem)(u); err != nil {
			t.Fatal(err)
		}
		if got := text(u, "data", "ca"); got != want {
			t.Errorf("%q becomes %q, want %q", have, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 102: "102nd", 111: "111th"} {
		if got := ordinal(n); got != want {
			t.Errorf("ordinal %d is %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 nodes", 1: "1 node", 2: "2 nodes"} {
		if got := count(n, "node"); got != want {
			t.Errorf("count %d is %s, want %s", n, got, want)
		}
	}
	for version, want := range map[string]string{"4.20.3": "4.20", "4.20": "4.20", "4": "4", "4.20.0-ec.1": "4.20"} {
		if got := minorOf(version); got != want {
			t.Errorf("minor of %s is %s, want %s", version, got, want)
		}
	}
	for _, c := range []struct {
		registry labs.Registry
		key, at  string
	}{{labs.Registry{Host: "r.example", Port: 5000}, "r.example..5000", "r.example:5000"}, {labs.Registry{Host: "r.example"}, "r.example", "r.example"}} {
		if got := registryKey(c.registry); got != c.key {
			t.Errorf("key %s, want %s", got, c.key)
		}
		if got := hostPort(c.registry); got != c.at {
			t.Errorf("address %s, want %s", got, c.at)
		}
	}
	for arch, want := range map[string]string{"x86_64": "amd64", "aarch64": "arm64"} {
		if got := nodePoolArch(arch); got != want {
			t.Errorf("%s is %s, want %s", arch, got, want)
		}
	}
	for text, want := range map[string]int{"": 0, "nonsense": 0, `{"versions":["4.20","4.19"]}`: 2} {
		if got := len(versionList(text)); got != want {
			t.Errorf("%s has %d versions, want %d", text, got, want)
		}
	}
	if got := digest(map[string]string{"a": "1", "b": "2"}); got == digest(map[string]string{"a": "1", "b": "3"}) || got != digest(map[string]string{"b": "2", "a": "1"}) {
		t.Error("a digest does not tell settings apart")
	}
}

// TestHostedClusterPlaces has the catalogs of a disconnected lab run in both places.
func TestHostedClusterPlaces(t *testing.T) {
	made := func(lab string, set ...string) *unstructured.Unstructured {
		s, f := step[HostedCluster](t, lab, "hosted_cluster", set...)
		intents, err := s.Objects(f, sees(t, f, s, nil, ""))
		if err != nil {
			t.Fatal(err)
		}
		return freshly(t, intents[0])
	}
	const overrides = "hypershift.openshift.io/olm-catalogs-is-registry-overrides"
	management := made(ipv6, "lab.hosted_cluster.olm_catalogs=management")
	if got := management.GetAnnotations()[overrides]; !strings.Contains(got, "registry.redhat.io/multicluster-engine=registry.hypershiftbm.lab:5000/multicluster-engine") {
		t.Errorf("overrides %q", got)
	}
	if got := text(management, "spec", "olmCatalogPlacement"); got != "management" {
		t.Errorf("placement %q", got)
	}
	connected := made(ipv4, "lab.hosted_cluster.services.api_server=LoadBalancer", "lab.hosted_cluster.storage_class=lvms")
	if len(connected.GetAnnotations()) > 0 {
		t.Errorf("a connected lab has annotations %v", connected.GetAnnotations())
	}
	if got := text(connected, "spec", "etcd", "managed", "storage", "persistentVolume", "storageClassName"); got != "lvms" {
		t.Errorf("storage class %q", got)
	}
	services, _, err := unstructured.NestedSlice(connected.Object, "spec", "services")
	if err != nil || len(services) != 4 {
		t.Fatalf("services %v, %v", services, err)
	}
	if got, found, _ := unstructured.NestedFieldNoCopy(services[0].(map[string]any), "servicePublishingStrategy", "nodePort"); found {
		t.Errorf("a LoadBalancer has a node port: %v", got)
	}
}

func TestSizes(t *testing.T) {
	for fact, c := range map[string]struct {
		size labs.AgentService
		want string
	}{
		"":                                 {labs.AgentService{DatabaseStorage: "1Gi", FilesystemStorage: "1Gi", ImageStorage: "10Gi"}, ""},
		"agent_service.image_storage":      {labs.AgentService{DatabaseStorage: "1Gi", FilesystemStorage: "1Gi", ImageStorage: "9Gi"}, "9Gi is too small"},
		"agent_service.database_storage":   {labs.AgentService{DatabaseStorage: "plenty", FilesystemStorage: "1Gi", ImageStorage: "10Gi"}, `"plenty" is no size`},
		"agent_service.filesystem_storage": {labs.AgentService{DatabaseStorage: "1Gi", FilesystemStorage: "-2Gi", ImageStorage: "10Gi"}, "-2Gi is too small"},
	} {
		found := wrongSizes(&labs.Facts{AgentService: c.size})
		if fact == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || found[0].Path != fact || !strings.Contains(found[0].Message, c.want) || found[0].Hint == "" {
			t.Errorf("%q: %+v, want %q", fact, found, c.want)
		}
	}
	wrong := Schema().Complete("lab", &labs.Facts{AgentService: labs.AgentService{DatabaseStorage: "plenty"}})
	if !slices.ContainsFunc(wrong, func(p pipeline.FactProblem) bool { return p.Path == "agent_service.database_storage" }) {
		t.Errorf("a size is not checked when the file is loaded: %+v", wrong)
	}

	s, f := step[AgentService](t, ipv6, "agent_service")
	f.AgentService.ImageStorage = "plenty"
	_, err := s.Objects(f, sees(t, f, s, nil, ""))
	wantError(t, err, "lab.agent_service.image_storage", `"plenty" is no size`, "20Gi")
	s, f = step[AgentService](t, ipv6, "agent_service", "lab.agent_service.storage_class=lvms")
	intents, err := s.Objects(f, sees(t, f, s, nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(freshly(t, intents[0]), "spec", "imageStorage", "storageClassName"); got != "lvms" {
		t.Errorf("storage class %q", got)
	}
}
