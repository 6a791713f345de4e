package destroy

import (
	"fmt"
	"slices"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/labrun/labrun/steps/kube"
)

// Other is an object of a namespace that is somebody else's.
type Other struct {
	Ref kube.Ref
	Why string
}

// Others finds what somebody else has put into a namespace: neither the lab's by
// its inventory, nor owned by another object, nor made by the cluster itself or an
// operator. Kinds that people bring, and no operator makes by itself, are somebody's
// whoever wrote them.
func Others(inside kube.Contents, items []Item) []Other {
	var others []Other
	for _, o := range inside.Objects {
		ref := kube.Ref{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
		if len(o.OwnerReferences) > 0 || automatic(&o) || entered(items, ref, string(o.UID)) {
			continue
		}
		by := creator(&o)
		switch lab := o.Labels[kube.LabelLab]; {
		case strings.HasPrefix(by, "labrun/"):
			others = append(others, Other{ref, "made by " + by + ", and not in this lab's inventory"})
		case lab != "" && !madeByOperator(o.Kind, by):
			others = append(others, Other{ref, fmt.Sprintf("its label says lab %s, and this lab's inventory does not hold it; made by %s", lab, by)})
		case !madeByOperator(o.Kind, by):
			others = append(others, Other{ref, "made by " + by})
		}
	}
	return others
}

// unknown says what of a namespace could not be read, "" where all was: what it holds
// there may be somebody's.
func unknown(inside kube.Contents) string {
	if len(inside.Unread) == 0 {
		return ""
	}
	return "what is in it could not all be read: " + inside.Unread[0]
}

// entered says whether the lab's inventory holds an object, whatever becomes of it. It
// is known by its UID: OpenShift shows a Role in two groups.
func entered(items []Item, ref kube.Ref, uid string) bool {
	return slices.ContainsFunc(items, func(i Item) bool {
		e := i.Entry
		return e.Kind == ref.Kind && e.Namespace == ref.Namespace && e.Name == ref.Name &&
			i.Fate != Left && uid != "" && (i.UID == uid || e.UID == uid)
	})
}

// automatic says that the cluster makes the object in every namespace, or makes it
// of another one.
func automatic(o *meta.PartialObjectMetadata) bool {
	switch o.Kind {
	case "ConfigMap":
		return slices.Contains([]string{"kube-root-ca.crt", "openshift-service-ca.crt"}, o.Name)
	case "ServiceAccount":
		return slices.Contains([]string{"default", "builder", "deployer"}, o.Name)
	case "Secret":
		return o.Annotations["kubernetes.io/service-account.name"] != "" || o.Annotations["openshift.io/internal-registry-auth-token.service-account"] != ""
	case "RoleBinding":
		return strings.HasPrefix(o.Name, "system:")
	case "ClusterServiceVersion": // OLM shows an operator of all namespaces in each; the copy goes with it
		return o.Labels["olm.copiedFrom"] != ""
	case "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "PackageManifest":
		return true
	}
	return false
}

// madeByOperator says that an object may well be an operator's: it is of no kind
// that people bring, and no tool of people wrote it first.
func madeByOperator(kind, by string) bool {
	if kind == "Subscription" && by == "catalog" { // OLM subscribes to what an operator depends on
		return true
	}
	if slices.Contains([]string{"BareMetalHost", "InfraEnv", "NMStateConfig", "HostedCluster", "NodePool", "AgentClusterInstall", "VirtualMachine",
		"Subscription", "OperatorGroup", "CatalogSource"}, kind) {
		return false
	}
	for _, tool := range []string{"kubectl", "oc", "curl", "Mozilla", "helm", "argocd", "OpenAPI-Generator", "HashiCorp", "Terraform", "k9s", "node-fetch", "python-requests"} {
		if by == tool || strings.HasPrefix(by, tool+"-") || strings.HasPrefix(by, tool+"/") {
			return false
		}
	}
	return true
}

// creator is who wrote an object first.
func creator(o *meta.PartialObjectMetadata) string {
	by, first := "somebody unknown", meta.Time{}
	for _, f := range o.ManagedFields {
		if f.Subresource == "" && f.Time != nil && (first.IsZero() || f.Time.Before(&first)) {
			by, first = f.Manager, *f.Time
		}
	}
	return by
}
