package steps

import (
	"fmt"
	"strings"
	"time"

	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

const mcePackage = "multicluster-engine"

// MCEOperator installs multicluster engine's operator from a catalog.
type MCEOperator struct {
	kube.Patched
	Grace labs.Duration `yaml:"grace" default:"2m" doc:"how long an error that OLM re-tests may stand before it is terminal"`
}

// MCEOperatorOutputs is what was installed.
type MCEOperatorOutputs struct {
	CSV string `yaml:"csv" doc:"ClusterServiceVersion that is installed"`
}

func subscriptions() kube.Ref {
	return kube.Ref{APIVersion: "operators.coreos.com/v1alpha1", Kind: "Subscription"}
}

func operatorGroups(namespace string) kube.Ref {
	return kube.Ref{APIVersion: "operators.coreos.com/v1", Kind: "OperatorGroup", Namespace: namespace}
}

func clusterServiceVersions(namespace string) kube.Ref {
	return kube.Ref{APIVersion: "operators.coreos.com/v1alpha1", Kind: "ClusterServiceVersion", Namespace: namespace}
}

// Reads what is installed already.
func (s MCEOperator) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{subscriptions(), operatorGroups(f.MCE.Namespace), clusterServiceVersions("")}
}

// Objects are namespace, OperatorGroup and Subscription, but for what is there:
// an operator that another lab or somebody else installed is used as it is, from
// whatever channel and catalog.
func (s MCEOperator) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	if found := subscription(seen); found != nil && !appliedBy(f, found) {
		return useFound(found, seen), nil
	}
	ns := namespaceObject(f.MCE.Namespace)
	intents := []kube.Intent{{Object: ns, Shared: true}}
	if groups := seen.List(operatorGroups(f.MCE.Namespace)); len(groups) == 0 || groups[0].GetName() == mcePackage {
		group := &operatorsv1.OperatorGroup{
			TypeMeta:   typeMeta("operators.coreos.com/v1", "OperatorGroup"),
			ObjectMeta: meta(f.MCE.Namespace, mcePackage),
			Spec:       operatorsv1.OperatorGroupSpec{TargetNamespaces: []string{f.MCE.Namespace}},
		}
		intents = append(intents, kube.Intent{Object: group, Shared: true})
	}
	sub := &v1alpha1.Subscription{
		TypeMeta:   typeMeta("operators.coreos.com/v1alpha1", "Subscription"),
		ObjectMeta: meta(f.MCE.Namespace, mcePackage),
		Spec: &v1alpha1.SubscriptionSpec{
			CatalogSource:          f.MCE.Catalog,
			CatalogSourceNamespace: f.MCE.CatalogNamespace,
			Package:                mcePackage,
			Channel:                f.MCE.Channel,
			InstallPlanApproval:    v1alpha1.ApprovalAutomatic,
		},
	}
	return append(intents, kube.Intent{Object: sub, Shared: true, Primary: true}), nil
}

// subscription finds multicluster engine's, wherever it is.
func subscription(seen kube.Seen) *unstructured.Unstructured {
	for _, u := range seen.List(subscriptions()) {
		if text(u, "spec", "name") == mcePackage {
			return u
		}
	}
	return nil
}

// Judge follows the Subscription to its ClusterServiceVersion.
func (s MCEOperator) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := kube.Ref{APIVersion: subscriptions().APIVersion, Kind: "Subscription", Namespace: f.MCE.Namespace, Name: mcePackage}
	sub := subscription(seen)
	if sub == nil {
		return wait(ref, "it does not exist yet")
	}
	ref.Namespace, ref.Name = sub.GetNamespace(), sub.GetName()
	installed := text(sub, "status", "installedCSV")
	csv := installed
	if csv == "" {
		csv = text(sub, "status", "currentCSV")
	}
	if csv == "" {
		return s.unresolved(ref, sub, seen)
	}
	v := s.judgeCSV(seen, sub.GetNamespace(), csv)
	if groups := seen.List(operatorGroups(sub.GetNamespace())); v.State != kube.Done && len(groups) > 1 {
		return tooMany(groups)
	}
	if channel := text(sub, "spec", "channel"); v.State == kube.Done && channel != f.MCE.Channel {
		v.Summary += fmt.Sprintf(", from channel %q as it was found", channel)
	}
	if c := crd.ConditionOf(sub, "InstallPlanPending"); v.State == kube.Waiting && installed == "" && c.Is("True") {
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "install plan", Text: condition(c)})
		if c.Reason == "RequiresApproval" {
			v = known(v, trouble.ApprovalPending)
			v.Report.Next = "approve the plan: oc get installplan -n " + sub.GetNamespace()
		}
	}
	return v
}

// tooMany refuses a namespace of several OperatorGroups: OLM installs nothing
// there, and says so on the InstallPlan alone.
func tooMany(groups []*unstructured.Unstructured) kube.Verdict {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.GetName()
	}
	namespace := groups[0].GetNamespace()
	v := fail(kube.Ref{Kind: "OperatorGroup", Namespace: namespace, Name: names[0]}, trouble.OperatorGroups, "is not the only one of its namespace: OLM installs no operator there", "",
		"delete all but one: oc get operatorgroup -n "+namespace)
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "seen", Text: strings.Join(names, ", ")})
	return v
}

// unresolved judges a Subscription for which OLM has found nothing yet.
func (s MCEOperator) unresolved(ref kube.Ref, sub *unstructured.Unstructured, seen kube.Seen) kube.Verdict {
	for _, bad := range []string{"CatalogSourcesUnhealthy", "ResolutionFailed", "BundleUnpackFailed", "InstallPlanFailed"} {
		if c := crd.ConditionOf(sub, bad); c.Is("True") {
			return stuck(ref, sub, c, seen, s.Grace.Duration, unresolvedTrouble(c), "check lab.mce.catalog and lab.mce.channel against: oc get packagemanifest "+mcePackage)
		}
	}
	return wait(ref, "OLM has not chosen a ClusterServiceVersion yet")
}

// unresolvedTrouble tells a catalog that does not answer from one that lacks the
// operator.
func unresolvedTrouble(c *crd.Condition) trouble.ID {
	if c.Type == "CatalogSourcesUnhealthy" || strings.Contains(c.Message, "failed to list bundles") {
		return trouble.CatalogUnreachable
	}
	return trouble.OperatorUnresolved
}

func (s MCEOperator) judgeCSV(seen kube.Seen, namespace, name string) kube.Verdict {
	ref := kube.Ref{APIVersion: subscriptions().APIVersion, Kind: "ClusterServiceVersion", Namespace: namespace, Name: name}
	for _, u := range seen.List(clusterServiceVersions("")) {
		if u.GetName() != name || u.GetNamespace() != namespace {
			continue
		}
		switch phase := text(u, "status", "phase"); phase {
		case "Succeeded":
			return done("%s Succeeded", strings.Replace(name, ".", " ", 1))
		case "Failed":
			c := &crd.Condition{Type: "phase", Status: phase, Reason: text(u, "status", "reason"), Message: text(u, "status", "message")}
			if at, err := time.Parse(time.RFC3339, text(u, "status", "lastTransitionTime")); err == nil {
				c.LastTransitionTime.Time = at
			}
			return stuck(ref, u, c, seen, s.Grace.Duration, trouble.OperatorFailed, look(ref))
		default:
			return wait(ref, "phase "+phase+" "+text(u, "status", "message"))
		}
	}
	return wait(ref, "it does not exist yet")
}

// Outputs name the installed version.
func (s MCEOperator) Outputs(_ *labs.Facts, seen kube.Seen) MCEOperatorOutputs {
	return MCEOperatorOutputs{CSV: text(subscription(seen), "status", "installedCSV")}
}
