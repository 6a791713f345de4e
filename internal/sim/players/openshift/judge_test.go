package openshift

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestJudgeProvisioning(t *testing.T) {
	for _, test := range []struct {
		trap string
		spec provisioningSpec
		want string
	}{
		{"none", provisioningSpec{ProvisioningNetwork: "Disabled"}, ""},
		{"network left out", provisioningSpec{}, `[could not parse provisioningIP "", could not parse provisioningNetworkCIDR "", provisioningDHCPRange is required in Managed mode but is not set]`},
		{"IP outside its network", provisioningSpec{ProvisioningNetwork: "Unmanaged", ProvisioningIP: "10.1.0.1", ProvisioningNetworkCIDR: "10.0.0.0/24"},
			`provisioningIP "10.1.0.1" is not in the range defined by the provisioningNetworkCIDR "10.0.0.0/24"`},
		{"wide IPv6 network", provisioningSpec{ProvisioningNetwork: "Managed", ProvisioningIP: "fd00:1101::3", ProvisioningNetworkCIDR: "fd00:1101::/48", ProvisioningDHCPRange: "fd00:1101::a,fd00:1101::ff"},
			"provisioningNetworkCIDR mask must be greater than or equal to 64 for managed IPv6 networks"},
		{"OS image without digest", provisioningSpec{ProvisioningNetwork: "Disabled", ProvisioningOSDownloadURL: "http://x/y.qcow2.gz"},
			`the sha256 parameter in the provisioningOSDownloadURL "http://x/y.qcow2.gz" is missing`},
	} {
		t.Run(test.trap, func(t *testing.T) {
			got := ""
			if err := judgeProvisioning(test.spec); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("judged %q, want %q", got, test.want)
			}
		})
	}
}

func TestUnbindable(t *testing.T) {
	for _, test := range []struct {
		trap  string
		class *string
		want  *waiting
	}{
		{"none", ptr("fast"), nil},
		{"no default class", nil, &waiting{"FailedBinding", "no persistent volumes available for this claim and no storage class is set"}},
		{"unknown class", ptr("slow"), &waiting{"ProvisioningFailed", `storageclass.storage.k8s.io "slow" not found`}},
	} {
		t.Run(test.trap, func(t *testing.T) {
			got := unbindable(test.class, []string{"fast"})
			if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
				t.Errorf("judged %v, want %v", got, test.want)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	got := needs(core.PodSpec{
		Volumes: []core.Volume{
			{VolumeSource: core.VolumeSource{Secret: &core.SecretVolumeSource{SecretName: "s"}}},
			{VolumeSource: core.VolumeSource{ConfigMap: &core.ConfigMapVolumeSource{LocalObjectReference: core.LocalObjectReference{Name: "left"}, Optional: ptr(true)}}},
		},
		Containers: []core.Container{{Env: []core.EnvVar{{ValueFrom: &core.EnvVarSource{ConfigMapKeyRef: &core.ConfigMapKeySelector{LocalObjectReference: core.LocalObjectReference{Name: "c"}}}}}}},
	})
	want := []need{{kind: "Secret", name: "s"}, {kind: "ConfigMap", name: "c"}}
	if !slices.Equal(got, want) {
		t.Errorf("the pod needs %v, want %v", got, want)
	}
}

// What a hosted etcd's claim is told by failure etcd-volume-pending.
func TestNoSpace(t *testing.T) {
	claim := &core.PersistentVolumeClaim{Spec: core.PersistentVolumeClaimSpec{
		StorageClassName: ptr("lvms-vg1"),
		Resources:        core.VolumeResourceRequirements{Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("8Gi")}},
	}}
	want := waiting{"ProvisioningFailed", `failed to provision volume with StorageClass "lvms-vg1": rpc error: code = ResourceExhausted desc = ` +
		"no enough space left on VG: free=1073741824, requested=8589934592"}
	if got := noSpace(claim); *got != want {
		t.Errorf("the claim is told %v, want %v", *got, want)
	}
}
