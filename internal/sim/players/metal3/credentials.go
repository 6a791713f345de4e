package metal3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/metal3-io/baremetal-operator/pkg/hardwareutils/bmc"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/labrun/labrun/internal/sim/players/metal3/ironic"
)

// said is a refusal in the operator's own words, some of which begin with a capital.
type said string

// Error gives the words.
func (s said) Error() string { return string(s) }

// errSecretMissing is the one refusal after which the operator looks again by itself.
var errSecretMissing = errors.New("BMC CredentialsName secret doesn't exist")

// judgeCredentials says what the operator has against a host's Secret; key is NS/NAME, secret nil where there is none.
func judgeCredentials(s spec, key string, secret *corev1.Secret) (bmc.Credentials, error) {
	if s.BMC.CredentialsName == "" {
		return bmc.Credentials{}, said("No BMC CredentialsName defined The BMC secret reference is empty")
	}
	if secret == nil {
		return bmc.Credentials{}, fmt.Errorf("%w The BMC secret %s does not exist", errSecretMissing, key)
	}
	if s.BMC.Address == "" {
		return bmc.Credentials{}, said("Empty BMC address Missing BMC connection detail 'Address'")
	}
	found := bmc.Credentials{
		Username: strings.TrimSpace(string(secret.Data["username"])),
		Password: strings.TrimSpace(string(secret.Data["password"])),
	}
	return found, found.Validate()
}

// judgeAddress says what the operator has against a host's BMC address, and where the BMC is.
func judgeAddress(s spec, network string, who bmc.Credentials) (ironic.Access, error) {
	details, err := bmc.NewAccessDetails(s.BMC.Address, s.BMC.DisableCertificateVerification)
	if err != nil {
		text := err.Error()
		if !strings.HasPrefix(text, "failed to parse BMC address information") {
			text = "failed to parse BMC address information: " + text
		}
		return ironic.Access{}, errors.New(text)
	}
	if network == "Disabled" && details.RequiresProvisioningNetwork() {
		return ironic.Access{}, fmt.Errorf("BMC driver %s requires a provisioning network", details.Type())
	}
	info := details.DriverInfo(who)
	root, _ := info["redfish_address"].(string)
	system, _ := info["redfish_system_id"].(string)
	if root == "" {
		return ironic.Access{}, fmt.Errorf("the simulated Ironic speaks Redfish only, not %s", details.Type())
	}
	return ironic.Access{
		Root: root, System: system, User: who.Username, Password: who.Password,
		Insecure: s.BMC.DisableCertificateVerification,
	}, nil
}

// judgeMAC says whether another host that is registered has the same boot MAC.
func judgeMAC(mac, node string, others []*host) error {
	for _, other := range others {
		if other.node() != node && other.status.Provisioning.ID != "" && mac != "" && strings.EqualFold(other.spec.BootMACAddress, mac) {
			return fmt.Errorf("MAC address %s conflicts with existing node %s", strings.ToLower(mac), other.node())
		}
	}
	return nil
}

// secret fetches the host's Secret and takes hold of it: owner, label and finalizer.
func (o *operator) secret(ctx context.Context, h *host) (*corev1.Secret, error) {
	if h.spec.BMC.CredentialsName == "" {
		return nil, nil
	}
	s := &corev1.Secret{}
	key := types.NamespacedName{Namespace: h.object.GetNamespace(), Name: h.spec.BMC.CredentialsName}
	if err := o.reader.Get(ctx, key, s); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	if h.deleting() || s.DeletionTimestamp != nil {
		return s, nil
	}
	original := s.DeepCopy()
	metav1.SetMetaDataLabel(&s.ObjectMeta, secretLabel, "baremetal")
	controllerutil.AddFinalizer(s, secretFinalizer)
	if err := controllerutil.SetOwnerReference(h.object, s, o.client.Scheme()); err != nil {
		return nil, fmt.Errorf("owning Secret %s: %w", key, err)
	}
	if err := o.client.Patch(ctx, s, client.MergeFrom(original)); err != nil {
		return nil, fmt.Errorf("taking hold of Secret %s: %w", key, err)
	}
	return s, nil
}

// releaseSecret lets the Secret of a host that goes go too.
func (o *operator) releaseSecret(ctx context.Context, h *host) error {
	s := &corev1.Secret{}
	key := types.NamespacedName{Namespace: h.object.GetNamespace(), Name: h.spec.BMC.CredentialsName}
	if err := o.reader.Get(ctx, key, s); err != nil {
		return client.IgnoreNotFound(err)
	}
	original := s.DeepCopy()
	if !controllerutil.RemoveFinalizer(s, secretFinalizer) {
		return nil
	}
	return client.IgnoreNotFound(o.client.Patch(ctx, s, client.MergeFrom(original)))
}
