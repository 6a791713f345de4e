package assisted

import (
	"context"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	detached     = "baremetalhost.metal3.io/detached"
	inspect      = "inspect.metal3.io"
	bmhLabel     = "agent-install.openshift.io/bmh"
	deployMethod = "start_assisted_install"
)

// watchHosts sets up the baremetal agent controller.
func (s *service) watchHosts(mgr ctrl.Manager) error {
	neighbours := s.neighbours(obj.Metal3, "BareMetalHost")
	return ctrl.NewControllerManagedBy(mgr).Named("baremetal-agent").
		For(obj.New(obj.Metal3, "BareMetalHost", "", "")).
		Watches(obj.New(obj.AgentInstall, "Agent", "", ""), neighbours).
		Watches(obj.New(obj.AgentInstall, "InfraEnv", "", ""), neighbours).
		Watches(obj.New(obj.Metal3, "PreprovisioningImage", "", ""), neighbours).
		Watches(&apps.Deployment{}, s.everyone(obj.Metal3, "BareMetalHost")).
		Complete(by(s.host))
}

func (s *service) host(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, s, obj.Metal3, "BareMetalHost", key.Namespace, key.Name)
	if err != nil || was == nil || was.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, err
	}
	env, err := s.running(ctx)
	if err != nil || env == nil {
		return ctrl.Result{}, err
	}
	name := was.GetLabels()[infraEnvLabel]
	if name == "" {
		return ctrl.Result{}, nil // not one of ours
	}
	infraEnv, err := obj.Get(ctx, s, obj.AgentInstall, "InfraEnv", key.Namespace, name)
	if err != nil || infraEnv == nil {
		return ctrl.Result{}, err
	}
	agents, err := obj.List(ctx, s, obj.AgentInstall, "Agent", client.InNamespace(key.Namespace))
	if err != nil {
		return ctrl.Result{}, err
	}
	converged, err := s.converged(ctx, env)
	if err != nil {
		return ctrl.Result{}, err
	}
	agent := findAgent(agents, obj.String(was, "spec", "bootMACAddress"))
	bmh := was.DeepCopy()
	left, err := s.shapeHost(ctx, bmh, infraEnv, agent, converged)
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed, err := obj.Write(ctx, s, was, bmh); err != nil || changed {
		return ctrl.Result{RequeueAfter: left}, err
	}
	return ctrl.Result{RequeueAfter: left}, s.shapeAgent(ctx, bmh, agent)
}

// shapeHost gives the host what boots it, or lets it go.
func (s *service) shapeHost(ctx context.Context, bmh, infraEnv, agent *unstructured.Unstructured, converged bool) (time.Duration, error) {
	state := obj.String(bmh, "status", "provisioning", "state")
	if agent != nil && obj.String(agent, "status", "debugInfo", "state") == stateReclaim {
		reattach(bmh, state, converged)
		return 0, nil
	}
	stage := ""
	if agent != nil {
		stage = obj.String(agent, "status", "progress", "currentStage")
	}
	if detaches(converged, state, stage) {
		annotate(bmh, detached, "assisted-service-controller")
	}
	if _, gone := bmh.GetAnnotations()[detached]; gone {
		return 0, nil
	}
	if converged {
		return 0, s.shapeConverged(ctx, bmh)
	}
	if _, said := bmh.GetAnnotations()[inspect]; !said {
		annotate(bmh, inspect, "disabled")
	}
	obj.Set(bmh, "disabled", "spec", "automatedCleaningMode")
	made, _ := time.Parse(time.RFC3339, obj.String(infraEnv, "status", "createdTime"))
	iso := obj.String(infraEnv, "status", "isoDownloadURL")
	act, left := judgeImage(hostState{image: obj.String(bmh, "spec", "image", "url"), state: state, iso: iso, made: made}, s.lasts("iso-cooldown"), time.Now())
	switch act {
	case imageSet:
		obj.Set(bmh, true, "spec", "online")
		obj.Set(bmh, map[string]any{"url": iso, "format": "live-iso"}, "spec", "image")
	case imageClear:
		unstructured.RemoveNestedField(bmh.Object, "spec", "image")
	}
	return left, nil
}

// shapeConverged asks for the assisted installation once the host's PreprovisioningImage is the InfraEnv's.
func (s *service) shapeConverged(ctx context.Context, bmh *unstructured.Unstructured) error {
	if obj.String(bmh, "spec", "customDeploy", "method") == deployMethod {
		return nil
	}
	image, err := obj.Get(ctx, s, obj.Metal3, "PreprovisioningImage", bmh.GetNamespace(), bmh.GetName())
	if err != nil || image == nil {
		return err
	}
	if ready := obj.FindCondition(image, "Ready"); ready.Status == obj.True && ready.Reason == "ImageCreated" {
		obj.Set(bmh, map[string]any{"method": deployMethod}, "spec", "customDeploy")
	}
	return nil
}

// reattach gives a host back to Metal3 after its Agent left its cluster, so that it boots the ISO again.
func reattach(bmh *unstructured.Unstructured, state string, converged bool) {
	annotations := bmh.GetAnnotations()
	_, was := annotations[detached]
	delete(annotations, detached)
	bmh.SetAnnotations(annotations)
	switch {
	case converged && state == "provisioned":
		unstructured.RemoveNestedField(bmh.Object, "spec", "customDeploy")
	case !converged && was:
		unstructured.RemoveNestedField(bmh.Object, "spec", "image")
	}
}

func annotate(u *unstructured.Unstructured, key, value string) {
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	u.SetAnnotations(annotations)
}

// shapeAgent writes the host's wishes into its Agent, at every pass: what somebody else wrote there is overwritten.
func (s *service) shapeAgent(ctx context.Context, bmh, agent *unstructured.Unstructured) error {
	if agent == nil || agent.GetDeletionTimestamp() != nil {
		return nil
	}
	var hints *rootDeviceHints
	if _, given, _ := unstructured.NestedMap(bmh.Object, "spec", "rootDeviceHints"); given {
		h, err := obj.Decode[rootDeviceHints](bmh, "spec", "rootDeviceHints")
		if err != nil {
			return err
		}
		hints = &h
	}
	inventory, err := obj.Decode[inventory](agent, "status", "inventory")
	if err != nil {
		return err
	}
	with := agent.DeepCopy()
	for annotation, field := range map[string]string{
		"bmac.agent-install.openshift.io/role":                      "role",
		"bmac.agent-install.openshift.io/hostname":                  "hostname",
		"bmac.agent-install.openshift.io/machine-config-pool":       "machineConfigPool",
		"bmac.agent-install.openshift.io/installer-args":            "installerArgs",
		"bmac.agent-install.openshift.io/ignition-config-overrides": "ignitionConfigOverrides",
	} {
		if value, ok := bmh.GetAnnotations()[annotation]; ok {
			obj.Set(with, value, "spec", field)
		}
	}
	obj.Set(with, true, "spec", "approved")
	labels := with.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[bmhLabel] = bmh.GetName()
	with.SetLabels(labels)
	if id := findDisk(inventory.Disks, hints); id != "" {
		obj.Set(with, id, "spec", "installation_disk_id")
	}
	_, err = obj.Write(ctx, s, agent, with)
	return err
}
