package steps

import (
	"strings"
	"testing"

	"github.com/labrun/labrun/steps/kube"
)

// TestInfraEnvStays has hosts that booted the image: what is wanted of it since is
// told, not applied.
func TestInfraEnvStays(t *testing.T) {
	s, f := step[InfraEnv](t, ipv6, "infraenv")
	intents, err := s.Objects(f, sees(t, f, s, nil, imageTypeCRD))
	if err != nil {
		t.Fatal(err)
	}
	made := freshly(t, intents[0])
	made.Object["status"] = map[string]any{"isoDownloadURL": "https://x/iso", "conditions": []any{map[string]any{"type": "ImageCreated", "status": "True"}}}
	document, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	there := imageTypeCRD + `{apiVersion: v1, kind: Secret, metadata: {name: pull-secret, namespace: clusters-hosted-ipv6}}` + "\n---\n" + string(document)
	host := "\n---\n" + bareMetalHost("")
	for _, c := range []struct {
		name, documents string
		patch           map[string]any
		want            string // of the warning; empty: none
	}{
		{"as it was made", there + host, nil, ""},
		{"a patch, no hosts yet", there, map[string]any{"spec": map[string]any{"kernelArguments": []any{}}}, ""},
		{"a patch", there + host, map[string]any{"spec": map[string]any{"additionalNTPSources": []any{"ntp.example"}, "pullSecretRef": map[string]any{"name": "other"}}}, "differs: spec.additionalNTPSources, spec.pullSecretRef"},
		{"a patch that is there", there + host, map[string]any{"spec": map[string]any{"pullSecretRef": map[string]any{"name": "pull-secret"}}}, ""},
		{"a fact", replace(there, f.SSHKey.Text[:len(f.SSHKey.Text)-1], "ssh-rsa OTHER") + host, nil, "differs: spec.sshAuthorizedKey\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Patch = c.patch
			v := s.Judge(f, sees(t, f, s, nil, c.documents))
			if v.State != kube.Done || len(v.Warnings) > 1 || (len(v.Warnings) == 1) != (c.want != "") {
				t.Fatalf("judged %+v", v)
			}
			if c.want == "" {
				return
			}
			text := tell(v.Warnings[0])
			for _, part := range []string{c.want, "InfraEnv clusters-hosted-ipv6/hosted-ipv6 stays as it was made", "next: take the change back; or, where the workers may be lost, delete the BareMetalHosts of clusters-hosted-ipv6"} {
				if !strings.Contains(text, part) {
					t.Errorf("%q is not said in %s", part, text)
				}
			}
		})
	}
}
