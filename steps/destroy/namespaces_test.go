package destroy

import (
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// A namespace that a step of the lab's own file made goes like its other objects, but
// with nothing in it that is somebody else's or that stays.
func TestNamespaces(t *testing.T) {
	mine := object("v1", "Namespace", "", "apps", "apps", labelled(lab))
	plane := object("v1", "Namespace", "", "clusters-h", "plane", labelled(lab))
	own := object("v1", "ConfigMap", "apps", "mine", "ConfigMapmine", labelled(lab))
	inside := func(change func(*meta.PartialObjectMetadata)) meta.PartialObjectMetadata {
		o := content("ConfigMap", "notes", "kubectl-create", change)
		o.Namespace = "apps"
		return o
	}
	for _, c := range []struct {
		name    string
		objects []*unstructured.Unstructured
		in      kube.Contents
		keep    func(kube.Entry) string
		want    []string
		left    string // why, "" where it goes
	}{
		{"empty", []*unstructured.Unstructured{mine, plane}, kube.Contents{}, nil, []string{"delete Namespace apps"}, ""},
		{"with an object of the lab's that goes", []*unstructured.Unstructured{mine, own}, kube.Contents{Objects: []meta.PartialObjectMetadata{
			inside(func(o *meta.PartialObjectMetadata) { o.Name, o.UID = "mine", "ConfigMapmine" })}}, nil, []string{"delete Namespace apps"}, ""},
		{"with somebody else's", []*unstructured.Unstructured{mine}, kube.Contents{Objects: []meta.PartialObjectMetadata{inside(nil)}}, nil,
			nil, "ConfigMap apps/notes is in it, made by kubectl-create"},
		{"with one of the lab's that stays", []*unstructured.Unstructured{mine, own}, kube.Contents{}, func(e kube.Entry) string {
			if e.Kind == "ConfigMap" {
				return "a step of the lab file"
			}
			return ""
		}, nil, "ConfigMap apps/mine is in it, and stays: a step of the lab file"},
		{"that could not be read", []*unstructured.Unstructured{mine}, kube.Contents{Unread: []string{"Secret: forbidden"}}, nil, nil, "Secret: forbidden"},
		{"kept", []*unstructured.Unstructured{mine}, kube.Contents{}, func(kube.Entry) string { return "a phase" }, nil, ""},
		{"somebody else's", []*unstructured.Unstructured{object("v1", "Namespace", "", "apps", "x", nil)}, kube.Contents{}, nil, nil, ""},
	} {
		seen := sees(c.keep, c.objects...).WithContents(map[string]kube.Contents{"apps": c.in})
		if surveyed := (Namespaces{}).Surveys(facts(), seen); slices.Equal(surveyed, []string{"apps"}) != (c.want != nil || c.left != "") {
			t.Errorf("%s: looked into %q", c.name, surveyed)
		}
		intents, err := Namespaces{}.Objects(facts(), seen)
		if got := did(t, intents, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
		v := Namespaces{}.Judge(facts(), seen)
		if c.left != "" && (len(v.Warnings) != 1 || !strings.HasPrefix(v.Warnings[0].Title, "Namespace apps is left: ") || !strings.Contains(v.Warnings[0].Title, c.left)) {
			t.Errorf("%s: told %+v", c.name, v)
		}
	}
	gone := sees(nil).WithEntries([]kube.Entry{{APIVersion: "v1", Kind: "Namespace", Name: "apps", UID: "apps", Step: "s", Lab: lab}}, nil)
	if v := (Namespaces{}).Judge(facts(), gone); v.Summary != "1 object gone" || len(v.Warnings) > 0 {
		t.Errorf("once it is gone: %+v", v)
	}
}
