package hypershift

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// around is what the operator finds around a HostedCluster when it judges its configuration.
type around struct {
	AgentNamespace bool                         // spec.platform.agent.agentNamespace exists
	ConfigMaps     map[string]map[string]string // of its namespace, by name
}

// judgeConfiguration is condition ValidConfiguration: nil is True/AsExpected, an error False/InvalidConfiguration.
func judgeConfiguration(hc *hyperv1.HostedCluster, seen around) error {
	var errs []error
	if hc.Spec.Platform.Type == hyperv1.AgentPlatform {
		switch {
		case hc.Spec.Platform.Agent == nil:
			errs = append(errs, errors.New("agentcluster needs .spec.platform.agent to be filled"))
		case !seen.AgentNamespace:
			errs = append(errs, fmt.Errorf("failed to get agent namespace: namespaces %q not found", hc.Spec.Platform.Agent.AgentNamespace))
		}
	}
	if hc.Spec.ClusterID != "" {
		if _, err := uuid.Parse(hc.Spec.ClusterID); err != nil {
			errs = append(errs, fmt.Errorf("cannot parse cluster ID %q: %w", hc.Spec.ClusterID, err))
		}
	}
	errs = append(errs, judgePublishing(hc)...)
	if err := judgeNetworks(hc).ToAggregate(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, judgeTrustBundles(hc, seen)...)
	return utilerrors.NewAggregate(errs)
}

// judgePublishing refuses publishing types that a service cannot have, a missing one, and one host name for two.
func judgePublishing(hc *hyperv1.HostedCluster) []error {
	var errs []error
	published := map[hyperv1.ServiceType]bool{}
	hostnames := map[string]hyperv1.ServiceType{}
	for _, svc := range hc.Spec.Services {
		published[svc.Service] = true
		if svc.Service == hyperv1.Ignition && svc.Type != hyperv1.NodePort && svc.Type != hyperv1.Route {
			errs = append(errs, fmt.Errorf("unknown service strategy type for ignition service: %s", svc.Type))
		}
		hostname := ""
		switch {
		case svc.Type == hyperv1.LoadBalancer && svc.LoadBalancer != nil:
			hostname = svc.LoadBalancer.Hostname
		case svc.Type == hyperv1.Route && svc.Route != nil:
			hostname = svc.Route.Hostname
		}
		if other, taken := hostnames[hostname]; taken && hostname != "" {
			errs = append(errs, fmt.Errorf("service type %s can't be published with the same hostname %s as service type %s", svc.Service, hostname, other))
		}
		hostnames[hostname] = svc.Service
	}
	for _, needed := range []hyperv1.ServiceType{hyperv1.APIServer, hyperv1.OAuthServer, hyperv1.Konnectivity, hyperv1.Ignition} {
		if !published[needed] {
			errs = append(errs, fmt.Errorf("%s service strategy not specified", needed))
		}
	}
	return errs
}

func judgeTrustBundles(hc *hyperv1.HostedCluster, seen around) []error {
	var names []string
	if hc.Spec.AdditionalTrustBundle != nil {
		names = append(names, hc.Spec.AdditionalTrustBundle.Name)
	}
	if c := hc.Spec.Configuration; c != nil && c.Proxy != nil && c.Proxy.TrustedCA.Name != "" {
		names = append(names, c.Proxy.TrustedCA.Name)
	}
	var errs []error
	for _, name := range names {
		data, exists := seen.ConfigMaps[name]
		if !exists {
			errs = append(errs, fmt.Errorf("failed to get configMap %s: configmaps %q not found", name, name))
		} else if _, ok := data["ca-bundle.crt"]; !ok {
			errs = append(errs, fmt.Errorf("configMap %s must have a ca-bundle.crt key", name))
		}
	}
	return errs
}

// judgeSupport is condition SupportedHostedCluster: an error is False/UnsupportedHostedCluster.
func judgeSupport(hc *hyperv1.HostedCluster) error {
	switch hc.Spec.Platform.Type {
	case hyperv1.AgentPlatform, hyperv1.NonePlatform:
		return nil
	}
	return fmt.Errorf("platform %s is not supported here: the simulated lab has Agent only", hc.Spec.Platform.Type)
}

// judgeCatalogs says what keeps the catalogs of a control plane from running, "" where nothing does: placed on the
// management cluster of a disconnected lab, their images are looked for at their public names.
func judgeCatalogs(hc *hyperv1.HostedCluster) string {
	_, overridden := hc.Annotations[catalogOverrides]
	if hc.Spec.OLMCatalogPlacement != hyperv1.ManagementOLMCatalogPlacement || len(hc.Spec.ImageContentSources) == 0 || overridden {
		return ""
	}
	return "[certified-operators-catalog deployment has 1 unavailable replicas, community-operators-catalog deployment has 1 unavailable replicas, " +
		"redhat-marketplace-catalog deployment has 1 unavailable replicas, redhat-operators-catalog deployment has 1 unavailable replicas]"
}
