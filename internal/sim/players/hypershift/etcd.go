package hypershift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const etcdClaim = "data-etcd-0"

// etcdTrouble is the text of condition EtcdAvailable where etcd's pod cannot run, "" where it can: its volume stays
// pending, or its image cannot be pulled. The pod, the claim and their events are there to be seen.
func (c *clusters) etcdTrouble(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings, found release) (string, error) {
	if hc.Spec.Etcd.ManagementType != hyperv1.Managed || hc.Status.KubeConfig != nil || c.left(hc, "infrastructure", time.Minute) > 0 {
		return "", nil
	}
	text, err := c.volumeTrouble(ctx, hc, seen)
	if err != nil {
		return "", err
	}
	if text != "" {
		return text, c.pods.unscheduled(ctx, planeNamespace(hc), "etcd-0", "etcd", "pod has unbound immediate PersistentVolumeClaims")
	}
	why := c.pullTrouble(ctx, hc, seen, found)
	if why != nil {
		for pod, container := range map[string]string{"etcd-0": "etcd", "cluster-api-" + suffixOf(hc): "manager"} {
			if err := c.pods.unpullable(ctx, planeNamespace(hc), pod, container, found.Component, why); err != nil {
				return "", err
			}
		}
		return "Waiting for etcd to reach quorum", nil
	}
	return "", c.pods.gone(ctx, planeNamespace(hc), "etcd-0")
}

// suffixOf is that of a Deployment's pod: the same for as long as the HostedCluster lives.
func suffixOf(hc *hyperv1.HostedCluster) string {
	uid := strings.ReplaceAll(string(hc.UID), "-", "")
	return uid[:10] + "-" + uid[10:15]
}

// volumeTrouble makes etcd's claim where a volume for it cannot be, and says why it is pending.
func (c *clusters) volumeTrouble(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings) (string, error) {
	class, size := "", resource.MustParse("8Gi")
	if m := hc.Spec.Etcd.Managed; m != nil && m.Storage.PersistentVolume != nil {
		if m.Storage.PersistentVolume.StorageClassName != nil {
			class = *m.Storage.PersistentVolume.StorageClassName
		}
		if m.Storage.PersistentVolume.Size != nil {
			size = *m.Storage.PersistentVolume.Size
		}
	}
	text := judgeStorage(class, seen.classes)
	if text == "" && !c.world.Faults.On("etcd-volume-pending") {
		return "", nil
	}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: planeNamespace(hc), Name: etcdClaim, Labels: map[string]string{"app": "etcd"}}}
	err := c.client.Get(ctx, client.ObjectKeyFromObject(claim), claim)
	if apierrors.IsNotFound(err) {
		claim.Spec = corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		}
		if class != "" {
			claim.Spec.StorageClassName = &class
		}
		err = c.client.Create(ctx, claim)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("making PersistentVolumeClaim %s: %w", etcdClaim, err)
	case text != "":
		return text, nil
	case claim.Status.Phase == corev1.ClaimBound:
		return "", nil
	}
	said, err := c.lastEvent(ctx, claim)
	return fmt.Sprintf("Etcd volume claim %s pending: %s", etcdClaim, said), err
}

// lastEvent is what the provisioner said of a claim.
func (c *clusters) lastEvent(ctx context.Context, claim *corev1.PersistentVolumeClaim) (string, error) {
	var list corev1.EventList
	if err := c.client.List(ctx, &list, client.InNamespace(claim.Namespace)); err != nil {
		return "", fmt.Errorf("listing the events of %s: %w", claim.Name, err)
	}
	at := slices.IndexFunc(list.Items, func(e corev1.Event) bool {
		return e.InvolvedObject.Name == claim.Name && e.Type == corev1.EventTypeWarning
	})
	if at < 0 {
		return "waiting for a volume to be created", nil
	}
	return list.Items[at].Message, nil
}

// pullTrouble says why the images of the control plane's pods cannot be pulled, where failure image-pull-mirror asks: the
// registry does not have the repository, and is really asked.
func (c *clusters) pullTrouble(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings, found release) error {
	if !c.world.Faults.On("image-pull-mirror") || found.Component == "" {
		return nil
	}
	pullSecret, err := judgePullSecret(hc.Spec.PullSecret.Name, seen.secrets)
	if err != nil {
		return err
	}
	return registries{names: c.names}.pull(ctx, found.Component, howAsked(hc, seen, pullSecret))
}

// pull asks for an image as a node's container runtime does, and words what it finds likewise.
func (r registries) pull(ctx context.Context, image string, how asked) error {
	keys, err := keychain(how.PullSecret)
	if err != nil {
		return err
	}
	carrier := r.transport(how.CA)
	defer carrier.CloseIdleConnections()
	places := candidates(image, how.Mirrors)
	var mirrors []string
	for _, place := range places {
		ref, err := name.ParseReference(place)
		if err == nil {
			_, err = remote.Get(ref, remote.WithAuthFromKeychain(keys), remote.WithTransport(carrier), remote.WithContext(ctx))
		}
		if err == nil {
			return nil
		}
		said := pullText(ref, worded(err))
		if place != image {
			mirrors = append(mirrors, "["+place+": "+said+"]")
			continue
		}
		if len(mirrors) > 0 {
			said = "(Mirrors also failed: " + strings.Join(mirrors, "\n") + "): " + image + ": " + said
		}
		return errors.New("initializing source docker://" + image + ": " + said)
	}
	return nil
}

func pullText(ref name.Reference, err error) string {
	text := err.Error()
	if ref == nil {
		return text
	}
	if strings.HasPrefix(text, "manifest unknown") {
		return fmt.Sprintf("reading manifest %s in %s: manifest unknown", ref.Identifier(), ref.Context().Name())
	}
	if strings.HasPrefix(text, "unauthorized") {
		return fmt.Sprintf("reading manifest %s in %s: %s", ref.Identifier(), ref.Context().Name(), text)
	}
	return fmt.Sprintf("pinging container registry %s: %s", ref.Context().RegistryStr(), text)
}
