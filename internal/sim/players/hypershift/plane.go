package hypershift

import (
	"context"
	"fmt"
	"net"
	"strconv"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// passedOn are the fields that a HostedControlPlane has of its HostedCluster, as they stand there.
func passedOn() []string {
	return []string{
		"channel", "issuerURL", "networking", "clusterID", "infraID", "platform", "dns", "serviceAccountSigningKey",
		"controllerAvailabilityPolicy", "infrastructureAvailabilityPolicy", "fips", "services", "auditWebhook", "etcd",
		"configuration", "imageContentSources", "additionalTrustBundle", "secretEncryption", "olmCatalogPlacement",
		"autoscaling", "nodeSelector", "tolerations",
	}
}

// plane makes the HostedControlPlane.
func (c *clusters) plane(ctx context.Context, hc *hyperv1.HostedCluster) error {
	found, err := obj.Get(ctx, c.client, hyperAPI, "HostedControlPlane", planeNamespace(hc), hc.Name)
	if err != nil || found != nil {
		return err
	}
	source, err := runtime.DefaultUnstructuredConverter.ToUnstructured(hc)
	if err != nil {
		return fmt.Errorf("reading HostedCluster %s: %w", hc.Name, err)
	}
	from, _, _ := unstructured.NestedMap(source, "spec")
	spec := map[string]any{
		"releaseImage": hc.Spec.Release.Image,
		"pullSecret":   map[string]any{"name": "pull-secret"},
		"sshKey":       map[string]any{"name": "ssh-key"},
		"issuerURL":    "https://kubernetes.default.svc",
	}
	for _, field := range passedOn() {
		if value, ok := from[field]; ok && value != nil && value != "" {
			spec[field] = value
		}
	}
	wanted := obj.New(hyperAPI, "HostedControlPlane", planeNamespace(hc), hc.Name)
	wanted.SetFinalizers([]string{controlPlaneFinalizer})
	wanted.SetAnnotations(map[string]string{"hypershift.openshift.io/cluster": hc.Namespace + "/" + hc.Name})
	wanted.Object["spec"] = spec
	if err := obj.Create(ctx, c.client, wanted); err != nil {
		return fmt.Errorf("failed to reconcile hostedcontrolplane: %w", err)
	}
	return nil
}

// tellPlane gives the HostedControlPlane the conditions that its HostedCluster has of it.
func (c *clusters) tellPlane(ctx context.Context, hc *hyperv1.HostedCluster) error {
	found, err := obj.Get(ctx, c.client, hyperAPI, "HostedControlPlane", planeNamespace(hc), hc.Name)
	if err != nil || found == nil {
		return err
	}
	now := found.DeepCopy()
	for _, kind := range []hyperv1.ConditionType{hyperv1.InfrastructureReady, hyperv1.EtcdAvailable, hyperv1.KubeAPIServerAvailable, hyperv1.HostedClusterDegraded, hyperv1.HostedClusterAvailable} {
		if one := meta.FindStatusCondition(hc.Status.Conditions, string(kind)); one != nil {
			obj.SetCondition(now, obj.Condition{Type: one.Type, Status: string(one.Status), Reason: one.Reason, Message: one.Message})
		}
	}
	obj.Set(now, available(hc), "status", "ready")
	obj.Set(now, available(hc), "status", "initialized")
	return obj.WriteStatus(ctx, c.client, found, now)
}

// ignition publishes the ignition server and gives status.ignitionEndpoint.
func (c *clusters) ignition(ctx context.Context, hc *hyperv1.HostedCluster) error {
	for _, svc := range hc.Spec.Services {
		if svc.Service != hyperv1.Ignition {
			continue
		}
		switch svc.Type {
		case hyperv1.NodePort:
			port, err := c.ignitionPort(ctx, planeNamespace(hc), svc.NodePort.Port)
			if err != nil {
				return err
			}
			hc.Status.IgnitionEndpoint = net.JoinHostPort(svc.NodePort.Address, strconv.Itoa(int(port)))
		case hyperv1.Route:
			hc.Status.IgnitionEndpoint = "ignition-server-" + planeNamespace(hc) + "." + c.appsDomain(ctx)
			if svc.Route != nil && svc.Route.Hostname != "" {
				hc.Status.IgnitionEndpoint = svc.Route.Hostname
			}
		}
		tell(hc, note{hyperv1.IgnitionEndpointAvailable, true, hyperv1.AsExpectedReason, "Ignition server deployment is available"})
	}
	return nil
}

func (c *clusters) ignitionPort(ctx context.Context, namespace string, wanted int32) (int32, error) {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "ignition-server-proxy"}}
	_, err := controllerutil.CreateOrPatch(ctx, c.client, svc, func() error {
		svc.Spec.Type = corev1.ServiceTypeNodePort
		svc.Spec.Selector = map[string]string{"app": "ignition-server-proxy"}
		if len(svc.Spec.Ports) == 0 {
			svc.Spec.Ports = []corev1.ServicePort{{Name: "https", Port: 443, NodePort: wanted}}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("publishing the ignition server: %w", err)
	}
	return svc.Spec.Ports[0].NodePort, nil
}

// appsDomain is the hub's own domain for routes.
func (c *clusters) appsDomain(ctx context.Context) string {
	found, err := obj.Get(ctx, c.client, obj.Config, "Ingress", "", "cluster")
	if err != nil || found == nil || obj.String(found, "spec", "domain") == "" {
		return "apps.hub.local"
	}
	return obj.String(found, "spec", "domain")
}

// clusterAPI makes the objects by which Cluster API and its agent provider know the hosted cluster.
func (c *clusters) clusterAPI(ctx context.Context, hc *hyperv1.HostedCluster) error {
	namespace := planeNamespace(hc)
	agentCluster := obj.New(agentAPI, "AgentCluster", namespace, hc.Name)
	agentCluster.Object["spec"] = map[string]any{
		"ignitionEndpoint":     map[string]any{"url": "https://" + hc.Status.IgnitionEndpoint + "/ignition"},
		"controlPlaneEndpoint": map[string]any{"host": hc.Status.ControlPlaneEndpoint.Host, "port": int64(hc.Status.ControlPlaneEndpoint.Port)},
	}
	cluster := obj.New(capiAPI, "Cluster", namespace, hc.Spec.InfraID)
	cluster.SetFinalizers([]string{clusterCRFinalizer})
	cluster.Object["spec"] = map[string]any{
		"infrastructureRef": map[string]any{"apiVersion": agentAPI, "kind": "AgentCluster", "name": hc.Name, "namespace": namespace},
	}
	deployment := obj.New(hiveAPI, "ClusterDeployment", namespace, hc.Name)
	deployment.Object["spec"] = map[string]any{
		"baseDomain": hc.Spec.DNS.BaseDomain, "clusterName": hc.Name, "installed": true,
		"platform":      map[string]any{"agentBareMetal": map[string]any{"agentSelector": map[string]any{}}},
		"pullSecretRef": map[string]any{"name": "pull-secret"},
		"clusterMetadata": map[string]any{
			"clusterID": hc.Spec.ClusterID, "infraID": hc.Spec.InfraID,
			"adminKubeconfigSecretRef": map[string]any{"name": "admin-kubeconfig"},
		},
	}
	for _, one := range []client.Object{agentCluster, cluster, deployment} {
		found := &unstructured.Unstructured{}
		found.SetGroupVersionKind(one.GetObjectKind().GroupVersionKind())
		found.SetNamespace(one.GetNamespace())
		found.SetName(one.GetName())
		if gone, err := c.gone(ctx, found); err != nil || !gone {
			if err != nil {
				return err
			}
			continue
		}
		if err := obj.Create(ctx, c.client, one); err != nil {
			return err
		}
	}
	return nil
}
