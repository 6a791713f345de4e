package hypershift

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// clusters reconciles HostedClusters.
type clusters struct {
	*operator
}

// Reconcile judges one HostedCluster and takes its control plane further.
func (c *clusters) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	hc := &hyperv1.HostedCluster{}
	if err := c.client.Get(ctx, request.NamespacedName, hc); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if silent, err := c.silent(ctx); err != nil || silent {
		return reconcile.Result{}, err
	}
	if hc.DeletionTimestamp != nil {
		return obj.Settle(c.remove(ctx, hc))
	}
	original := hc.DeepCopy()
	again, err := c.pass(ctx, hc)
	done := verdict(hyperv1.ReconciliationSucceeded, err, "ReconciliationError", "Reconciliation completed successfully")
	if done.ok {
		done.reason = "ReconciliatonSucceeded" // spelt so in the operator
	} else {
		c.log.Info("HostedCluster does not reconcile", "hostedcluster", request.String(), "why", err.Error())
		again = c.delay("retest", 30*time.Second)
	}
	tell(hc, done)
	if !equality.Semantic.DeepEqual(original.Status, hc.Status) {
		// An update: a merge patch would leave out the nulls that the schema requires (completionTime).
		if err := c.client.Status().Update(ctx, hc); err != nil {
			return obj.Settle(reconcile.Result{}, fmt.Errorf("writing the status of HostedCluster %s: %w", request, err))
		}
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// pass is one pass over a HostedCluster; its error is what ReconciliationSucceeded says.
func (c *clusters) pass(ctx context.Context, hc *hyperv1.HostedCluster) (time.Duration, error) {
	seen, err := c.look(ctx, hc)
	if err != nil {
		return 0, err
	}
	retest := c.delay("retest", 30*time.Second)
	if err := c.spoil(ctx, hc, seen); err != nil {
		return 0, err
	}
	config, support := judgeConfiguration(hc, seen.around), judgeSupport(hc)
	tell(hc,
		verdict(hyperv1.ValidHostedClusterConfiguration, config, hyperv1.InvalidConfigurationReason, "Configuration passes validation"),
		verdict(hyperv1.SupportedHostedCluster, support, hyperv1.UnsupportedHostedClusterReason, "HostedCluster is supported by operator configuration"),
		note{hyperv1.ReconciliationActive, true, "ReconciliationActive", "Reconciliation active on resource"},
	)
	found, releaseErr := c.release(ctx, hc, seen)
	if err := c.own(ctx, hc); err != nil {
		return 0, err
	}
	role := judgeRole(seen.role)
	sync := judgeSync(hc, seen.secrets)
	c.tellProgress(hc, errors.Join(prefixed("ValidConfiguration", config), prefixed("SupportedHostedCluster", support), prefixed("ValidReleaseImage", releaseErr), role, sync))
	switch {
	case config != nil:
		return retest, fmt.Errorf("configuration is invalid: %w", config)
	case support != nil, releaseErr != nil:
		return retest, nil
	}
	if err := c.namespace(ctx, hc); err != nil {
		return 0, err
	}
	tell(hc, verdict(hyperv1.PlatformCredentialsFound, role, hyperv1.PlatformCredentialsNotFoundReason, "Required platform credentials are found"))
	if err := errors.Join(role, sync); err != nil {
		return retest, err
	}
	if err := c.sync(ctx, hc, seen); err != nil {
		return 0, err
	}
	return c.advance(ctx, hc, seen, found)
}

func prefixed(condition string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s condition is false: %w", condition, err)
}

// tellProgress sets Progressing, and Available until there is a control plane to ask.
func (c *clusters) tellProgress(hc *hyperv1.HostedCluster, blocked error) {
	completed := hc.Status.Version != nil && len(hc.Status.Version.History) > 0 && hc.Status.Version.History[0].State == configv1.CompletedUpdate
	progress := note{hyperv1.HostedClusterProgressing, true, "Progressing", "HostedCluster is deploying, upgrading, or reconfiguring"}
	if hc.Status.Version != nil && (completed || hc.Status.Version.Desired.Image == hc.Spec.Release.Image) {
		progress = note{hyperv1.HostedClusterProgressing, false, hyperv1.AsExpectedReason, "HostedCluster is at expected version"}
	}
	if blocked != nil {
		progress = note{hyperv1.HostedClusterProgressing, false, hyperv1.BlockedReason, blocked.Error()}
	}
	tell(hc, progress)
	if meta.FindStatusCondition(hc.Status.Conditions, string(hyperv1.EtcdAvailable)) == nil {
		message := "Waiting for hosted control plane to be healthy"
		if blocked != nil {
			message = blocked.Error()
		}
		tell(hc, note{hyperv1.HostedClusterAvailable, false, hyperv1.WaitingForAvailableReason, message})
	}
}

// release judges the release image: condition ValidReleaseImage. One that was
// found valid is not looked up again, but told for each generation.
func (c *clusters) release(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings) (release, error) {
	key := string(hc.UID) + "/" + hc.Spec.Release.Image
	if found, ok := c.hosted.release(key); ok && meta.IsStatusConditionTrue(hc.Status.Conditions, string(hyperv1.ValidReleaseImage)) {
		tell(hc, verdict(hyperv1.ValidReleaseImage, nil, hyperv1.AsExpectedReason, "Release image is valid"))
		return found, nil
	}
	found, err := c.findRelease(ctx, hc, seen)
	reason := hyperv1.InvalidImageReason
	switch {
	case errors.Is(err, errPullSecret):
		reason = hyperv1.SecretNotFoundReason
	case errors.Is(err, errArch):
		reason = hyperv1.PayloadArchNotFoundReason
	case err == nil:
		hc.Status.PayloadArch = found.Arch
		c.hosted.remember(key, found)
	}
	tell(hc, verdict(hyperv1.ValidReleaseImage, err, reason, "Release image is valid"))
	return found, err
}

func (c *clusters) findRelease(ctx context.Context, hc *hyperv1.HostedCluster, seen *surroundings) (release, error) {
	pullSecret, err := judgePullSecret(hc.Spec.PullSecret.Name, seen.secrets)
	if err != nil {
		return release{}, err
	}
	if c.world.Faults.On("invalid-release") {
		return release{}, fmt.Errorf("failed to lookup release image: failed to get release info from image %s: unable to read image %s: manifest unknown: manifest unknown", hc.Spec.Release.Image, hc.Spec.Release.Image)
	}
	c.breakRegistry()
	found, err := registries{names: c.names}.find(ctx, hc.Spec.Release.Image, howAsked(hc, seen, pullSecret))
	if err != nil {
		return release{}, fmt.Errorf("failed to lookup release image: %w", err)
	}
	if _, skip := hc.Annotations[skipRelease]; skip {
		return found, nil
	}
	return found, judgeVersion(found.Version, seen.supported, hc.Spec.Networking.NetworkType)
}

func howAsked(hc *hyperv1.HostedCluster, seen *surroundings, pullSecret []byte) asked {
	how := asked{Mirrors: hc.Spec.ImageContentSources, PullSecret: pullSecret}
	if hc.Spec.AdditionalTrustBundle != nil {
		how.CA = []byte(seen.around.ConfigMaps[hc.Spec.AdditionalTrustBundle.Name]["ca-bundle.crt"])
	}
	return how
}

// own adds the finalizer and the ids that the operator gives.
func (c *clusters) own(ctx context.Context, hc *hyperv1.HostedCluster) error {
	status := hc.Status.DeepCopy()
	original := hc.DeepCopy()
	changed := controllerutil.AddFinalizer(hc, clusterFinalizer)
	if hc.Spec.ClusterID == "" {
		hc.Spec.ClusterID, changed = uuid.NewString(), true
	}
	if hc.Spec.InfraID == "" {
		hc.Spec.InfraID, changed = hc.Name+"-"+letters(5), true
	}
	if !changed {
		return nil
	}
	if err := c.client.Patch(ctx, hc, client.MergeFrom(original), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("giving HostedCluster %s its ids: %w", client.ObjectKeyFromObject(hc), err)
	}
	hc.Status = *status
	return nil
}

// letters are n random ones, as in the names that Kubernetes generates.
func letters(n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(raw)
}

// at is now, as statuses hold it.
func at() metav1.Time { return metav1.Now().Rfc3339Copy() }
