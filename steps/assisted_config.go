package steps

import (
	"strconv"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// configAnnotation names the ConfigMap with assisted-service's own settings.
const configAnnotation = "unsupported.agent-install.openshift.io/assisted-service-configmap"

// AssistedConfig holds assisted-service's settings: whether Metal3 inspects and
// deploys (the converged flow), and which registries need no credentials.
type AssistedConfig struct {
	kube.Patched
	Name string `yaml:"name" default:"assisted-service-config" doc:"ConfigMap, where AgentServiceConfig names none yet"`
}

func (s AssistedConfig) ref(f *labs.Facts, seen kube.Seen) kube.Ref {
	name := s.Name
	if u := seen.Get(agentServiceConfig()); u != nil && u.GetAnnotations()[configAnnotation] != "" {
		name = u.GetAnnotations()[configAnnotation]
	}
	return configMapRef(f.MCE.Namespace, name)
}

// Reads the service's configuration, which may name another ConfigMap.
func (AssistedConfig) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{agentServiceConfig()} }

// Objects set the lab's settings, and leave others as they are.
func (s AssistedConfig) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	settings := map[string]string{"ALLOW_CONVERGED_FLOW": strconv.FormatBool(f.MCE.ConvergedFlow)}
	if len(f.AgentService.PublicRegistries) > 0 {
		settings["PUBLIC_CONTAINER_REGISTRIES"] = strings.Join(f.AgentService.PublicRegistries, ",")
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(s.ref(f, seen)), Shared: true, Change: setData(settings)}}, nil
}

// Judge is satisfied by the ConfigMap.
func (s AssistedConfig) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	flow := "not converged"
	if f.MCE.ConvergedFlow {
		flow = "converged"
	}
	return done("flow: %s", flow)
}
