package destroy

import (
	"fmt"
	"slices"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
	for _, o := range withWriters(inside.Objects) {
		ref := kube.Ref{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
		if len(o.OwnerReferences) > 0 || automatic(&o) || entered(items, ref, string(o.UID)) {
			continue
		}
		by, operators := author(&o)
		if operators {
			continue
		}
		why := "made by " + by
		switch lab := o.Labels[kube.LabelLab]; {
		case strings.HasPrefix(by, "labrun/"):
			why += ", and not in this lab's inventory"
		case lab != "":
			why = fmt.Sprintf("its label says lab %s, and this lab's inventory does not hold it; made by %s", lab, by)
		}
		others = append(others, Other{ref, why})
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
	case "ImageStreamTag", "ImageTag": // shown of an ImageStream, which is judged itself
		return true
	}
	return false
}

// withWriters are objects with their managed fields: where OpenShift shows one in two
// groups, either may lack them.
func withWriters(objects []meta.PartialObjectMetadata) []meta.PartialObjectMetadata {
	fields := map[types.UID][]meta.ManagedFieldsEntry{}
	for _, o := range objects {
		if len(o.ManagedFields) > 0 {
			fields[o.UID] = o.ManagedFields
		}
	}
	all := slices.Clone(objects)
	for n := range all {
		if len(all[n].ManagedFields) == 0 {
			all[n].ManagedFields = fields[all[n].UID]
		}
	}
	return all
}

// author is who made an object, as far as its managed fields tell, and whether that is
// an operator. They do not tell who came first: each entry's time is that of the
// manager's last write. So what a tool that makes objects has written is somebody's,
// whoever else writes it, and who only changes objects made none. What no such tool
// wrote is an operator's, unless it is of a kind that people bring.
func author(o *meta.PartialObjectMetadata) (by string, operator bool) {
	var tools, editors, others []string
	for _, f := range o.ManagedFields {
		switch {
		case f.Subresource != "":
		case edits(f.Manager), strings.HasPrefix(f.Manager, "labrun/") && !carries(o):
			editors = append(editors, f.Manager)
		case makes(f.Manager):
			tools = append(tools, f.Manager)
		default:
			others = append(others, f.Manager)
		}
	}
	switch approved := o.Kind == "Agent" && len(others) > 0; { // assisted-service makes Agents, and people approve them, with whatever tool
	case len(tools) > 0 && !approved:
		return anyOf(tools), false
	case len(others) > 0:
		return anyOf(others), !brought(o.Kind) || dependency(o.Kind, others)
	case len(editors) > 0:
		return anyOf(editors), false
	}
	return "somebody unknown", false
}

// anyOf names each of some managers once.
func anyOf(managers []string) string {
	var names []string
	for _, m := range managers {
		if !slices.Contains(names, m) {
			names = append(names, m)
		}
	}
	return strings.Join(names, " or ")
}

// carries says that an object has a mark of labrun's, which made it or shares it: others
// it only changes.
func carries(o *meta.PartialObjectMetadata) bool {
	for annotation := range o.Annotations {
		if strings.HasPrefix(annotation, kube.UsedBy) {
			return true
		}
	}
	return o.Labels[kube.LabelLab] != ""
}

// brought says that an object is of a kind that people bring, and no operator makes by
// itself.
func brought(kind string) bool {
	return slices.Contains([]string{"BareMetalHost", "InfraEnv", "NMStateConfig", "HostedCluster", "NodePool", "AgentClusterInstall", "VirtualMachine",
		"Subscription", "OperatorGroup", "CatalogSource"}, kind)
}

// dependency says that OLM subscribed to what an operator depends on: nobody but its own
// operators wrote that.
func dependency(kind string, writers []string) bool {
	return kind == "Subscription" && slices.Contains(writers, "catalog") &&
		!slices.ContainsFunc(writers, func(w string) bool { return w != "catalog" && w != "olm" })
}

// edits says that a tool of people changes objects that are there, and makes none. To
// replace may be to delete and make.
func edits(manager string) bool {
	return slices.Contains([]string{"kubectl-edit", "kubectl-patch", "kubectl-label", "kubectl-annotate", "kubectl-set", "kubectl-rollout", "kubectl-scale"}, manager)
}

// makes says that a manager is a tool with which people make objects, or labrun.
func makes(manager string) bool {
	for _, tool := range []string{"labrun", "kubectl", "oc", "curl", "Mozilla", "helm", "argocd", "OpenAPI-Generator", "HashiCorp", "Terraform", "terraform", "k9s", "node-fetch", "python-requests"} {
		if manager == tool || strings.HasPrefix(manager, tool+"-") || strings.HasPrefix(manager, tool+"/") {
			return true
		}
	}
	return false
}
