package assisted

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const infraEnvFinalizer = "infraenv.agent-install.openshift.io/ai-deprovision"

// uncoveredImage is the agent's image of a service that was given another build: no lab's pull secret covers it.
const uncoveredImage = "registry.stage.redhat.io/multicluster-engine/assisted-installer-agent-rhel9:latest"

func (s *service) watchInfraEnvs(mgr ctrl.Manager) error {
	neighbours := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		var in []client.ListOption
		if _, isSecret := o.(*core.Secret); isSecret {
			in = append(in, client.InNamespace(o.GetNamespace()))
		}
		items, err := obj.List(ctx, s, obj.AgentInstall, "InfraEnv", in...)
		if err != nil {
			s.world.Log.Error("listing InfraEnvs", "error", err)
		}
		var all []reconcile.Request
		for _, u := range items {
			if _, isSecret := o.(*core.Secret); isSecret && obj.String(&u, "spec", "pullSecretRef", "name") != o.GetName() {
				continue
			}
			all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&u)})
		}
		return all
	})
	return ctrl.NewControllerManagedBy(mgr).Named("infraenv").
		For(obj.New(obj.AgentInstall, "InfraEnv", "", "")).
		Watches(obj.New(obj.AgentInstall, "NMStateConfig", "", ""), neighbours).
		Watches(&core.Secret{}, neighbours).
		Watches(&apps.Deployment{}, s.everyone(obj.AgentInstall, "InfraEnv")).
		Complete(by(s.infraEnv))
}

func (s *service) infraEnv(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, s, obj.AgentInstall, "InfraEnv", key.Namespace, key.Name)
	if err != nil || was == nil {
		return ctrl.Result{}, err
	}
	env, err := s.running(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	if env == nil {
		if was.GetDeletionTimestamp() != nil {
			return ctrl.Result{RequeueAfter: time.Second}, nil
		}
		return ctrl.Result{}, nil
	}
	if done, err := s.holdInfraEnv(ctx, was); done || err != nil {
		return ctrl.Result{}, err
	}
	now := was.DeepCopy()
	obj.Set(now, map[string]any{"matchLabels": map[string]any{infraEnvLabel: key.Name}}, "status", "agentLabelSelector")
	image, inputs, err := s.judgeInfraEnv(ctx, was, env)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return ctrl.Result{}, err
	}
	if err != nil {
		s.refuseImage(now, err)
		again := ctrl.Result{RequeueAfter: s.world.Pace.Delay("iso", durations()["iso"]) + time.Second}
		return again, obj.WriteStatus(ctx, s, was, now)
	}
	if left := s.clock.Left(string(was.GetUID()), s.lasts("iso")); left > 0 && obj.String(was, "status", "isoDownloadURL") == "" {
		return ctrl.Result{RequeueAfter: left}, obj.WriteStatus(ctx, s, was, now)
	}
	s.publishImage(now, env, image, inputs)
	return ctrl.Result{}, obj.WriteStatus(ctx, s, was, now)
}

// holdInfraEnv sees to the finalizer; done is true where there is nothing more to do now.
func (s *service) holdInfraEnv(ctx context.Context, was *unstructured.Unstructured) (done bool, err error) {
	with := was.DeepCopy()
	held := slices.Contains(was.GetFinalizers(), infraEnvFinalizer)
	switch deleted := was.GetDeletionTimestamp() != nil; {
	case deleted:
		with.SetFinalizers(slices.DeleteFunc(with.GetFinalizers(), func(f string) bool { return f == infraEnvFinalizer }))
		done = true
	case !held:
		with.SetFinalizers(append(with.GetFinalizers(), infraEnvFinalizer))
		done = true
	}
	_, err = obj.Write(ctx, s, was, with)
	return done, err
}

// judgeInfraEnv gives the image to build, and a digest of all that goes into it.
func (s *service) judgeInfraEnv(ctx context.Context, u *unstructured.Unstructured, env settings) (image osImage, inputs string, err error) {
	spec, err := obj.Decode[infraEnvSpec](u, "spec")
	if err != nil {
		return image, "", err
	}
	secret := &core.Secret{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: u.GetNamespace(), Name: spec.PullSecret.Name}, secret); apierrors.IsNotFound(err) || spec.PullSecret.Name == "" {
		secret = nil
	} else if err != nil {
		return image, "", err
	}
	var images []osImage
	if err := json.Unmarshal([]byte(env["OS_IMAGES"]), &images); err != nil {
		return image, "", fmt.Errorf("reading OS_IMAGES: %w", err)
	}
	if image, err = chooseImage(images, spec.OSVersion, spec.Arch); err != nil {
		return image, "", err
	}
	if s.world.Faults.On("infraenv-image") {
		env = maps.Clone(env)
		env["AGENT_DOCKER_IMAGE"] = uncoveredImage
	}
	if err := judgePullSecret(spec.PullSecret.Name, secret, env); err != nil {
		return image, "", err
	}
	if err := judgeSSHKeys(spec.SSHKey); err != nil {
		return image, "", err
	}
	if spec.TrustBundle != "" {
		if err := judgeBundle(spec.TrustBundle); err != nil {
			return image, "", userError{err}
		}
	}
	networks, err := s.networks(ctx, spec.NetworkFrom)
	if err != nil {
		return image, "", err
	}
	if err := judgeNetworks(networks); err != nil {
		return image, "", err
	}
	parts, err := json.Marshal([]any{u.Object["spec"], networks, image, secret.Data})
	if err != nil {
		return image, "", err
	}
	return image, digest(map[string]string{"": string(parts)})[:12], nil
}

// networks are the NMStateConfigs that the selector takes, in all namespaces. An empty one takes none.
func (s *service) networks(ctx context.Context, from meta.LabelSelector) ([]networkConfig, error) {
	selector, err := meta.LabelSelectorAsSelector(&from)
	if err != nil {
		return nil, refuse("invalid label selector for InfraEnv: %w", err)
	}
	if selector.Empty() {
		return nil, nil
	}
	items, err := obj.List(ctx, s, obj.AgentInstall, "NMStateConfig", client.MatchingLabelsSelector{Selector: selector})
	if err != nil {
		return nil, err
	}
	var all []networkConfig
	for _, u := range items {
		c := networkConfig{Name: u.GetNamespace() + "/" + u.GetName()}
		text, err := json.Marshal(u.Object["spec"])
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &c.Spec); err != nil {
			return nil, refuse("failed to validate network yaml of NMStateConfig %s: %w", c.Name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func (s *service) refuseImage(now *unstructured.Unstructured, err error) {
	obj.SetCondition(now, obj.Condition{Type: "ImageCreated", Status: obj.False, Reason: "ImageCreationError", Message: imageError(err)})
	unstructured.RemoveNestedField(now.Object, "status", "isoDownloadURL")
	unstructured.RemoveNestedField(now.Object, "status", "createdTime")
	setInfraEnvDebug(now, nil)
}

// publishImage writes the ISO's address. One that was published before stays while what went into it is the same; else
// it is a new image, at an address of its own.
func (s *service) publishImage(now *unstructured.Unstructured, env settings, image osImage, inputs string) {
	id := string(now.GetUID())
	url := s.world.Images.Discovery(id, image.Release, architecture(obj.String(now, "spec", "cpuArchitecture")))
	old := obj.String(now, "status", "isoDownloadURL")
	first := s.images.first(id, inputs)
	if first != inputs {
		url += "?image=" + inputs
	}
	if old != url {
		obj.Set(now, url, "status", "isoDownloadURL")
		obj.Set(now, time.Now().UTC().Format(time.RFC3339), "status", "createdTime")
	}
	setInfraEnvDebug(now, env)
	boot := env["IMAGE_SERVICE_BASE_URL"] + "/boot-artifacts/"
	query := "?arch=" + architecture(image.Arch) + "&version=" + image.Release
	obj.Set(now, map[string]any{
		"kernel": boot + "kernel" + query, "rootfs": boot + "rootfs" + query,
		"initrd":     fmt.Sprintf("%s/images/%s/pxe-initrd%s", env["IMAGE_SERVICE_BASE_URL"], id, query),
		"ipxeScript": fmt.Sprintf("%s/api/assisted-install/v2/infra-envs/%s/downloads/files?file_name=ipxe-script", env["SERVICE_BASE_URL"], id),
	}, "status", "bootArtifacts")
	obj.SetCondition(now, obj.Condition{Type: "ImageCreated", Status: obj.True, Reason: "ImageCreated", Message: "Image has been created"})
}

func setInfraEnvDebug(now *unstructured.Unstructured, env settings) {
	if env["SERVICE_BASE_URL"] != "" {
		obj.Set(now, fmt.Sprintf("%s/api/assisted-install/v2/events?infra_env_id=%s", env["SERVICE_BASE_URL"], now.GetUID()), "status", "debugInfo", "eventsURL")
	}
}
