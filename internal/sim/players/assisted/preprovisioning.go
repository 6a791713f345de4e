package assisted

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watchImages sets up the part of the converged flow that gives the baremetal-operator's PreprovisioningImages the ISO.
func (s *service) watchImages(mgr ctrl.Manager) error {
	neighbours := s.neighbours(obj.Metal3, "PreprovisioningImage")
	return ctrl.NewControllerManagedBy(mgr).Named("preprovisioningimage").
		For(obj.New(obj.Metal3, "PreprovisioningImage", "", "")).
		Watches(obj.New(obj.AgentInstall, "InfraEnv", "", ""), neighbours).
		Watches(&apps.Deployment{}, s.everyone(obj.Metal3, "PreprovisioningImage")).
		Complete(by(s.image))
}

func (s *service) image(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, s, obj.Metal3, "PreprovisioningImage", key.Namespace, key.Name)
	if err != nil || was == nil || was.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, err
	}
	env, err := s.running(ctx)
	if err != nil || env == nil {
		return ctrl.Result{}, err
	}
	if converged, err := s.converged(ctx, env); err != nil || !converged {
		return ctrl.Result{}, err // the hub's own image customization answers for it
	}
	name := was.GetLabels()[infraEnvLabel]
	if name == "" {
		bmh, err := obj.Get(ctx, s, obj.Metal3, "BareMetalHost", key.Namespace, key.Name)
		if err != nil || bmh == nil {
			return ctrl.Result{}, err
		}
		if name = bmh.GetLabels()[infraEnvLabel]; name == "" {
			return ctrl.Result{}, nil
		}
	}
	infraEnv, err := obj.Get(ctx, s, obj.AgentInstall, "InfraEnv", key.Namespace, name)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := was.DeepCopy()
	left := judgePreprovisioning(now, infraEnv, s.lasts("iso-cooldown"), time.Now())
	return ctrl.Result{RequeueAfter: left}, obj.WriteStatus(ctx, s, was, now)
}

// judgePreprovisioning writes the image's status: where the ISO is, or why there is none. It gives the time to wait.
func judgePreprovisioning(image, infraEnv *unstructured.Unstructured, cooldown time.Duration, now time.Time) time.Duration {
	formats, _, _ := unstructured.NestedStringSlice(image.Object, "spec", "acceptFormats")
	wanted, have := architecture(obj.String(image, "spec", "architecture")), ""
	if infraEnv != nil {
		have = architecture(obj.String(infraEnv, "spec", "cpuArchitecture"))
	}
	made, err := time.Parse(time.RFC3339, obj.String(infraEnvOrEmpty(infraEnv), "status", "createdTime"))
	var left time.Duration
	switch {
	case !slices.Contains(formats, "iso"):
		refuseFormat(image, true, "UnsupportedImageFormat", "Unsupported image format")
	case infraEnv == nil:
		refuseFormat(image, false, "InfraEnvIsNotAvailable", "InfraEnv is not available")
	case have != wanted:
		refuseFormat(image, true, "InfraEnvArchMismatch", fmt.Sprintf("PreprovisioningImage CPU architecture (%s) does not match InfraEnv CPU architecture (%s)", wanted, have))
	case err != nil:
		refuseFormat(image, false, "WaitingForInfraEnvImageToBeCreated", "Waiting for InfraEnv image to be created")
	case made.Add(cooldown).After(now):
		refuseFormat(image, false, "WaitingForInfraEnvImageToCoolDown", "Waiting for InfraEnv image to cool down")
		left = made.Add(cooldown).Sub(now)
	default:
		obj.Set(image, "iso", "status", "format")
		obj.Set(image, obj.String(infraEnv, "status", "isoDownloadURL"), "status", "imageUrl")
		obj.Set(image, have, "status", "architecture")
		created := obj.FindCondition(infraEnv, "ImageCreated")
		setImageCondition(image, "Ready", created.Status == obj.True, created.Reason, created.Message)
		setImageCondition(image, "Error", created.Reason == "ImageCreationError", created.Reason, created.Message)
	}
	return left
}

func infraEnvOrEmpty(u *unstructured.Unstructured) *unstructured.Unstructured {
	if u == nil {
		return &unstructured.Unstructured{Object: map[string]any{}}
	}
	return u
}

func refuseFormat(image *unstructured.Unstructured, isError bool, reason, message string) {
	for _, field := range []string{"imageUrl", "format", "architecture"} {
		unstructured.RemoveNestedField(image.Object, "status", field)
	}
	setImageCondition(image, "Ready", false, reason, message)
	setImageCondition(image, "Error", isError, reason, message)
}

func setImageCondition(image *unstructured.Unstructured, kind string, on bool, reason, message string) {
	obj.SetCondition(image, obj.Condition{Type: kind, Status: obj.Status(on), Reason: reason, Message: message})
}
