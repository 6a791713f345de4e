package steps

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// PullSecret brings the pull secret to the management cluster, with the
// credentials of the lab's registry merged into it.
type PullSecret struct{ kube.Patched }

func pullSecretName(f *labs.Facts) string { return f.Hosted.Name + "-pull-secret" }

// Secrets are the pull secret and the registry's credentials.
func (PullSecret) Secrets(f *labs.Facts) []labs.SecretRef {
	refs := []labs.SecretRef{f.PullSecret}
	if !f.Registry.Credentials.IsZero() {
		refs = append(refs, f.Registry.Credentials)
	}
	return refs
}

// Objects are one Secret of the type that HyperShift asks for.
func (PullSecret) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	document := seen.Secret(f.PullSecret).Reveal()
	if !f.Registry.Credentials.IsZero() {
		merged, err := mergeAuth(document, hostPort(f.Registry), seen.Secret(f.Registry.Credentials).Reveal())
		if err != nil {
			return nil, fmt.Errorf("pull secret from %s: %w", f.PullSecret, err)
		}
		document = merged
	} else if err := checkAuths(document); err != nil {
		return nil, fmt.Errorf("pull secret from %s: %w", f.PullSecret, err)
	}
	return []kube.Intent{{Secret: true, Object: &corev1.Secret{
		TypeMeta: typeMeta("v1", "Secret"), ObjectMeta: meta(f.Hosted.Namespace, pullSecretName(f)),
		Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(document)},
	}}}, nil
}

// Judge is satisfied by the Secret.
func (PullSecret) Judge(f *labs.Facts, _ kube.Seen) kube.Verdict {
	return done("%s", what(secretRef(f.Hosted.Namespace, pullSecretName(f))))
}

func hostPort(r labs.Registry) string {
	if r.Port == 0 {
		return r.Host
	}
	return fmt.Sprintf("%s:%d", r.Host, r.Port)
}

// checkAuths refuses a text that is no pull secret. The text never stands in the error.
func checkAuths(document string) error {
	var d struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil || d.Auths == nil {
		return fmt.Errorf(`it is not JSON with the key "auths"`)
	}
	return nil
}

// mergeAuth adds one registry's user:password to a pull secret, and keeps an
// entry that is there.
func mergeAuth(document, host, userPassword string) (string, error) {
	if err := checkAuths(document); err != nil {
		return "", err
	}
	var d map[string]any
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return "", fmt.Errorf("it is not a JSON object")
	}
	auths, ok := d["auths"].(map[string]any)
	if !ok {
		return "", fmt.Errorf(`its key "auths" is no JSON object`)
	}
	if _, there := auths[host]; there {
		return document, nil
	}
	userPassword = strings.TrimRight(userPassword, "\r\n")
	if user, _, ok := strings.Cut(userPassword, ":"); !ok || user == "" {
		return "", fmt.Errorf("lab.registry.credentials is not user:password")
	}
	auths[host] = map[string]any{"auth": base64.StdEncoding.EncodeToString([]byte(userPassword))}
	b, err := json.Marshal(d)
	return string(b), err
}
