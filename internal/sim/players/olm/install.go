package olm

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	registration "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ownedBy makes an object go when its owner goes, without being controlled by it.
func ownedBy(u *unstructured.Unstructured) []meta.OwnerReference {
	return []meta.OwnerReference{{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Name: u.GetName(), UID: u.GetUID()}}
}

type installPlanSpec struct {
	Approved bool     `json:"approved"`
	Versions []string `json:"clusterServiceVersionNames"`
}

// installPlans carries out those that are approved.
func (o *operator) installPlans(ctx context.Context, namespace string, groups int) (time.Duration, error) {
	plans, err := obj.List(ctx, o, obj.OLM, "InstallPlan", client.InNamespace(namespace))
	if err != nil {
		return 0, err
	}
	for _, was := range plans {
		spec, err := obj.Decode[installPlanSpec](&was, "spec")
		if err != nil {
			return 0, err
		}
		if obj.String(&was, "status", "phase") == "Complete" {
			continue
		}
		plan := was.DeepCopy()
		obj.Set(plan, []any{}, "status", "catalogSources")
		complaint := judgeGroups(groups)
		switch {
		case !spec.Approved:
			obj.Set(plan, "RequiresApproval", "status", "phase")
		case complaint != "":
			obj.Set(plan, "Installing", "status", "phase")
			setPlanCondition(plan, obj.Condition{Type: "Installed", Status: obj.False, Reason: "InstallCheckFailed", Message: complaint})
		default:
			if err := o.makeVersions(ctx, plan, spec.Versions); err != nil {
				return 0, err
			}
			obj.Set(plan, "Complete", "status", "phase")
			setPlanCondition(plan, obj.Condition{Type: "Installed", Status: obj.True})
		}
		if err := obj.WriteStatus(ctx, o, &was, plan); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// setPlanCondition leaves empty texts out, as InstallPlans do.
func setPlanCondition(plan *unstructured.Unstructured, c obj.Condition) {
	obj.SetCondition(plan, c, "lastUpdateTime")
}

// makeVersions makes the ClusterServiceVersions, which belong to the Subscription's namespace but not to the plan: they
// stay when Subscription and plan are deleted, as users of OLM learn the hard way.
func (o *operator) makeVersions(ctx context.Context, plan *unstructured.Unstructured, names []string) error {
	for _, name := range names {
		pkg, number, _ := strings.Cut(name, ".v")
		u := obj.New(obj.OLM, "ClusterServiceVersion", plan.GetNamespace(), name)
		u.SetLabels(map[string]string{"operators.coreos.com/" + pkg + "." + plan.GetNamespace(): ""})
		obj.Set(u, map[string]any{
			"displayName": pkg, "version": number,
			"install":      map[string]any{"strategy": "deployment", "spec": map[string]any{"deployments": []any{}}},
			"installModes": installModes(),
		}, "spec")
		if err := obj.Create(ctx, o, u); err != nil {
			return err
		}
	}
	return nil
}

func installModes() []any {
	var all []any
	for _, mode := range []string{"OwnNamespace", "SingleNamespace", "AllNamespaces"} {
		all = append(all, map[string]any{"type": mode, "supported": true})
	}
	return append(all, map[string]any{"type": "MultiNamespace", "supported": false})
}

// versions takes the namespace's ClusterServiceVersions through their phases.
func (o *operator) versions(ctx context.Context, namespace string, groups int) (time.Duration, error) {
	list, err := obj.List(ctx, o, obj.OLM, "ClusterServiceVersion", client.InNamespace(namespace))
	if err != nil {
		return 0, err
	}
	next := soonest{}
	for _, was := range list {
		left, stage := o.versionStage(&was, judgeMembership(groups))
		if left == 0 && stage.phase == "Succeeded" && obj.String(&was, "status", "phase") != stage.phase {
			if left, err = o.webhook(ctx, &was); err != nil {
				return 0, err
			}
			if left > 0 {
				stage = installing()
			}
		}
		next.add(left)
		csv := was.DeepCopy()
		setPhase(csv, stage)
		if err := obj.WriteStatus(ctx, o, &was, csv); err != nil {
			return 0, err
		}
	}
	return next.after, nil
}

// versionStage is where a ClusterServiceVersion stands now, and how long until the next step.
func (o *operator) versionStage(csv *unstructured.Unstructured, refused *csvStage) (time.Duration, csvStage) {
	key := string(csv.GetUID())
	if refused != nil {
		o.clock.Forget(key)
		return 0, *refused
	}
	succeeded := csvStage{"Succeeded", "InstallSucceeded", "install strategy completed with no errors"}
	if obj.String(csv, "status", "phase") == succeeded.phase {
		return 0, succeeded
	}
	all := o.world.Pace.Delay("olm-install", 90*time.Second)
	if left := o.clock.Left(key+"/requirements", all/3); left > 0 {
		return left, csvStage{"Pending", "RequirementsNotMet", "one or more requirements couldn't be found"}
	}
	if left := o.clock.Left(key+"/install", all-all/3); left > 0 {
		return left, installing()
	}
	return 0, succeeded
}

func installing() csvStage {
	return csvStage{"Installing", "InstallSucceeded", "waiting for install components to report healthy"}
}

// webhook is how long an operator's webhook still takes: a version has not succeeded before the API server asks it.
func (o *operator) webhook(ctx context.Context, csv *unstructured.Unstructured) (time.Duration, error) {
	pkg, _, _ := strings.Cut(csv.GetName(), ".v")
	name, has := map[string]string{"multicluster-engine": "multiclusterengines.multicluster.openshift.io"}[pkg]
	if !has || !slices.Contains(o.world.Playing, "mce") {
		return 0, nil
	}
	err := o.Get(ctx, client.ObjectKey{Name: name}, &registration.ValidatingWebhookConfiguration{})
	if apierrors.IsNotFound(err) {
		return 100 * time.Millisecond, nil
	}
	return o.clock.Left(string(csv.GetUID())+"/webhook", time.Second), err // the API server learns of it in a moment
}

// setPhase writes phase, reason and message, and appends them to the history that a ClusterServiceVersion calls its
// conditions.
func setPhase(csv *unstructured.Unstructured, s csvStage) {
	if obj.String(csv, "status", "phase") == s.phase && obj.String(csv, "status", "reason") == s.reason {
		return
	}
	time := now()
	conditions, _, _ := unstructured.NestedSlice(csv.Object, "status", "conditions")
	entry := map[string]any{"phase": s.phase, "reason": s.reason, "message": s.message, "lastTransitionTime": time, "lastUpdateTime": time}
	obj.Set(csv, slices.Concat(conditions, []any{entry}), "status", "conditions")
	for field, value := range entry {
		obj.Set(csv, value, "status", field)
	}
}
