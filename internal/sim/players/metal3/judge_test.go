package metal3

import (
	"strings"
	"testing"

	"github.com/metal3-io/baremetal-operator/pkg/hardwareutils/bmc"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestCredentialsThatMetal3Refuses(t *testing.T) {
	of := func(user, password string) *corev1.Secret {
		return &corev1.Secret{Data: map[string][]byte{"username": []byte(user), "password": []byte(password)}}
	}
	for _, c := range []struct {
		trap, credentials, address string
		secret                     *corev1.Secret
		want                       string
	}{
		{"no reference", "", "redfish-virtualmedia://h/redfish/v1/Systems/1", nil, "No BMC CredentialsName defined The BMC secret reference is empty"},
		{"no Secret", "bmc", "redfish-virtualmedia://h/redfish/v1/Systems/1", nil, "BMC CredentialsName secret doesn't exist The BMC secret ns/bmc does not exist"},
		{"no address", "bmc", "", of("u", "p"), "Empty BMC address Missing BMC connection detail 'Address'"},
		{"no user", "bmc", "x", of(" ", "p"), "Validation error with BMC credentials: Missing BMC connection detail 'username' in credentials"},
		{"empty password", "bmc", "x", of("u", "\n"), "Validation error with BMC credentials: Missing BMC connection details 'password' in credentials"},
		{"all is well", "bmc", "x", of("u\n", "p\n"), ""},
	} {
		var s spec
		s.BMC.CredentialsName, s.BMC.Address = c.credentials, c.address
		_, err := judgeCredentials(s, "ns/bmc", c.secret)
		if got := text(err); got != c.want {
			t.Errorf("%s: Metal3 says %q, want %q", c.trap, got, c.want)
		}
	}
}

func TestAddressesThatMetal3Refuses(t *testing.T) {
	for _, c := range []struct{ address, network, want string }{
		{"foo://192.0.2.1/redfish/v1/Systems/1", "Disabled", "failed to parse BMC address information: Unknown BMC type 'foo' for address foo://192.0.2.1/redfish/v1/Systems/1"},
		{"redfish-virtualmedia://bad_host!/x", "Disabled", "failed to parse BMC address information"},
		{"redfish://192.0.2.1/redfish/v1/Systems/1", "Disabled", "BMC driver redfish requires a provisioning network"},
		{"redfish-virtualmedia+http://[::1]:9000/redfish/v1/Systems/1", "Disabled", ""},
	} {
		var s spec
		s.BMC.Address = c.address
		access, err := judgeAddress(s, c.network, bmc.Credentials{Username: "u", Password: "p"})
		if got := text(err); !strings.HasPrefix(got, c.want) || (c.want == "") != (err == nil) {
			t.Errorf("%s: Metal3 says %q, want %q", c.address, got, c.want)
		}
		if err == nil && (access.Root != "http://[::1]:9000" || access.System != "/redfish/v1/Systems/1") {
			t.Errorf("%s: the BMC is %s, the system %s", c.address, access.Root, access.System)
		}
	}
}

func TestOneMACForTwoHosts(t *testing.T) {
	other := &host{object: &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"namespace": "ns", "name": "worker0"}}}}
	other.spec.BootMACAddress, other.status.Provisioning.ID = "52:54:00:00:00:18", "id"
	err := judgeMAC("52:54:00:00:00:18", "ns~worker1", []*host{other})
	if got, want := text(err), "MAC address 52:54:00:00:00:18 conflicts with existing node ns~worker0"; got != want {
		t.Errorf("Metal3 says %q, want %q", got, want)
	}
	if err := judgeMAC("52:54:00:00:00:18", "ns~worker0", []*host{other}); err != nil {
		t.Errorf("a host conflicts with itself: %v", err)
	}
}

func TestChangesThatMetal3Refuses(t *testing.T) {
	const address, mac = "BMC address can not be changed if the BMH is not in the Registering state, or if the BMH is not detached", "bootMACAddress can not be changed once it is set"
	host := func(address, mac, state, operational string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{
			"spec":   map[string]any{"bmc": map[string]any{"address": address}, "bootMACAddress": mac},
			"status": map[string]any{"provisioning": map[string]any{"state": state}, "operationalStatus": operational}}}
		return u
	}
	for _, c := range []struct {
		address, mac, state, operational, want string
	}{
		{"a", "m", "provisioned", "OK", ""},
		{"b", "m", "provisioned", "OK", address},
		{"b", "m", "provisioned", "detached", ""},
		{"b", "m", "registering", "OK", ""},
		{"a", "n", "registering", "detached", mac},
		{"b", "n", "available", "OK", "[" + address + ", " + mac + "]"},
	} {
		from, to := host("a", "m", c.state, c.operational), host(c.address, c.mac, c.state, c.operational)
		if got := text(judgeChange(from, to)); got != c.want {
			t.Errorf("%+v: Metal3 says %q", c, got)
		}
	}
	first := host("", "", "", "")
	if err := judgeChange(first, host("a", "m", "", "")); err != nil {
		t.Errorf("what is set first is refused: %v", err)
	}
	taken := host("a", "m", "provisioned", "OK")
	_ = unstructured.SetNestedField(taken.Object, true, "spec", "externallyProvisioned")
	if got := text(judgeChange(host("a", "m", "provisioned", "OK"), taken)); got != "externallyProvisioned can not be changed" {
		t.Errorf("Metal3 says %q", got)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
