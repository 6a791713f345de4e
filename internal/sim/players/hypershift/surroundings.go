package hypershift

import (
	"context"
	"encoding/json"
	"fmt"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// defaultClass marks the default StorageClass.
const defaultClass = "storageclass.kubernetes.io/is-default-class"

// surroundings are what the operator reads beside a HostedCluster.
type surroundings struct {
	around    around
	secrets   secrets
	role      bool
	classes   map[string]bool // StorageClasses; true for a default one
	supported []string        // minors that the operator supports
}

func (o *operator) look(ctx context.Context, hc *hyperv1.HostedCluster) (*surroundings, error) {
	s := &surroundings{
		around:  around{ConfigMaps: map[string]map[string]string{}},
		secrets: secrets{}, classes: map[string]bool{},
	}
	var found corev1.SecretList
	if err := o.client.List(ctx, &found, client.InNamespace(hc.Namespace)); err != nil {
		return nil, fmt.Errorf("listing Secrets of %s: %w", hc.Namespace, err)
	}
	for i := range found.Items {
		s.secrets[found.Items[i].Name] = &found.Items[i]
	}
	var maps corev1.ConfigMapList
	if err := o.client.List(ctx, &maps, client.InNamespace(hc.Namespace)); err != nil {
		return nil, fmt.Errorf("listing ConfigMaps of %s: %w", hc.Namespace, err)
	}
	for _, m := range maps.Items {
		s.around.ConfigMaps[m.Name] = m.Data
	}
	var classes storagev1.StorageClassList
	if err := o.client.List(ctx, &classes); err != nil {
		return nil, fmt.Errorf("listing StorageClasses: %w", err)
	}
	for _, c := range classes.Items {
		s.classes[c.Name] = c.Annotations[defaultClass] == "true"
	}
	if err := o.lookAtAgents(ctx, hc, s); err != nil {
		return nil, err
	}
	return s, o.lookAtVersions(ctx, s)
}

func (o *operator) lookAtAgents(ctx context.Context, hc *hyperv1.HostedCluster, s *surroundings) error {
	if hc.Spec.Platform.Agent == nil {
		s.role = true
		return nil
	}
	namespace := hc.Spec.Platform.Agent.AgentNamespace
	switch err := o.client.Get(ctx, types.NamespacedName{Name: namespace}, &corev1.Namespace{}); {
	case err == nil:
		s.around.AgentNamespace = true
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("reading namespace %s: %w", namespace, err)
	}
	err := o.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: capiRole}, &rbacv1.Role{})
	s.role = err == nil
	return client.IgnoreNotFound(err)
}

// lookAtVersions reads ConfigMap supported-versions, which MCE's HyperShift puts beside its operator.
func (o *operator) lookAtVersions(ctx context.Context, s *surroundings) error {
	m := &corev1.ConfigMap{}
	if err := o.client.Get(ctx, types.NamespacedName{Namespace: operatorNamespace, Name: "supported-versions"}, m); err != nil {
		return client.IgnoreNotFound(err)
	}
	var content struct {
		Versions []string `json:"versions"`
	}
	if err := json.Unmarshal([]byte(m.Data["supported-versions"]), &content); err != nil {
		return nil //nolint:nilerr // what cannot be read limits nothing
	}
	s.supported = content.Versions
	return nil
}
