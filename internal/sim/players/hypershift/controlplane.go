package hypershift

import (
	"context"
	"fmt"
	"maps"
	"time"

	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// planeNamespace is the namespace of a hosted control plane.
func planeNamespace(hc *hyperv1.HostedCluster) string { return hc.Namespace + "-" + hc.Name }

// namespace makes the control plane's namespace where it is not there yet, and labels it.
func (c *clusters) namespace(ctx context.Context, hc *hyperv1.HostedCluster) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: planeNamespace(hc)}}
	_, err := controllerutil.CreateOrPatch(ctx, c.client, ns, func() error {
		metav1.SetMetaDataLabel(&ns.ObjectMeta, "hypershift.openshift.io/hosted-control-plane", "true")
		metav1.SetMetaDataLabel(&ns.ObjectMeta, "pod-security.kubernetes.io/enforce", "privileged")
		metav1.SetMetaDataLabel(&ns.ObjectMeta, "security.openshift.io/scc.podSecurityLabelSync", "false")
		return nil
	})
	if err != nil {
		return fmt.Errorf("failed to reconcile namespace: %w", err)
	}
	return nil
}

// sync copies the HostedCluster's Secrets into the control plane's namespace.
func (c *clusters) sync(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings) error {
	copies := map[string]string{hc.Spec.PullSecret.Name: "pull-secret"}
	if hc.Spec.SSHKey.Name != "" {
		copies[hc.Spec.SSHKey.Name] = "ssh-key"
	}
	if e := hc.Spec.SecretEncryption; e != nil && e.AESCBC != nil {
		copies[e.AESCBC.ActiveKey.Name] = e.AESCBC.ActiveKey.Name
	}
	for from, to := range copies {
		source := seen.secrets[from]
		if source == nil {
			continue
		}
		if err := c.writeSecret(ctx, planeNamespace(hc), to, source.Type, source.Data, nil); err != nil {
			return err
		}
	}
	return nil
}

func (o *operator) writeSecret(ctx context.Context, namespace, name string, kind corev1.SecretType, data map[string][]byte, owner *hyperv1.HostedCluster) error {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: kind}
	_, err := controllerutil.CreateOrPatch(ctx, o.client, s, func() error {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		maps.Copy(s.Data, data)
		if owner != nil {
			return controllerutil.SetOwnerReference(owner, s, o.client.Scheme())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing Secret %s/%s: %w", namespace, name, err)
	}
	return nil
}

// advance takes the control plane a stage further and says when to look again.
func (c *clusters) advance(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings, found release) (time.Duration, error) {
	if err := c.plane(ctx, hc); err != nil {
		return 0, err
	}
	if hc.Status.Version == nil {
		hc.Status.Version = &hyperv1.ClusterVersionStatus{}
	}
	version, image := hc.Status.Version, hc.Spec.Release.Image
	version.Desired = configv1.Release{Image: image, Version: found.Version}
	version.History = begun(version.History, image, found)
	etcd, err := c.etcdTrouble(ctx, hc, seen, found)
	if err != nil {
		return 0, err
	}
	p, left := c.stages(hc, seen, etcd)
	if p.kubeAPI {
		err := c.publish(ctx, hc)
		if err != nil {
			c.log.Error("hosted API server does not start", "hostedcluster", hc.Name, "why", err.Error())
			p.kubeAPI, left = false, c.delay("retest", 30*time.Second)
		}
		p.kubeconfig = err == nil
	}
	if err := c.crash(ctx, hc, p); err != nil {
		return 0, err
	}
	tell(hc, p.notes()...)
	if p.kubeconfig {
		if wait := c.left(hc, "ignition", 30*time.Second); wait > 0 {
			left = wait
		} else if err := c.ignition(ctx, hc); err != nil {
			return 0, err
		}
	}
	if err := c.tellPlane(ctx, hc); err != nil {
		return 0, err
	}
	if left > 0 || hc.Status.IgnitionEndpoint == "" {
		return left, nil
	}
	if err := c.clusterAPI(ctx, hc); err != nil {
		return 0, err
	}
	return c.operate(ctx, hc, found)
}

// begun adds a release to a history of versions, Partial until it is completed, where it is not the newest already.
func begun(history []configv1.UpdateHistory, image string, found release) []configv1.UpdateHistory {
	if len(history) > 0 && history[0].Image == image {
		return history
	}
	next := configv1.UpdateHistory{State: configv1.PartialUpdate, StartedTime: at(), Image: image, Version: found.Version}
	return append([]configv1.UpdateHistory{next}, history...)
}

// left is how long a stage of this cluster still lasts; stages that were over before a restart stay so.
func (c *clusters) left(hc *hyperv1.HostedCluster, name string, real time.Duration) time.Duration {
	if hc.Status.IgnitionEndpoint != "" {
		return 0
	}
	return c.clock.Left(string(hc.UID)+"/"+name, c.delay(name, real))
}

// stages says how far the control plane has come, and how long the stage that it is in still lasts; zero where only
// a change helps, or nothing is left.
func (c *clusters) stages(hc *hyperv1.HostedCluster, seen *surroundings, etcd string) (plane, time.Duration) {
	p := plane{degraded: judgeCatalogs(hc)}
	if left := c.left(hc, "infrastructure", time.Minute); left > 0 {
		return p, left
	}
	p.infrastructure = true
	if p.etcdMessage = etcd; etcd != "" {
		return p, c.delay("retest", 30*time.Second)
	}
	if left := c.left(hc, "etcd", 2*time.Minute); left > 0 {
		return p, left
	}
	p.etcd = true
	if left := c.left(hc, "kube-apiserver", 3*time.Minute); left > 0 {
		return p, left
	}
	if c.world.Faults.On("never-available") {
		return p, 0
	}
	if err := judgeEtcdKey(hc, seen.secrets); err != nil {
		p.degraded = err.Error()
		return p, c.delay("retest", 30*time.Second)
	}
	p.kubeAPI = true
	return p, 0
}

// publish starts the hosted API server and writes its credentials.
func (c *clusters) publish(ctx context.Context, hc *hyperv1.HostedCluster) error {
	api, err := c.hosted.api(ctx, planeNamespace(hc))
	if err != nil {
		return err
	}
	hc.Status.ControlPlaneEndpoint = hyperv1.APIEndpoint{Host: api.Host, Port: api.Port}
	kubeconfig := map[string][]byte{"kubeconfig": api.Kubeconfig}
	for _, where := range []struct {
		namespace, name string
		owner           *hyperv1.HostedCluster
	}{{planeNamespace(hc), "admin-kubeconfig", nil}, {hc.Namespace, hc.Name + "-admin-kubeconfig", hc}} {
		if err := c.writeSecret(ctx, where.namespace, where.name, corev1.SecretTypeOpaque, kubeconfig, where.owner); err != nil {
			return err
		}
	}
	hc.Status.KubeConfig = &corev1.LocalObjectReference{Name: hc.Name + "-admin-kubeconfig"}
	return c.password(ctx, hc)
}

// password makes the kubeadmin password, once.
func (c *clusters) password(ctx context.Context, hc *hyperv1.HostedCluster) error {
	name := hc.Name + "-kubeadmin-password"
	err := c.client.Get(ctx, types.NamespacedName{Namespace: hc.Namespace, Name: name}, &corev1.Secret{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading Secret %s/%s: %w", hc.Namespace, name, err)
	}
	if err != nil {
		data := map[string][]byte{"password": []byte(letters(5) + "-" + letters(5) + "-" + letters(5) + "-" + letters(5))}
		if err := c.writeSecret(ctx, planeNamespace(hc), "kubeadmin-password", corev1.SecretTypeOpaque, data, nil); err != nil {
			return err
		}
		if err := c.writeSecret(ctx, hc.Namespace, name, corev1.SecretTypeOpaque, data, hc); err != nil {
			return err
		}
	}
	hc.Status.KubeadminPassword = &corev1.LocalObjectReference{Name: name}
	return nil
}

// available says whether the hosted API server answers.
func available(hc *hyperv1.HostedCluster) bool {
	return meta.IsStatusConditionTrue(hc.Status.Conditions, string(hyperv1.HostedClusterAvailable))
}

// gone says whether an object is not there (any more).
func (o *operator) gone(ctx context.Context, object client.Object) (bool, error) {
	err := o.client.Get(ctx, client.ObjectKeyFromObject(object), object)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return true, nil
	}
	return false, err
}
