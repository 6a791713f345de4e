package olm

import (
	"context"
	"fmt"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// groups counts the namespace's OperatorGroups, and tells them where there are several.
func (o *operator) groups(ctx context.Context, namespace string) (int, error) {
	groups, err := obj.List(ctx, o, obj.OLMGroup, "OperatorGroup", client.InNamespace(namespace))
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		now := g.DeepCopy()
		obj.DropCondition(now, "MultipleOperatorGroup")
		if len(groups) > 1 {
			now = g.DeepCopy()
			obj.SetCondition(now, obj.Condition{Type: "MultipleOperatorGroup", Status: obj.True, Reason: "MultipleOperatorGroupsFound", Message: "Multiple OperatorGroup found in the same namespace"})
		}
		if obj.String(now, "status", "lastUpdated") == "" {
			obj.Set(now, time.Now().UTC().Format(time.RFC3339), "status", "lastUpdated")
			targets, _, _ := unstructured.NestedSlice(now.Object, "spec", "targetNamespaces")
			if len(targets) == 0 {
				targets = []any{""}
			}
			obj.Set(now, targets, "status", "namespaces")
		}
		if err := obj.WriteStatus(ctx, o, &g, now); err != nil {
			return 0, err
		}
	}
	return len(groups), nil
}

// subscription resolves one, and makes its InstallPlan.
func (o *operator) subscription(ctx context.Context, was *unstructured.Unstructured) (time.Duration, error) {
	spec, err := obj.Decode[subscriptionSpec](was, "spec")
	if err != nil {
		return 0, err
	}
	state, err := o.catalogState(ctx, spec)
	if err != nil {
		return 0, err
	}
	sub := was.DeepCopy()
	obj.SetCondition(sub, judgeCatalog(spec, state))
	var left time.Duration
	csv, failed := resolve(was.GetName(), spec, state)
	switch {
	case state == catalogConnecting:
	case failed != nil:
		obj.SetCondition(sub, *failed)
	default:
		obj.DropCondition(sub, "ResolutionFailed")
		if left = o.clock.Left(fmt.Sprintf("%s/%s", was.GetUID(), csv), o.world.Pace.Delay("olm-resolve", 15*time.Second)); left == 0 {
			if err := o.plan(ctx, sub, spec, csv); err != nil {
				return 0, err
			}
		}
	}
	return left, o.writeSubscription(ctx, was, sub)
}

// writeSubscription also sets the field that every status of a Subscription must have.
func (o *operator) writeSubscription(ctx context.Context, was, sub *unstructured.Unstructured) error {
	if last := obj.String(was, "status", "lastUpdated"); last != "" {
		obj.Set(sub, last, "status", "lastUpdated")
	} else {
		obj.Set(sub, now(), "status", "lastUpdated")
	}
	return obj.WriteStatus(ctx, o, was, sub)
}

func (o *operator) catalogState(ctx context.Context, s subscriptionSpec) (catalogState, error) {
	catalog, err := obj.Get(ctx, o, obj.OLM, "CatalogSource", s.SourceNamespace, s.Source)
	if err != nil || catalog == nil {
		return catalogMissing, err
	}
	switch obj.String(catalog, "status", "connectionState", "lastObservedState") {
	case "READY":
		return catalogReady, nil
	case "TRANSIENT_FAILURE":
		return catalogFailing, nil
	}
	return catalogConnecting, nil
}

// plan makes the InstallPlan for csv where there is none yet, and says in the Subscription how far things are.
func (o *operator) plan(ctx context.Context, sub *unstructured.Unstructured, spec subscriptionSpec, csv string) error {
	name := obj.String(sub, "status", "installPlanRef", "name")
	if obj.String(sub, "status", "currentCSV") != csv || name == "" {
		made, err := o.makePlan(ctx, sub, spec, csv)
		if err != nil {
			return err
		}
		ref := map[string]any{"apiVersion": obj.OLM, "kind": "InstallPlan", "name": made.GetName(), "namespace": made.GetNamespace(), "uid": string(made.GetUID()), "resourceVersion": made.GetResourceVersion()}
		obj.Set(sub, ref, "status", "installPlanRef")
		obj.Set(sub, map[string]any{"apiVersion": obj.OLM, "kind": "InstallPlan", "name": made.GetName(), "uuid": string(made.GetUID())}, "status", "installplan")
		obj.Set(sub, int64(1), "status", "installPlanGeneration")
		obj.Set(sub, csv, "status", "currentCSV")
		obj.Set(sub, "UpgradePending", "status", "state")
		name = made.GetName()
	}
	installed, err := obj.Get(ctx, o, obj.OLM, "ClusterServiceVersion", sub.GetNamespace(), csv)
	if err != nil {
		return err
	}
	if installed != nil {
		obj.Set(sub, csv, "status", "installedCSV")
		obj.Set(sub, "AtLatestKnown", "status", "state")
		obj.DropCondition(sub, "InstallPlanPending")
		return nil
	}
	plan, err := obj.Get(ctx, o, obj.OLM, "InstallPlan", sub.GetNamespace(), name)
	if err != nil {
		return err
	}
	if plan == nil {
		obj.SetCondition(sub, obj.Condition{Type: "InstallPlanMissing", Status: obj.True, Reason: "ReferencedInstallPlanNotFound"})
		return nil
	}
	if phase := obj.String(plan, "status", "phase"); phase == "RequiresApproval" || phase == "Installing" {
		obj.SetCondition(sub, obj.Condition{Type: "InstallPlanPending", Status: obj.True, Reason: phase})
	}
	return nil
}

func (o *operator) makePlan(ctx context.Context, sub *unstructured.Unstructured, spec subscriptionSpec, csv string) (*unstructured.Unstructured, error) {
	plan := obj.New(obj.OLM, "InstallPlan", sub.GetNamespace(), "")
	plan.SetGenerateName("install-")
	plan.SetOwnerReferences(ownedBy(sub))
	approval := spec.Approval
	if approval == "" {
		approval = "Automatic"
	}
	obj.Set(plan, map[string]any{
		"approval": approval, "approved": approval == "Automatic", "clusterServiceVersionNames": []any{csv}, "generation": int64(1),
	}, "spec")
	if err := o.Create(ctx, plan); err != nil {
		return nil, fmt.Errorf("creating the InstallPlan of Subscription %s: %w", sub.GetName(), err)
	}
	return plan, nil
}
