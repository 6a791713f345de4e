package kube_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// Settings is a step: its fields are its options, and its two methods say what
// must exist and when it is done.
type Settings struct {
	kube.Patched
	Name string `yaml:"name" default:"settings" doc:"ConfigMap that is made"`
}

func (s Settings) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{Object: &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: s.Name},
		Data:       map[string]string{"domain": f.Domain},
	}}}, nil
}

func (s Settings) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: s.Name}
	if seen.Get(ref).GetAnnotations()["taken"] == "" {
		return kube.Verdict{Report: event.Report{Title: ref.String() + " is not taken up yet", Next: "oc get " + kube.GetArguments(ref)}}
	}
	return kube.Verdict{State: kube.Done, Summary: ref.String() + " taken up"}
}

// A step is listed with kube.Use, which makes apply, watch, wait and render of
// these two functions:
//
//	kube.Use[Settings, *Env]("example/settings", "Makes the settings.", "- id: settings\n  uses: example/settings\n")
//
// Both are pure, so they are tested without a cluster.
func Example() {
	settings := Settings{Name: "settings"}
	ref := kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: "settings"}
	u := &unstructured.Unstructured{Object: map[string]any{}}
	seen := func() kube.Seen {
		return kube.NewSeen(metav1.Now().Time, map[kube.Ref][]*unstructured.Unstructured{ref: {u}}, nil)
	}
	fmt.Println(settings.Judge(nil, seen()).Report.Title)
	u.SetAnnotations(map[string]string{"taken": "yes"})
	fmt.Println(settings.Judge(nil, seen()).Summary)
	// Output:
	// ConfigMap default/settings is not taken up yet
	// ConfigMap default/settings taken up
}
