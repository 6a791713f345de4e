package steps

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// text reads a string field, "" where it is absent.
func text(u *unstructured.Unstructured, path ...string) string {
	if u == nil {
		return ""
	}
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

// number reads an integer field, 0 where it is absent.
func number(u *unstructured.Unstructured, path ...string) int64 {
	if u == nil {
		return 0
	}
	n, _, _ := unstructured.NestedInt64(u.Object, path...)
	return n
}

// blank is an object of which only type and name are known, for kube.Merge.
func blank(ref kube.Ref) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(ref.APIVersion)
	u.SetKind(ref.Kind)
	u.SetNamespace(ref.Namespace)
	u.SetName(ref.Name)
	return u
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func configMapRef(namespace, name string) kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: name}
}

func secretRef(namespace, name string) kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

func deploymentRef(namespace, name string) kube.Ref {
	return kube.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
}

func crdRef(name string) kube.Ref {
	return kube.Ref{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: name}
}

func configMap(namespace, name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{TypeMeta: typeMeta("v1", "ConfigMap"), ObjectMeta: meta(namespace, name), Data: data}
}

func namespaceObject(name string) *corev1.Namespace {
	return &corev1.Namespace{TypeMeta: typeMeta("v1", "Namespace"), ObjectMeta: meta("", name)}
}

// setData changes keys of a ConfigMap that may hold others' keys too.
func setData(data map[string]string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		for k, v := range data {
			if err := unstructured.SetNestedField(u.Object, v, "data", k); err != nil {
				return err
			}
		}
		return nil
	}
}

// rolledOut says whether a Deployment runs its newest template, and what it waits
// for where it does not.
func rolledOut(seen kube.Seen, ref kube.Ref) (bool, kube.Verdict) {
	u := seen.Get(ref)
	if u == nil {
		return false, wait(ref, "it does not exist yet")
	}
	want, found, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
	if !found {
		want = 1
	}
	ready, updated := number(u, "status", "availableReplicas"), number(u, "status", "updatedReplicas")
	switch {
	case number(u, "status", "observedGeneration") < u.GetGeneration():
		return false, wait(ref, "its newest template has not been taken up yet")
	case updated < want:
		return false, wait(ref, fmt.Sprintf("%d of %s run its newest template", updated, count(int(want), "replica")))
	case ready < want:
		v := wait(ref, fmt.Sprintf("%d of %s available", ready, count(int(want), "replica")))
		if c := crd.ConditionOf(u, "Available"); c.Is("False") {
			v.Report.Lines = append(v.Report.Lines, event.Line{Label: "it said", Text: condition(c)})
		}
		return false, v
	}
	return true, kube.Verdict{}
}

// setText sets one string field.
func setText(value string, path ...string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, value, path...)
	}
}

// appendPEM adds certificates to a key that may hold others, once.
func appendPEM(key, pem string) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		have := text(u, "data", key)
		if strings.Contains(have, strings.TrimSpace(pem)) {
			return nil
		}
		if have != "" && !strings.HasSuffix(have, "\n") {
			have += "\n"
		}
		return unstructured.SetNestedField(u.Object, have+pem, "data", key)
	}
}

// versionList reads HyperShift's {"versions":["4.20","4.19"]}, nil where it is none.
func versionList(document string) []string {
	var d struct {
		Versions []string `json:"versions"`
	}
	if json.Unmarshal([]byte(document), &d) != nil {
		return nil
	}
	return d.Versions
}

// nodeOf finds a node by its name.
func nodeOf(seen kube.Seen, name string) *unstructured.Unstructured {
	for _, u := range seen.List(nodes()) {
		if u.GetName() == name {
			return u
		}
	}
	return nil
}

// annotate sets one annotation, and keeps the others.
func annotate(u *unstructured.Unstructured, key, value string) {
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	u.SetAnnotations(annotations)
}
