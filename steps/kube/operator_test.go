package kube_test

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

// installs is mce/operator in a namespace of the test, without the wait for OLM.
type installs struct {
	steps.MCEOperator
	namespace string
	channel   string
}

func (s installs) facts(f *labs.Facts) *labs.Facts {
	own := *f
	own.MCE.Namespace, own.MCE.Channel, own.MCE.Catalog, own.MCE.CatalogNamespace = s.namespace, s.channel, "catalog", "openshift-marketplace"
	return &own
}

func (s installs) Reads(f *labs.Facts) []kube.Ref { return s.MCEOperator.Reads(s.facts(f)) }

func (s installs) Follows(f *labs.Facts, seen kube.Seen) []kube.Ref {
	return s.MCEOperator.Follows(s.facts(f), seen)
}

func (s installs) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	return s.MCEOperator.Objects(s.facts(f), seen)
}

func (installs) Judge(*labs.Facts, kube.Seen) kube.Verdict { return kube.Verdict{State: kube.Done} }

func (installs) Outputs(*labs.Facts, kube.Seen) struct{} { return struct{}{} }

func (s installs) goes(lab *neighbour) {
	lab.t.Helper()
	must(lab.t, step(lab, destroy.HubObjects{Kinds: []string{"Subscription", "OperatorGroup"}}))
	must(lab.t, step(lab, destroy.HubObjects{Kinds: []string{"Namespace"}}))
}

// want says whether all that the operator is installed with is there.
func (s installs) want(t *testing.T, when string, there bool) {
	t.Helper()
	client := dynamic.NewForConfigOrDie(kube.Hub().Get(t).Config())
	for _, of := range []struct {
		resource schema.GroupVersionResource
		in, name string
	}{
		{schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "", s.namespace},
		{schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1", Resource: "operatorgroups"}, s.namespace, "multicluster-engine"},
		{schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "subscriptions"}, s.namespace, "multicluster-engine"},
	} {
		u, err := client.Resource(of.resource).Namespace(of.in).Get(t.Context(), of.name, meta.GetOptions{})
		if there && err == nil && u.GetDeletionTimestamp() == nil || !there && apierrors.IsNotFound(err) {
			continue
		}
		t.Errorf("%s: %s %s: there %t, want %t (%v)", when, of.resource.Resource, of.name, err == nil, there, err)
	}
}

// The lab that installed the operator goes before another one that uses it: namespace,
// OperatorGroup and Subscription stay, and go with the other one.
func TestOperatorOutlivesTheLabThatInstalledIt(t *testing.T) {
	s := installs{namespace: "operator-of-two", channel: "stable"}
	one, two := lab(t, "one-"+s.namespace), lab(t, "two-"+s.namespace)
	must(t, step(one, s))
	must(t, step(two, s))
	s.goes(one)
	s.want(t, "the one that installed it is gone", true)
	must(t, step(two, s))
	s.goes(two)
	s.want(t, "both are gone", false)
}

// A run that ended between the create of the Subscription and its apply has made it all
// the same: the next one applies it, and what it changes.
func TestOperatorOfARunThatEnded(t *testing.T) {
	s := installs{namespace: "operator-that-ended", channel: "stable"}
	one := lab(t, "one-"+s.namespace)
	path := "/apis/operators.coreos.com/v1alpha1/namespaces/" + s.namespace + "/subscriptions"
	one.times, one.killed = 1, true
	one.overtaken = func(verb, at string) bool { return verb == "PATCH" && at == path+"/multicluster-engine" }
	if err := step(one, s); err == nil || one.times != 0 || !one.has("POST "+path) {
		t.Fatalf("it was not ended: %v", err)
	}
	s.channel = "stable-2"
	must(t, step(one, s))
	client := dynamic.NewForConfigOrDie(kube.Hub().Get(t).Config())
	u, err := client.Resource(schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "subscriptions"}).
		Namespace(s.namespace).Get(t.Context(), "multicluster-engine", meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if channel, _, _ := unstructured.NestedString(u.Object, "spec", "channel"); channel != "stable-2" {
		t.Errorf("channel %q, managed by %v; want that of the second run", channel, u.GetManagedFields())
	}
	s.goes(one)
	s.want(t, "it is gone", false)
}

// It goes just before another one has marked what it uses: that one installs it anew.
func TestOperatorGoesBeforeAnotherLabUsesIt(t *testing.T) {
	s := installs{namespace: "operator-that-goes", channel: "stable"}
	one, two := lab(t, "one-"+s.namespace), lab(t, "two-"+s.namespace)
	must(t, step(one, s))
	two.times = 1
	two.overtaken = func(verb, path string) bool {
		return verb == "GET" && path == "/apis/operators.coreos.com/v1/namespaces/"+s.namespace+"/operatorgroups/multicluster-engine"
	}
	two.by = func() { s.goes(one) }
	must(t, step(two, s))
	if two.times != 0 {
		t.Fatal("it was not overtaken")
	}
	s.want(t, "the one that installed it is gone", true)
	s.goes(two)
	s.want(t, "both are gone", false)
}
