package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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

// Reads the service's configuration, which may name another ConfigMap, and the
// service.
func (AssistedConfig) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{agentServiceConfig(), assistedService(f)}
}

// Follows the ConfigMap, which tells whether the service has to be restarted.
func (s AssistedConfig) Follows(f *labs.Facts, seen kube.Seen) []kube.Ref {
	return []kube.Ref{s.ref(f, seen)}
}

func assistedService(f *labs.Facts) kube.Ref {
	return deploymentRef(f.MCE.Namespace, "assisted-service")
}

// restartFor holds a digest of settings. On the ConfigMap it says for which ones a
// running service has to be restarted, on the service's pods for which ones it was.
const restartFor = "labrun/restart-for"

func (AssistedConfig) settings(f *labs.Facts) map[string]string {
	settings := map[string]string{"ALLOW_CONVERGED_FLOW": strconv.FormatBool(f.MCE.ConvergedFlow)}
	if len(f.AgentService.PublicRegistries) > 0 {
		settings["PUBLIC_CONTAINER_REGISTRIES"] = strings.Join(f.AgentService.PublicRegistries, ",")
	}
	return settings
}

// Objects set the lab's settings, and leave others as they are. A service that
// runs already reads them at its next start only: it is restarted, also where an
// earlier run was killed before it came to that.
func (s AssistedConfig) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	settings, ref := s.settings(f), s.ref(f, seen)
	due := text(seen.Get(ref), "metadata", "annotations", restartFor)
	service := seen.Get(assistedService(f))
	if service != nil && differs(seen.Get(ref), settings) {
		due = digest(settings)
	}
	change := func(u *unstructured.Unstructured) error {
		if due != "" {
			annotate(u, restartFor, due)
		}
		return setData(settings)(u)
	}
	intents := []kube.Intent{{How: kube.Merge, Object: blank(ref), Shared: true, Primary: true, Change: change}}
	if service != nil && due != "" {
		intents = append(intents, kube.Intent{How: kube.Merge, Object: blank(assistedService(f)), Shared: true,
			Change: setText(due, "spec", "template", "metadata", "annotations", restartFor)})
	}
	return intents, nil
}

// differs says whether a ConfigMap lacks one of the settings.
func differs(u *unstructured.Unstructured, settings map[string]string) bool {
	for key, value := range settings {
		if text(u, "data", key) != value {
			return true
		}
	}
	return false
}

// digest tells settings apart.
func digest(settings map[string]string) string {
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(hash, "%s=%s\n", key, settings[key]) //nolint:errcheck // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// Judge waits for the service where it was restarted.
func (s AssistedConfig) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if text(seen.Get(assistedService(f)), "spec", "template", "metadata", "annotations", restartFor) != "" {
		if ok, v := rolledOut(seen, assistedService(f)); !ok {
			return v
		}
	}
	flow := "off"
	if f.MCE.ConvergedFlow {
		flow = "on"
	}
	return done("converged flow: %s", flow)
}
