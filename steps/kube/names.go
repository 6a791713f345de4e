package kube

import (
	"fmt"
	"regexp"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/labrun/labrun/pipeline"
)

// What labrun writes on the objects that it brings about.
const (
	LabelLab       = "labrun/lab"
	LabelStep      = "labrun/step"
	LabelKey       = "labrun/key"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// UsedBy and the lab's name are the annotation of an object that belongs to
	// the hub and that the lab uses.
	UsedBy = "labrun/used-by."
)

// The API server's limits.
const (
	longestManager = 128 // bytes of a field manager
	longestLabel   = 63  // characters of a label's value, and of the name part of an annotation
)

var labelValue = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)

// FieldManager is the owner of the fields that a step's instance applies. Two
// labs with one manager would take each other's fields away.
func FieldManager(lab, step, key string) string {
	if key != "" {
		key = "[" + key + "]"
	}
	return "labrun/" + lab + "/" + step + key
}

// CheckNames says whether a lab, a step and the key of its instance ("" for
// none) can stand on objects: as field manager, label values and annotation.
func CheckNames(lab, step, key string) error {
	if n := len(UsedBy) - len("labrun/") + len(lab); n > longestLabel {
		return fmt.Errorf("the lab's name %q is too long by %d characters to stand in the annotation %s%s", lab, n-longestLabel, UsedBy, lab)
	}
	if m := FieldManager(lab, step, key); len(m) > longestManager {
		return fmt.Errorf("the field manager %s is %d bytes long, and the API server takes %d: shorten the step's id or give a shorter key", m, len(m), longestManager)
	}
	for _, n := range []struct{ what, value string }{{"lab's name", lab}, {"step's id", step}, {"key", key}} {
		if n.value == "" && n.what == "key" {
			continue
		}
		if len(n.value) > longestLabel || !labelValue.MatchString(n.value) {
			return fmt.Errorf("the %s %q cannot be a label's value (at most %d letters, digits, - _ and ., beginning and ending with a letter or digit)", n.what, n.value, longestLabel)
		}
	}
	return nil
}

// Applier is the field manager that applies a field of an object, "" where none does.
func Applier(u *unstructured.Unstructured, field ...any) string {
	path, err := fieldpath.MakePath(field...)
	if err != nil {
		return ""
	}
	for _, f := range u.GetManagedFields() {
		if f.Operation != meta.ManagedFieldsOperationApply || f.Subresource != "" {
			continue
		}
		if set, err := setOf(f); err == nil && set.Has(path) {
			return f.Manager
		}
	}
	return ""
}

func managerOf(s *pipeline.Scope) string { return FieldManager(s.Lab, s.Step, s.Key) }

func labelsOf(s *pipeline.Scope) map[string]string {
	labels := map[string]string{LabelManagedBy: "labrun", LabelLab: s.Lab, LabelStep: s.Step}
	if s.Key != "" {
		labels[LabelKey] = s.Key
	}
	return labels
}
