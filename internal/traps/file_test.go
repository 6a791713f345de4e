package traps

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
)

// facts are those of every lab here, but for what the simulated lab has otherwise and what tells labs apart.
const facts = `version: v1
name: {lab}
lab:
  stack: ipv6
  disconnected: true
  domain: traps.lab
  networks: {machine: ["2620:52:0:1305::/64"], cluster: ["fd03::/48"], service: ["fd04::/112"]}
  registry:
    host: registry.traps.lab
    port: 5000
    ca: {file: "{dir}/ca.crt"}
    mirrors:
      - {source: quay.io/openshift-release-dev/ocp-release, mirrors: ["registry.traps.lab:5000/openshift/release-images"]}
      - {source: quay.io/openshift-release-dev/ocp-v4.0-art-dev, mirrors: ["registry.traps.lab:5000/openshift/release"]}
      - {source: registry.redhat.io/multicluster-engine, mirrors: ["registry.traps.lab:5000/multicluster-engine"]}
  release:
    image: quay.io/openshift-release-dev/ocp-release@sha256:3f1c1b2d7a4e5968c0d1e2f30415263748596a7b8c9d0e1f2a3b4c5d6e7f8091
    control_plane_operator_image: registry.traps.lab:5000/openshift/release@sha256:8a2d4c6e8f0a1b3c5d7e9f1a3b5c7d9e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c
    version: 4.20.3
    rhcos: {version: 9.6.20250826-0, live_iso: "http://registry.traps.lab:8080/live.iso", rootfs: "http://registry.traps.lab:8080/rootfs.img"}
  pull_secret: {file: "{dir}/pull-secret.json"}
  ssh_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAaNoIPZQMnTDTvyAssshjos4kcmDslnMmBMYzek33mg core@traps.lab
  management_cluster: {kubeconfig: "{dir}/kubeconfig"}
  mce: {channel: stable-2.10, catalog: cs-redhat-operator-index}
  agent_service: {public_registries: [quay.io, registry.redhat.io]}
  hosted_cluster:
    name: {hosted}
    namespace: {own}
    olm_catalogs: guest
    node_port: {address: api.traps.lab}
  workers:
`

// worker is one server of the rack.
const worker = `    - name: worker{n}
      boot_mac: 52:54:00:6e:00:{n}
      bmc:
        address: redfish-virtualmedia+http://[2620:52:0:1305::1]:8000/redfish/v1/Systems/6b5a2c1e-0000-4000-8000-0000000000{n}
        credentials: {username: admin, password: {file: "{dir}/bmc-password"}}
        disable_certificate_verification: true
      root_device_hints: {device_name: /dev/sda}
      network: {interface: enp1s0, addresses: ["2620:52:0:1305::{n}/64"], gateways: ["2620:52:0:1305::1"], dns: ["2620:52:0:1305::1"]}
`

// read finds the steps that an expression reads.
var read = regexp.MustCompile(`steps\.([a-z0-9_]+)\.`)

// shared is the step file that all labs include, with the steps of these ids alone: what reads a step that is left out,
// or needs it, goes with it.
func shared(t testing.TB, ids []string) string {
	t.Helper()
	text, err := fs.ReadFile(labs.Steps(), "hypershift-baremetal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Phases []string         `json:"phases"`
		Steps  []map[string]any `json:"steps"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	needs := map[string][]any{}
	for _, s := range file.Steps {
		needs[s["id"].(string)], _ = s["needs"].([]any)
	}
	for _, id := range ids {
		if _, known := needs[id]; !known {
			t.Fatalf("the shared step file has no step %s", id)
		}
	}
	kept := file.Steps[:0]
	for _, s := range file.Steps {
		if slices.Contains(ids, s["id"].(string)) {
			s["needs"] = standing(needs, ids, s["id"].(string))
			kept = append(kept, without(s, ids))
		}
	}
	file.Steps = kept
	out, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// standing are a step's needs, where one that is left out stands for its own.
func standing(needs map[string][]any, ids []string, id string) []any {
	list := []any{}
	for _, n := range needs[id] {
		if slices.Contains(ids, n.(string)) {
			list = append(list, n)
		} else {
			list = append(list, standing(needs, ids, n.(string))...)
		}
	}
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return slices.Compact(list)
}

// without takes out of a step what reads others than ids.
func without(s map[string]any, ids []string) map[string]any {
	left := func(value any) bool {
		text, err := yaml.Marshal(value)
		if err != nil {
			return false
		}
		return !slices.ContainsFunc(read.FindAllStringSubmatch(string(text), -1), func(m []string) bool { return !slices.Contains(ids, m[1]) })
	}
	for key, value := range s {
		if key != "with" && !left(value) {
			delete(s, key)
		}
	}
	if with, ok := s["with"].(map[string]any); ok {
		for key, value := range with {
			if !left(value) {
				delete(with, key)
			}
		}
	}
	return s
}

// replace fills the names of a text.
func replace(text string, names map[string]string) string {
	for name, value := range names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}
