package hypershift

import (
	"errors"
	"fmt"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
)

// etcdKeyBytes is how long an aescbc key is.
const etcdKeyBytes = 32

// errPullSecret makes ValidReleaseImage False with reason SecretNotFound.
var errPullSecret = errors.New("pull secret unavailable")

// secrets are those of the HostedCluster's namespace, by name.
type secrets map[string]*corev1.Secret

func (s secrets) missing(name string) error { return fmt.Errorf("secrets %q not found", name) }

// judgePullSecret gives the registry credentials. That its type is refused is stricter than the operator, whose copy
// takes the type for granted.
func judgePullSecret(name string, in secrets) ([]byte, error) {
	secret, ok := in[name]
	if !ok {
		return nil, fmt.Errorf("%w: %w", errPullSecret, in.missing(name))
	}
	data, ok := secret.Data[corev1.DockerConfigJsonKey]
	if !ok {
		return nil, fmt.Errorf("%w: expected %s key in secret %q", errPullSecret, corev1.DockerConfigJsonKey, name)
	}
	if secret.Type != corev1.SecretTypeDockerConfigJson {
		return nil, fmt.Errorf("%w: secret %q is of type %s, not %s", errPullSecret, name, secret.Type, corev1.SecretTypeDockerConfigJson)
	}
	return data, nil
}

// judgeSync is what stops the operator from copying the HostedCluster's Secrets into the control plane's namespace:
// condition ReconciliationSucceeded False/ReconciliationError, and Progressing False/Blocked.
func judgeSync(hc *hyperv1.HostedCluster, in secrets) error {
	if name := hc.Spec.SSHKey.Name; name != "" {
		secret, ok := in[name]
		if !ok {
			return fmt.Errorf("failed to get hostedcluster SSHKey secret %s: %w", name, in.missing(name))
		}
		if _, ok := secret.Data["id_rsa.pub"]; !ok {
			return fmt.Errorf("hostedcluster SSHKey secret %q must have a id_rsa.pub key", name)
		}
	}
	e := hc.Spec.SecretEncryption
	if e == nil || e.AESCBC == nil || e.AESCBC.ActiveKey.Name == "" {
		return nil
	}
	name := e.AESCBC.ActiveKey.Name
	secret, ok := in[name]
	if !ok {
		return fmt.Errorf("failed to get active aescbc secret %s: %w", name, in.missing(name))
	}
	if _, ok := secret.Data[hyperv1.AESCBCKeySecretKey]; !ok {
		return fmt.Errorf("no key field %s specified for aescbc active key secret %s", hyperv1.AESCBCKeySecretKey, name)
	}
	return nil
}

// judgeEtcdKey is what keeps the hosted API server from starting: a key of another length. Its Deployment then never
// becomes available; the text is the API server's own, and stands in the Degraded condition only.
func judgeEtcdKey(hc *hyperv1.HostedCluster, in secrets) error {
	e := hc.Spec.SecretEncryption
	if e == nil || e.AESCBC == nil {
		return nil
	}
	secret, ok := in[e.AESCBC.ActiveKey.Name]
	if !ok {
		return nil
	}
	if n := len(secret.Data[hyperv1.AESCBCKeySecretKey]); n != etcdKeyBytes {
		return fmt.Errorf("kube-apiserver deployment has 1 unavailable replicas: the aescbc key of Secret %s is not of the expected length, got %d, expected %d", e.AESCBC.ActiveKey.Name, n, etcdKeyBytes)
	}
	return nil
}

// judgeRole says what keeps the agent provider from its Agents: without the Role the operator may not bind it.
func judgeRole(exists bool) error {
	if exists {
		return nil
	}
	return fmt.Errorf("failed to reconcile platform credentials: failed to reconcile Agent RoleBinding: roles.rbac.authorization.k8s.io %q not found", capiRole)
}

// judgeStorage is what keeps etcd's volume claim pending; "" where it is bound. class is the one asked for, "" for
// the default; found and isDefault tell of the hub's StorageClasses.
func judgeStorage(class string, found map[string]bool) string {
	if class != "" {
		if _, ok := found[class]; ok {
			return ""
		}
		return fmt.Sprintf("Etcd volume claim data-etcd-0 pending: storageclass.storage.k8s.io %q not found", class)
	}
	for _, isDefault := range found {
		if isDefault {
			return ""
		}
	}
	return "Etcd volume claim data-etcd-0 pending: no persistent volumes available for this claim and no storage class is set"
}
