package assisted

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// userConfigAnnotation names a ConfigMap of settings that the user wrote.
const userConfigAnnotation = "unsupported.agent-install.openshift.io/assisted-service-configmap"

// operands makes what the service is of, and brings it to the configuration.
func (s *service) operands(ctx context.Context, config *unstructured.Unstructured, spec configSpec, mirror *core.ConfigMap) error {
	owner := []meta.OwnerReference{*meta.NewControllerRef(config, config.GroupVersionKind())}
	at := func(name string) meta.ObjectMeta {
		return meta.ObjectMeta{Namespace: home, Name: name, OwnerReferences: owner, Labels: map[string]string{"app": name}}
	}
	for name, claim := range map[string]core.PersistentVolumeClaimSpec{serviceName: spec.Filesystem, "postgres": spec.Database} {
		if err := obj.Create(ctx, s, &core.PersistentVolumeClaim{ObjectMeta: at(name), Spec: claim}); err != nil {
			return err
		}
	}
	env, err := s.environment(ctx, spec, mirror)
	if err != nil {
		return err
	}
	cm := &core.ConfigMap{ObjectMeta: at(serviceName)}
	if _, err := controllerutil.CreateOrUpdate(ctx, s, cm, func() error { cm.Data = env; return nil }); err != nil {
		return err
	}
	for _, name := range []string{serviceName, imageService} {
		if err := s.publish(ctx, at(name)); err != nil {
			return err
		}
	}
	if err := s.deployService(ctx, config, at(serviceName), env, mirror); err != nil {
		return err
	}
	if err := obj.Create(ctx, s, deployment(at("agentinstalladmission"), 2)); err != nil {
		return err
	}
	return obj.Create(ctx, s, imageServiceSet(at(imageService), spec))
}

// environment is the operator's own ConfigMap of settings.
func (s *service) environment(ctx context.Context, spec configSpec, mirror *core.ConfigMap) (map[string]string, error) {
	images, err := json.Marshal(spec.OSImages)
	if err != nil {
		return nil, err
	}
	env := map[string]string{
		"OS_IMAGES":                   string(images),
		"PUBLIC_CONTAINER_REGISTRIES": strings.Join(public(spec, mirror), ","),
		"AUTH_TYPE":                   "local",
		"ISO_IMAGE_TYPE":              "minimal-iso",
		"NAMESPACE":                   home,
		"AGENT_DOCKER_IMAGE":          "registry.redhat.io/multicluster-engine/assisted-installer-agent-rhel9:latest",
		"CONTROLLER_IMAGE":            "registry.redhat.io/multicluster-engine/assisted-installer-controller-rhel9:latest",
		"INSTALLER_IMAGE":             "registry.redhat.io/multicluster-engine/assisted-installer-rhel9:latest",
	}
	for key, name := range map[string]string{"SERVICE_BASE_URL": serviceName, "IMAGE_SERVICE_BASE_URL": imageService} {
		host, err := s.route(ctx, name)
		if err != nil {
			return nil, err
		}
		env[key] = "https://" + host
	}
	return env, nil
}

// publish makes a Service and its Route.
func (s *service) publish(ctx context.Context, at meta.ObjectMeta) error {
	svc := &core.Service{ObjectMeta: at, Spec: core.ServiceSpec{
		Selector: map[string]string{"app": at.Name},
		Ports:    []core.ServicePort{{Name: at.Name, Port: 8090}},
	}}
	if err := obj.Create(ctx, s, svc); err != nil {
		return err
	}
	host, err := s.route(ctx, at.Name)
	if err != nil {
		return err
	}
	route := obj.New(obj.Route, "Route", at.Namespace, at.Name)
	route.SetOwnerReferences(at.OwnerReferences)
	obj.Set(route, map[string]any{
		"host": host, "to": map[string]any{"kind": "Service", "name": at.Name},
		"port": map[string]any{"targetPort": at.Name}, "tls": map[string]any{"termination": "reencrypt"},
	}, "spec")
	return obj.Create(ctx, s, route)
}

func deployment(at meta.ObjectMeta, count int32) *apps.Deployment {
	labels := map[string]string{"app": at.Name}
	return &apps.Deployment{ObjectMeta: at, Spec: apps.DeploymentSpec{
		Replicas: &count,
		Selector: &meta.LabelSelector{MatchLabels: labels},
		Strategy: apps.DeploymentStrategy{Type: apps.RecreateDeploymentStrategyType},
		Template: core.PodTemplateSpec{
			ObjectMeta: meta.ObjectMeta{Labels: labels},
			Spec:       core.PodSpec{Containers: []core.Container{{Name: at.Name, Image: "registry.redhat.io/multicluster-engine/" + at.Name + "-rhel9"}}},
		},
	}}
}

// deployService keeps the service's Deployment at its ConfigMaps: digests of them on the pods restart it when the
// operator sees one changed.
func (s *service) deployService(ctx context.Context, config *unstructured.Unstructured, at meta.ObjectMeta, env map[string]string, mirror *core.ConfigMap) error {
	user := config.GetAnnotations()[userConfigAnnotation]
	from := []core.EnvFromSource{{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: serviceName}}}}
	digests := map[string]string{"agent-install.openshift.io/config-hash": digest(env)}
	if mirror != nil {
		digests["agent-install.openshift.io/mirror-hash"] = digest(mirror.Data)
	}
	if user != "" {
		from = append(from, core.EnvFromSource{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: user}}})
		cm, err := s.configMap(ctx, user)
		if err != nil {
			return err
		}
		if cm != nil {
			digests["agent-install.openshift.io/user-config-hash"] = digest(cm.Data)
		}
	}
	d := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: at.Namespace, Name: at.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, s, d, func() error {
		if d.ResourceVersion == "" {
			*d = *deployment(at, 1)
			d.Spec.Template.Spec.Volumes = claims(serviceName, "postgres")
		}
		d.Spec.Template.Spec.Containers[0].EnvFrom = from
		if d.Spec.Template.Annotations == nil {
			d.Spec.Template.Annotations = map[string]string{}
		}
		for key, value := range digests {
			d.Spec.Template.Annotations[key] = value
		}
		return nil
	})
	return client.IgnoreAlreadyExists(err)
}

func claims(names ...string) []core.Volume {
	var all []core.Volume
	for _, name := range names {
		all = append(all, core.Volume{Name: name, VolumeSource: core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
	}
	return all
}

func imageServiceSet(at meta.ObjectMeta, spec configSpec) *apps.StatefulSet {
	d := deployment(at, 1)
	set := &apps.StatefulSet{ObjectMeta: at, Spec: apps.StatefulSetSpec{
		Replicas: d.Spec.Replicas, Selector: d.Spec.Selector, Template: d.Spec.Template, ServiceName: at.Name,
	}}
	if spec.Images != nil {
		set.Spec.VolumeClaimTemplates = []core.PersistentVolumeClaim{{ObjectMeta: meta.ObjectMeta{Name: "image-service-data"}, Spec: *spec.Images}}
	}
	return set
}

func digest(data map[string]string) string {
	text, err := json.Marshal(data) // sorted by key
	if err != nil {
		panic(err) // texts only
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}
