package steps

import (
	"encoding/base64"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// SSHKey brings the SSH public key that may log in to the workers.
type SSHKey struct{ kube.Patched }

func sshKeyName(f *labs.Facts) string { return f.Hosted.Name + "-ssh-key" }

// Objects are one Secret with key id_rsa.pub, whatever the key's algorithm:
// HyperShift knows that name only.
func (SSHKey) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{Object: &corev1.Secret{
		TypeMeta: typeMeta("v1", "Secret"), ObjectMeta: meta(f.Hosted.Namespace, sshKeyName(f)),
		Data: map[string][]byte{"id_rsa.pub": []byte(f.SSHKey.Text)},
	}, Secret: true}}, nil
}

// Judge is satisfied by the Secret.
func (SSHKey) Judge(f *labs.Facts, _ kube.Seen) kube.Verdict {
	return done("%s", what(secretRef(f.Hosted.Namespace, sshKeyName(f))))
}

// EtcdKey makes the key that encrypts etcd, once: a changed one would make what
// is in etcd unreadable.
type EtcdKey struct{ kube.Patched }

// etcdKeyBytes is the length that AES-CBC's provider takes.
const etcdKeyBytes = 32

func etcdKeyName(f *labs.Facts) string { return f.Hosted.Name + "-etcd-encryption-key" }

// Objects are one Secret with 32 random bytes under the key `key`.
func (EtcdKey) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	generate := func(random io.Reader, u *unstructured.Unstructured) error {
		key := make([]byte, etcdKeyBytes)
		if _, err := io.ReadFull(random, key); err != nil {
			return err
		}
		return unstructured.SetNestedField(u.Object, base64.StdEncoding.EncodeToString(key), "data", "key")
	}
	return []kube.Intent{{How: kube.CreateOnce, Generate: generate, Secret: true, Object: &corev1.Secret{
		TypeMeta: typeMeta("v1", "Secret"), ObjectMeta: meta(f.Hosted.Namespace, etcdKeyName(f)),
	}}}, nil
}

// Judge refuses a key that the API server would not take.
func (EtcdKey) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := secretRef(f.Hosted.Namespace, etcdKeyName(f))
	secret := kube.As[corev1.Secret](seen, ref)
	switch {
	case secret == nil:
		return wait(ref, "it does not exist yet")
	case len(secret.Data["key"]) != etcdKeyBytes:
		return fail(ref, trouble.EtcdKeyLength, "does not hold 32 bytes under the key `key`", "", "delete it where no hosted cluster uses it: labrun makes a new one")
	}
	return done("%s", what(ref))
}
