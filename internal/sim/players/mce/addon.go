package mce

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// telemetryFlag needs Secret telemeter-client in openshift-monitoring.
const telemetryFlag = "--enable-uwm-telemetry-remote-write"

// addon installs the HyperShift operator on the local cluster, where hypershift, hypershift-local-hosting and
// local-cluster are all enabled.
func (e *engine) addon(ctx context.Context, owner *unstructured.Unstructured, spec engineSpec, version string, r *report) error {
	was, err := obj.Get(ctx, e, obj.Addon, "ManagedClusterAddOn", localCluster, "hypershift-addon")
	if err != nil {
		return err
	}
	if !spec.enabled("hypershift") || !spec.enabled("hypershift-local-hosting") || !spec.enabled("local-cluster") {
		return e.removeAddon(ctx, was)
	}
	cluster, err := obj.Get(ctx, e, obj.Cluster, "ManagedCluster", "", localCluster)
	if err != nil {
		return err
	}
	if obj.FindCondition(cluster, "ManagedClusterConditionAvailable").Status != obj.True {
		return nil
	}
	if was == nil {
		was = obj.New(obj.Addon, "ManagedClusterAddOn", localCluster, "hypershift-addon")
		obj.Set(was, map[string]any{"installNamespace": "open-cluster-management-agent-addon"}, "spec")
		if err := e.Create(ctx, was); err != nil {
			return err
		}
	}
	left := e.clock.Left(string(was.GetUID()), addonTime(e.world.Pace))
	if obj.FindCondition(was, "Available").Status == obj.True {
		left = 0
	}
	if left > 0 {
		r.wait(left)
		r.components = append(r.components, unknown("hypershift-addon", "ManagedClusterAddOn"))
		return nil
	}
	operator, err := e.hyperShift(ctx, owner, spec, version)
	if err != nil {
		return err
	}
	now := was.DeepCopy()
	obj.SetCondition(now, obj.Condition{Type: "Available", Status: obj.True, Reason: "ManagedClusterAddOnLeaseUpdated", Message: "hypershift-addon add-on is available."})
	degraded := obj.Condition{Type: "Degraded", Status: obj.True, Reason: "OperatorNotFound", Message: "Hypershift operator is not available on managed cluster."}
	if operator.available {
		degraded = obj.Condition{Type: "Degraded", Status: obj.False, Reason: "HypershiftDeployed", Message: "Hypershift is deployed on managed cluster."}
	}
	obj.SetCondition(now, degraded)
	r.components = append(r.components, componentState{"hypershift-addon", "ManagedClusterAddOn", "Available", obj.True, "ManagedClusterAddOnLeaseUpdated", "hypershift-addon add-on is available.", true})
	return obj.WriteStatus(ctx, e, was, now)
}

func (e *engine) removeAddon(ctx context.Context, addon *unstructured.Unstructured) error {
	if addon == nil {
		return nil
	}
	for _, o := range []client.Object{&apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: "hypershift", Name: "operator"}}, namespace("hypershift")} {
		if err := e.Delete(ctx, o); client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	return client.IgnoreNotFound(e.Delete(ctx, addon))
}

// hyperShift keeps the HyperShift operator's Deployment at the flags asked for, and publishes what it supports once it
// runs.
func (e *engine) hyperShift(ctx context.Context, owner *unstructured.Unstructured, spec engineSpec, version string) (*componentState, error) {
	if err := obj.Create(ctx, e, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "hypershift"}}); err != nil {
		return nil, err
	}
	flags := &core.ConfigMap{}
	if err := e.Get(ctx, client.ObjectKey{Namespace: localCluster, Name: installFlags}, flags); client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	args := operatorArgs(flags.Data["installFlagsToAdd"], flags.Data["installFlagsToRemove"])
	d := &apps.Deployment{}
	err := e.Get(ctx, client.ObjectKey{Namespace: "hypershift", Name: "operator"}, d)
	switch {
	case apierrors.IsNotFound(err):
		d = deployment(owner, "hypershift", "operator", replicas(spec))
		d.Spec.Template.Spec.Containers[0].Command = []string{"/usr/bin/hypershift-operator"}
		d.Spec.Template.Spec.Containers[0].Args = args
		err = e.Create(ctx, d)
	case err == nil && !slices.Equal(d.Spec.Template.Spec.Containers[0].Args, args):
		d.Spec.Template.Spec.Containers[0].Args = args
		err = e.Update(ctx, d)
	}
	if err != nil {
		return nil, err
	}
	state := ofDeployment(d)
	if state.available {
		return state, e.supportedVersions(ctx, version)
	}
	return state, nil
}

// operatorArgs are the HyperShift operator's, with flags added and removed as the ConfigMap's two texts say: flags
// separated by blanks or commas; one to remove is named without its value.
func operatorArgs(add, remove string) []string {
	args := []string{"run", "--namespace=hypershift", "--metrics-addr=:9000", "--enable-ocp-cluster-monitoring=false", "--private-platform=None", "--platform-monitoring=OperatorOnly", telemetryFlag}
	separate := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' })
	}
	gone := separate(remove)
	args = slices.DeleteFunc(args, func(a string) bool {
		name, _, _ := strings.Cut(a, "=")
		return slices.Contains(gone, name)
	})
	for _, flag := range separate(add) {
		if !slices.Contains(args, flag) {
			args = append(args, flag)
		}
	}
	return args
}

// supportedVersions publishes the releases that the HyperShift operator can run.
func (e *engine) supportedVersions(ctx context.Context, version string) error {
	cm := &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{Namespace: "hypershift", Name: "supported-versions", Labels: map[string]string{"hypershift.openshift.io/supported-versions": "true"}},
		Data:       map[string]string{"supported-versions": supported(version), "server-version": "simulated-" + version},
	}
	return obj.Create(ctx, e, cm)
}

// supported is the JSON of the releases of an engine's version: 2.10 brings the HyperShift operator of 4.20, which runs
// 4.14 and later.
func supported(version string) string {
	minor := 10
	if parts := strings.Split(version, "."); len(parts) > 1 {
		if n, err := strconv.Atoi(parts[1]); err == nil {
			minor = n
		}
	}
	var list []string
	for m := minor + 10; m >= 14; m-- {
		list = append(list, fmt.Sprintf("%q", fmt.Sprintf("4.%d", m)))
	}
	return `{"versions":[` + strings.Join(list, ",") + `]}`
}
