package assisted

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func claim(size string) core.PersistentVolumeClaimSpec {
	return core.PersistentVolumeClaimSpec{Resources: core.VolumeResourceRequirements{Requests: core.ResourceList{core.ResourceStorage: resource.MustParse(size)}}}
}

func TestJudgeStorage(t *testing.T) {
	small := claim("1Gi")
	for _, test := range []struct {
		trap string
		spec configSpec
		want string
	}{
		{"none", configSpec{Filesystem: claim("1Gi"), Database: claim("1Gi")}, ""},
		{"small claims", configSpec{Filesystem: claim("500Mi"), Database: claim("100Mi"), Images: &small},
			"Database storage 100Mi is too small, it must be at least 1Gi. Filesystem storage 500Mi is too small, it must be at least 1Gi. Image storage 1Gi is too small, it must be at least 10Gi."},
	} {
		got := ""
		if c := judgeStorage(test.spec); c != nil {
			got = c.Message
		}
		if got != test.want {
			t.Errorf("%s: judged %q, want %q", test.trap, got, test.want)
		}
	}
}

const goodRegistries = `
unqualified-search-registries = ["registry.access.redhat.com"]
[[registry]]
prefix = ""
location = "registry.redhat.io/multicluster-engine"
mirror-by-digest-only = true
[[registry.mirror]]
location = "registry.lab:5000/multicluster-engine"
`

func TestJudgeMirror(t *testing.T) {
	cm := func(label, registries string) *core.ConfigMap {
		return &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"app": label}}, Data: map[string]string{"registries.conf": registries}}
	}
	keyless := cm("assisted-service", "")
	keyless.Data = nil
	badCA := cm("assisted-service", goodRegistries)
	badCA.Data["ca-bundle.crt"] = "no certificate"
	for _, test := range []struct {
		trap         string
		cm           *core.ConfigMap
		reason, want string
	}{
		{"none", cm("assisted-service", goodRegistries), "", ""},
		{"ConfigMap missing", nil, "ConfigFailure", `Failed to generate definition for AssistedTrustedCAConfigMap: configmaps "custom-registries" not found`},
		{"key missing", keyless, "DeploymentFailure", "missing key registries.conf"},
		{"label missing", cm("", goodRegistries), "ConfigFailure", "has no label app: assisted-service"},
		{"does not parse", cm("assisted-service", "[[registry]\n"), "ConfigFailure", "failed to load value of registries.conf into toml tree; incorrectly formatted toml: (1, "},
		{"bare host", cm("assisted-service", strings.Replace(goodRegistries, "registry.redhat.io/multicluster-engine", "registry.redhat.io", 1)), "ConfigFailure", `invalid location "registry.redhat.io"`},
		{"bare mirror", cm("assisted-service", strings.Replace(goodRegistries, "registry.lab:5000/multicluster-engine", "registry.lab:5000", 1)), "ConfigFailure", `invalid location "registry.lab:5000"`},
		{"no registry", cm("assisted-service", "unqualified-search-registries = []\n"), "ConfigFailure", "failed to find registry key in toml tree"},
		{"CA is none", badCA, "ConfigFailure", "invalid block"},
	} {
		t.Run(test.trap, func(t *testing.T) {
			c := judgeMirror("custom-registries", test.cm)
			if c == nil {
				if test.reason != "" {
					t.Errorf("accepted, want %s %s", test.reason, test.want)
				}
				return
			}
			if c.Reason != test.reason || !strings.Contains(c.Message, test.want) {
				t.Errorf("judged %s %s, want %s %s", c.Reason, c.Message, test.reason, test.want)
			}
		})
	}
}

func TestJudgePullSecret(t *testing.T) {
	with := func(text string) *core.Secret {
		return &core.Secret{Data: map[string][]byte{core.DockerConfigJsonKey: []byte(text)}}
	}
	auth := base64.StdEncoding.EncodeToString([]byte("user:password"))
	lab := with(`{"auths":{"registry.lab:5000":{"auth":"` + auth + `"}}}`)
	env := settings{"AGENT_DOCKER_IMAGE": "registry.redhat.io/multicluster-engine/agent:1", "PUBLIC_CONTAINER_REGISTRIES": "quay.io"}
	mirrored := settings{"AGENT_DOCKER_IMAGE": env["AGENT_DOCKER_IMAGE"], "PUBLIC_CONTAINER_REGISTRIES": "quay.io,registry.redhat.io"}
	const prefix = "Failed to create image due to an internal error: "
	for _, test := range []struct {
		trap   string
		name   string
		secret *core.Secret
		env    settings
		want   string
	}{
		{"none", "pull-secret", with(`{"auths":{"registry.redhat.io":{"auth":"` + auth + `"}}}`), env, ""},
		{"mirrored registry needs none", "pull-secret", lab, mirrored, ""},
		{"reference missing", "", nil, env, "Failed to create image: Missing reference to pull secret"},
		{"Secret missing", "pull-secret", nil, env, prefix + `failed to find secret pull-secret: secrets "pull-secret" not found`},
		{"wrong key", "pull-secret", &core.Secret{}, env, prefix + "secret pull-secret did not contain key .dockerconfigjson"},
		{"no JSON", "pull-secret", with("x"), env, prefix + "invalid pull secret data in secret pull-secret: pull secret must be a well-formed JSON"},
		{"no auths", "pull-secret", with("{}"), env, prefix + "invalid pull secret data in secret pull-secret: pull secret must contain 'auths' JSON-object field"},
		{"registry missing", "pull-secret", lab, env, prefix + `invalid pull secret data in secret pull-secret: pull secret must contain auth for "registry.redhat.io/multicluster-engine/agent"`},
		{"not base64", "pull-secret", with(`{"auths":{"quay.io":{"auth":"%"}}}`), env, prefix + `invalid pull secret data in secret pull-secret: invalid pull secret: 'auth' field of "quay.io" is not base64-encoded`},
	} {
		t.Run(test.trap, func(t *testing.T) {
			got := ""
			if err := judgePullSecret(test.name, test.secret, test.env); err != nil {
				got = imageError(err)
			}
			if got != test.want {
				t.Errorf("judged %q, want %q", got, test.want)
			}
		})
	}
}

func TestChooseImage(t *testing.T) {
	images := []osImage{{Release: "4.20", Version: "9.6.1", Arch: "x86_64"}, {Release: "4.9", Version: "49.84"}, {Release: "4.19", Arch: "arm64"}}
	for _, test := range []struct{ trap, version, arch, want, fails string }{
		{"none: the newest", "", "", "4.20", ""},
		{"by release", "4.9", "x86_64", "4.9", ""},
		{"by full release", "4.20.3", "x86_64", "4.20", ""},
		{"unknown version", "4.17", "", "", "Failed to create image: Specified OSImageVersion is missing from AgentServiceConfig"},
		{"unknown architecture", "", "s390x", "", "Failed to create image: The requested CPU architecture (s390x) isn't specified in OS images list"},
	} {
		image, err := chooseImage(images, test.version, test.arch)
		if err != nil && imageError(err) != test.fails || err == nil && (test.fails != "" || image.Release != test.want) {
			t.Errorf("%s: chose %q, %v, want %q, %q", test.trap, image.Release, err, test.want, test.fails)
		}
	}
}

func TestJudgeTexts(t *testing.T) {
	if err := judgeBundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"); err == nil || !strings.HasPrefix(err.Error(), "parse failed: ") {
		t.Errorf("a bundle of no certificate is judged %v", err)
	}
	if err := judgeSSHKeys("ssh-rsa nonsense"); err == nil || !strings.Contains(err.Error(), "does not match any supported type") {
		t.Errorf("a key that is none is judged %v", err)
	}
	var c networkConfig
	c.Spec.Config.Interfaces = append(c.Spec.Config.Interfaces, struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}{"eth1", "ethernet"})
	if err := judgeNetworks([]networkConfig{c}); err == nil || err.Error() != "mac-interface mapping for interface eth1 is missing and not a physical interface" {
		t.Errorf("an interface without MAC is judged %v", err)
	}
}

func TestFindDisk(t *testing.T) {
	var sda, nvme disk
	sda.ID, sda.Path, sda.Type, sda.Size, sda.Eligibility.Eligible = "/dev/disk/by-id/a", "/dev/sda", "HDD", 200e9, true
	nvme.ID, nvme.Path, nvme.Type, nvme.Size, nvme.Eligibility.Eligible = "/dev/disk/by-id/n", "/dev/nvme0n1", "SSD", 800e9, true
	spins := false
	for _, test := range []struct {
		trap  string
		hints *rootDeviceHints
		want  string
	}{
		{"no hints", nil, ""},
		{"by name", &rootDeviceHints{DeviceName: "/dev/nvme0n1"}, nvme.ID},
		{"by size", &rootDeviceHints{MinSizeGB: 500}, nvme.ID},
		{"not rotational", &rootDeviceHints{Rotational: &spins}, nvme.ID},
		{"hint mismatch", &rootDeviceHints{DeviceName: "/dev/vda"}, notFound},
	} {
		if got := findDisk([]disk{sda, nvme}, test.hints); got != test.want {
			t.Errorf("%s: found %q, want %q", test.trap, got, test.want)
		}
	}
	if got := judgeDisk([]disk{sda, nvme}, notFound); got != "Requested installation disk is not part of the host's valid disks" {
		t.Errorf("a disk not found by hints is judged %q", got)
	}
	if got := judgeDisk([]disk{sda, nvme}, "/dev/sda"); got != "" {
		t.Errorf("a disk that is there is judged %q", got)
	}
}

func TestJudgeImage(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	old := at.Add(-time.Hour)
	for _, test := range []struct {
		trap string
		host hostState
		want imageAct
		left time.Duration
	}{
		{"no ISO yet", hostState{state: "available"}, imageKeep, 0},
		{"ISO too young", hostState{state: "available", iso: "u", made: at.Add(-20 * time.Second)}, imageKeep, 40 * time.Second},
		{"available", hostState{state: "available", iso: "u", made: old}, imageSet, 0},
		{"has it", hostState{state: "provisioned", image: "u", iso: "u", made: old}, imageKeep, 0},
		{"has an older one", hostState{state: "provisioned", image: "t", iso: "u", made: old}, imageClear, 0},
	} {
		if act, left := judgeImage(test.host, time.Minute, at); act != test.want || left != test.left {
			t.Errorf("%s: %v after %v, want %v after %v", test.trap, act, left, test.want, test.left)
		}
	}
}

func TestValidate(t *testing.T) {
	var good inventory
	good.Hostname, good.CPU.Count, good.Memory.Physical = "worker0", 16, 16<<30
	good.Disks = []disk{{Size: 200e9}}
	good.Disks[0].Eligibility.Eligible = true
	for _, test := range []struct {
		trap   string
		change func(*inventory)
		clock  bool
		want   string
	}{
		{"none", func(*inventory) {}, true, ""},
		{"clock not synchronized", func(*inventory) {}, false, "Host couldn't synchronize with any NTP server"},
		{"one core", func(i *inventory) { i.CPU.Count = 1 }, true, "The host is not eligible to participate in Openshift Cluster because the minimum required CPU cores for any role is 2, found only 1"},
		{"little memory", func(i *inventory) { i.Memory.Physical = 4 << 30 }, true, "The host is not eligible to participate in Openshift Cluster because the minimum required RAM for any role is 8.0 GiB, found only 4.0 GiB"},
		{"small disk", func(i *inventory) { i.Disks = []disk{{Size: 50e9}} }, true, "No eligible disks were found, please check specific disks to see why they are not eligible"},
		{"no name", func(i *inventory) { i.Hostname = "localhost" }, true, "The host name localhost is forbidden"},
	} {
		i := good
		test.change(&i)
		if got := failures(validate(i, "", test.clock)); got != test.want {
			t.Errorf("%s: %q fails, want %q", test.trap, got, test.want)
		}
	}
}

// TestLife walks a host through its states, each step at once.
func TestLife(t *testing.T) {
	walk := func(s situation) (seen []string) {
		for range 30 {
			to := next(s)
			if to.state == s.state && to.stage == s.stage {
				return seen
			}
			s.state, s.stage = to.state, to.stage
			seen = append(seen, strings.Trim(to.state+" "+to.stage, " "))
		}
		t.Fatalf("it never rests: %v", seen)
		return nil
	}
	for _, test := range []struct{ from, want string }{
		{"", "discovering-unbound,known-unbound"},
		{stateKnownUnbound, "binding,insufficient,known,preparing-for-installation,installing,installing-in-progress Starting installation,installing-in-progress Installing," +
			"installing-in-progress Writing image to disk,installing-in-progress Rebooting,installing-in-progress Joined,installing-in-progress Done,added-to-existing-cluster Done"},
		{stateAdded, "unbinding-pending-user-action,discovering-unbound,known-unbound"},
		{stateBinding, "unbinding,discovering-unbound,known-unbound"},
	} {
		s := situation{state: test.from, known: true, valid: true, approved: true, wanted: test.from == stateKnownUnbound}
		if got := strings.Join(walk(s), ","); got != test.want {
			t.Errorf("from %q it goes %s, want %s", test.from, got, test.want)
		}
	}
	if got := strings.Join(walk(situation{state: stateKnownUnbound, known: true, valid: true, lost: true}), ","); got != "disconnected-unbound" {
		t.Errorf("switched off it goes %s", got)
	}
	if got := next(situation{state: stateInProgress, stage: "Rebooting", lost: true, wanted: true}); got.stage != "Joined" {
		t.Errorf("silent while it reboots it goes to %v, want Joined", got)
	}
	if got := strings.Join(walk(situation{known: true}), ","); got != "discovering-unbound,insufficient-unbound" {
		t.Errorf("with a failing validation it goes %s", got)
	}
}
