package steps

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// TrustBundle makes the hosted cluster trust the lab's registry.
type TrustBundle struct{ kube.Patched }

func trustBundleName(f *labs.Facts) string { return f.Hosted.Name + "-user-ca-bundle" }

// Objects are one ConfigMap with the key ca-bundle.crt.
func (TrustBundle) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{Object: configMap(f.Hosted.Namespace, trustBundleName(f), map[string]string{"ca-bundle.crt": f.Registry.CA.Text})}}, nil
}

// Judge is satisfied by the ConfigMap.
func (TrustBundle) Judge(f *labs.Facts, _ kube.Seen) kube.Verdict {
	return done("%s", what(configMapRef(f.Hosted.Namespace, trustBundleName(f))))
}

// CAPIRole lets the Cluster API provider of the hosted cluster work with Agents.
// Newer HyperShift operators make and remove their own.
type CAPIRole struct{ kube.Patched }

const capiRoleName = "capi-provider-role"

func capiRole(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role", Namespace: f.ControlPlaneNamespace(), Name: capiRoleName}
}

// Objects are one Role in the control plane's namespace, made where there is
// none: an operator that keeps its own is not fought with.
func (CAPIRole) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{How: kube.CreateOnce, Object: &rbacv1.Role{
		TypeMeta: typeMeta("rbac.authorization.k8s.io/v1", "Role"), ObjectMeta: meta(f.ControlPlaneNamespace(), capiRoleName),
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"agent-install.openshift.io"}, Resources: []string{"agents"}, Verbs: []string{"*"}}},
	}}}, nil
}

// Judge refuses a Role that does not let the provider work with Agents.
func (CAPIRole) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	role := kube.As[rbacv1.Role](seen, capiRole(f))
	switch {
	case role == nil:
		return wait(capiRole(f), "it does not exist yet")
	case !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "agents") }):
		return fail(capiRole(f), trouble.CAPIRoleEmpty, "grants nothing on agents", "", "delete it: labrun makes a new one; oc delete role -n "+f.ControlPlaneNamespace()+" "+capiRoleName)
	}
	return done("%s", what(capiRole(f)))
}
