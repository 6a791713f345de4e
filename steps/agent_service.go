package steps

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// AgentService runs assisted-service with the lab's live image and mirrors. The
// service knows one configuration, called agent: one that is there is extended.
type AgentService struct {
	kube.Patched
	Config     string        `yaml:"config" default:"assisted-service-config" doc:"ConfigMap with the service's settings"`
	Registries string        `yaml:"registries" default:"custom-registries" doc:"ConfigMap with the mirrors of a disconnected lab"`
	Grace      labs.Duration `yaml:"grace" default:"2m" doc:"how long a reconcile error may stand before it is terminal"`
}

// Reads the configuration that is there.
func (AgentService) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{agentServiceConfig()} }

// Objects make the configuration, or add what the lab needs to the one there is.
func (s AgentService) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	fresh, err := s.fresh(f)
	if err != nil {
		return nil, err
	}
	change := func(u *unstructured.Unstructured) error {
		if u.GetResourceVersion() == "" {
			return s.fill(u, fresh)
		}
		return s.extend(u, f)
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(agentServiceConfig()), Shared: true, Change: change}}, nil
}

// fresh is the spec of a new configuration.
func (s AgentService) fresh(f *labs.Facts) (crd.AgentServiceConfigSpec, error) {
	var spec crd.AgentServiceConfigSpec
	claims := map[string]*corev1.PersistentVolumeClaimSpec{}
	for fact, size := range map[string]string{"database_storage": f.AgentService.DatabaseStorage, "filesystem_storage": f.AgentService.FilesystemStorage, "image_storage": f.AgentService.ImageStorage} {
		claim, err := claimOf(size, f.AgentService.StorageClass)
		if err != nil {
			return spec, fmt.Errorf("lab.agent_service.%s: %w", fact, err)
		}
		claims[fact] = claim
	}
	spec.DatabaseStorage, spec.FileSystemStorage, spec.ImageStorage = *claims["database_storage"], *claims["filesystem_storage"], claims["image_storage"]
	spec.OSImages = []crd.OSImage{osImage(f)}
	if f.Disconnected {
		spec.MirrorRegistryRef = &corev1.LocalObjectReference{Name: s.Registries}
	}
	return spec, nil
}

func claimOf(size, class string) (*corev1.PersistentVolumeClaimSpec, error) {
	quantity, err := resource.ParseQuantity(size)
	if err != nil {
		return nil, fmt.Errorf("%q is no size: expected a quantity such as 20Gi", size)
	}
	claim := &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: quantity}},
	}
	if class != "" {
		claim.StorageClassName = &class
	}
	return claim, nil
}

func osImage(f *labs.Facts) crd.OSImage {
	return crd.OSImage{OpenshiftVersion: minorOf(f.Release.Version), Version: f.Release.RHCOS.Version,
		URL: f.Release.RHCOS.ISO, RootFSURL: f.Release.RHCOS.RootFS, CPUArchitecture: f.Release.Arch}
}

func (s AgentService) fill(u *unstructured.Unstructured, spec crd.AgentServiceConfigSpec) error {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		return err
	}
	s.name(u)
	return unstructured.SetNestedMap(u.Object, m, "spec")
}

// name names the ConfigMap with the service's settings, where none is named.
func (s AgentService) name(u *unstructured.Unstructured) {
	if u.GetAnnotations()[configAnnotation] == "" {
		annotate(u, configAnnotation, s.Config)
	}
}

// extend adds the lab's live image, and names settings and mirrors where none are.
// An image of this version that other labs use stays as it is: two labs that each
// named their own place for it would change it back and forth.
func (s AgentService) extend(u *unstructured.Unstructured, f *labs.Facts) error {
	s.name(u)
	if f.Disconnected && text(u, "spec", "mirrorRegistryRef", "name") == "" {
		if err := unstructured.SetNestedField(u.Object, s.Registries, "spec", "mirrorRegistryRef", "name"); err != nil {
			return err
		}
	}
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(new(osImage(f)))
	if err != nil {
		return err
	}
	list, _, err := unstructured.NestedSlice(u.Object, "spec", "osImages")
	if err != nil {
		return err
	}
	same := func(item any) bool {
		have, ok := item.(map[string]any)
		return ok && have["openshiftVersion"] == m["openshiftVersion"] && have["cpuArchitecture"] == m["cpuArchitecture"] && have["version"] == m["version"]
	}
	if i := slices.IndexFunc(list, same); i < 0 {
		list = append(list, m)
	} else if !usedByOthers(u, f.Name) {
		list[i] = m
	}
	return unstructured.SetNestedSlice(u.Object, list, "spec", "osImages")
}

// usedByOthers says whether other labs use an object of the hub.
func usedByOthers(u *unstructured.Unstructured, lab string) bool {
	for annotation := range u.GetAnnotations() {
		if user, ok := strings.CutPrefix(annotation, kube.UsedBy); ok && user != lab {
			return true
		}
	}
	return false
}

// Judge waits for the service's roll-out.
func (s AgentService) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := agentServiceConfig()
	u := seen.Get(ref)
	for _, name := range []string{"ReconcileCompleted", "DeploymentsHealthy"} {
		v, ok := awaited(ref, u, name)
		if ok {
			continue
		}
		if c := crd.ConditionOf(u, name); c.Is("False") && name == "ReconcileCompleted" {
			return stuck(ref, u, c, seen, s.Grace.Duration, trouble.AgentServiceRefused, look(ref))
		}
		if name == "DeploymentsHealthy" {
			v = known(v, trouble.AgentServiceDown)
		}
		return v
	}
	return done("assisted-service healthy")
}
