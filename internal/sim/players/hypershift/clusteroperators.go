package hypershift

import (
	"context"
	"fmt"
	"slices"

	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writeOperators writes the hosted ClusterOperators and gives the names of those that are not Available. broken says, by
// name, why one is degraded even with workers.
func writeOperators(ctx context.Context, site client.Client, workers bool, view ingress, version string, broken map[string]string) ([]string, error) {
	why := map[string]string{}
	for _, name := range planeOperators() {
		why[name] = ""
	}
	for _, name := range workerOperators() {
		why[name] = ""
		if workers {
			why[name] = broken[name]
		} else {
			why[name] = fmt.Sprintf("%s is waiting for worker nodes", name)
		}
	}
	why["ingress"], why["console"] = judgeIngress(view)
	if !workers && why["ingress"] == "" {
		why["ingress"], why["console"] = judgeIngress(ingress{})
	}
	var missing []string
	for name, text := range why {
		if text != "" {
			missing = append(missing, name)
		}
		degraded := text != "" && (name == "ingress" || name == "console" || text == broken[name])
		if err := writeOperator(ctx, site, name, text, version, degraded); err != nil {
			return nil, err
		}
	}
	slices.Sort(missing)
	return missing, nil
}

func reasonOf(name, text string, degraded bool) (reason string) {
	switch {
	case text == "":
		return "AsExpected"
	case name == "ingress":
		return "IngressUnavailable"
	case name == "console":
		return "RouteHealth_FailedGet"
	case degraded:
		return "UpdatingPrometheusFailed"
	}
	return "NoWorkers"
}

func writeOperator(ctx context.Context, site client.Client, name, text, version string, degraded bool) error {
	o := &configv1.ClusterOperator{ObjectMeta: metav1.ObjectMeta{Name: name}}
	err := site.Get(ctx, client.ObjectKeyFromObject(o), o)
	if apierrors.IsNotFound(err) {
		err = site.Create(ctx, o)
	}
	if err != nil {
		return fmt.Errorf("writing hosted ClusterOperator %s: %w", name, err)
	}
	before := o.DeepCopy()
	reason := reasonOf(name, text, degraded)
	set := func(kind configv1.ClusterStatusConditionType, ok bool, reason, text string) {
		status := configv1.ConditionFalse
		if ok {
			status = configv1.ConditionTrue
		}
		setOperatorCondition(o, configv1.ClusterOperatorStatusCondition{Type: kind, Status: status, Reason: reason, Message: text, LastTransitionTime: at()})
	}
	set(configv1.OperatorAvailable, text == "", reason, text)
	set(configv1.OperatorProgressing, text != "", reason, text)
	set(configv1.OperatorDegraded, degraded, reason, text)
	if text == "" {
		o.Status.Versions = []configv1.OperandVersion{{Name: "operator", Version: version}}
	}
	if equality.Semantic.DeepEqual(before.Status, o.Status) {
		return nil
	}
	if err := site.Status().Update(ctx, o); err != nil {
		return fmt.Errorf("writing hosted ClusterOperator %s: %w", name, err)
	}
	return nil
}

func setOperatorCondition(o *configv1.ClusterOperator, c configv1.ClusterOperatorStatusCondition) {
	at := slices.IndexFunc(o.Status.Conditions, func(old configv1.ClusterOperatorStatusCondition) bool { return old.Type == c.Type })
	if at < 0 {
		o.Status.Conditions = append(o.Status.Conditions, c)
		return
	}
	if o.Status.Conditions[at].Status == c.Status {
		c.LastTransitionTime = o.Status.Conditions[at].LastTransitionTime
	}
	o.Status.Conditions[at] = c
}

// writeVersion writes the hosted ClusterVersion.
func writeVersion(ctx context.Context, site client.Client, hc *hyperv1.HostedCluster, found release, missing []string) error {
	v := &configv1.ClusterVersion{ObjectMeta: metav1.ObjectMeta{Name: "version"}}
	err := site.Get(ctx, client.ObjectKeyFromObject(v), v)
	if apierrors.IsNotFound(err) {
		v.Spec.ClusterID = configv1.ClusterID(hc.Spec.ClusterID)
		err = site.Create(ctx, v)
	}
	if err != nil {
		return fmt.Errorf("writing the hosted ClusterVersion: %w", err)
	}
	before := v.DeepCopy()
	v.Status.Desired = configv1.Release{Image: hc.Spec.Release.Image, Version: found.Version}
	v.Status.ObservedGeneration, v.Status.VersionHash = v.Generation, "simulated"
	v.Status.History = begun(v.Status.History, hc.Spec.Release.Image, found)
	done := len(missing) == 0
	if done && v.Status.History[0].State != configv1.CompletedUpdate {
		now := at()
		v.Status.History[0].State, v.Status.History[0].CompletionTime = configv1.CompletedUpdate, &now
	}
	o := &configv1.ClusterOperator{}
	o.Status.Conditions = v.Status.Conditions
	if done {
		setOperatorCondition(o, configv1.ClusterOperatorStatusCondition{Type: "Available", Status: "True", Message: "Done applying " + found.Version, LastTransitionTime: at()})
		setOperatorCondition(o, configv1.ClusterOperatorStatusCondition{Type: "Progressing", Status: "False", Message: "Cluster version is " + found.Version, LastTransitionTime: at()})
	} else {
		setOperatorCondition(o, configv1.ClusterOperatorStatusCondition{Type: "Available", Status: "False", LastTransitionTime: at()})
		setOperatorCondition(o, configv1.ClusterOperatorStatusCondition{Type: "Progressing", Status: "True", Reason: "ClusterOperatorsNotAvailable",
			Message: fmt.Sprintf("Unable to apply %s: %s", found.Version, waitingFor(missing)), LastTransitionTime: at()})
	}
	v.Status.Conditions = o.Status.Conditions
	if equality.Semantic.DeepEqual(before.Status, v.Status) {
		return nil
	}
	if err := site.Status().Update(ctx, v); err != nil {
		return fmt.Errorf("writing the hosted ClusterVersion: %w", err)
	}
	return nil
}
