package nightly

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	taskFile = "tekton-task.yaml"
	runFile  = "tekton-taskrun.yaml"
)

// definition is the schema of v1 objects that a CustomResourceDefinition has, as an
// API server applies it under strict validation: it refuses fields that it would
// drop. The schema leaves open what Tekton reads by itself, x-kubernetes-preserve-unknown-fields.
func definition(t *testing.T, name string) any {
	t.Helper()
	crd := published(t, name+".json").(map[string]any)
	for _, v := range crd["spec"].(map[string]any)["versions"].([]any) {
		if version := v.(map[string]any); version["name"] == "v1" {
			schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
			if n := closed(schema); n < 50 {
				t.Fatalf("%s has %d kinds of objects: it is no full schema", name, n)
			}
			return schema
		}
	}
	t.Fatalf("%s has no version v1", name)
	return nil
}

// closed refuses unknown fields in each object of a schema, and counts them.
func closed(schema any) int {
	n := 0
	switch s := schema.(type) {
	case []any:
		for _, item := range s {
			n += closed(item)
		}
	case map[string]any:
		_, isObject := s["properties"].(map[string]any)
		if isObject && s["type"] == "object" && s["x-kubernetes-preserve-unknown-fields"] != true {
			s["additionalProperties"] = false
			n++
		}
		for _, value := range s {
			n += closed(value)
		}
	}
	return n
}

// object is what Task and TaskRun have in common.
type object struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metav1.ObjectMeta `json:"metadata"`
	Spec       json.RawMessage   `json:"spec"`
}

// refused says what is wrong with a Task or a TaskRun.
func refused(t *testing.T, kind, text string) []string {
	t.Helper()
	value := read(t, text)
	var wrong []string
	if err := compiled(t, definition(t, strings.ToLower(kind)+"s.tekton.dev")).Validate(value); err != nil {
		wrong = append(wrong, "schema: "+err.Error())
	}
	var o object
	switch err := strictly(plain(t, value), &o); {
	case err != nil:
		wrong = append(wrong, "object: "+err.Error())
	case o.APIVersion != "tekton.dev/v1" || o.Kind != kind:
		wrong = append(wrong, fmt.Sprintf("object: %s %s", o.APIVersion, o.Kind))
	case kind == "Task":
		wrong = append(wrong, volumes(o.Spec)...)
		wrong = append(wrong, variables(text, o.Spec)...)
	}
	return wrong
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// volumes are Kubernetes', and the schema leaves them open.
func volumes(spec []byte) []string {
	var s struct {
		Volumes json.RawMessage `json:"volumes"`
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return []string{"object: " + err.Error()}
	}
	if err := strictly(s.Volumes, &[]corev1.Volume{}); err != nil {
		return []string{"volumes: " + err.Error()}
	}
	return nil
}

// task is what this test reads of a Task.
type task struct {
	Params []struct {
		Name, Type string
		Default    any
	}
	Workspaces []struct {
		Name     string
		ReadOnly bool
		Optional bool
	}
	Results []struct{ Name string }
	Steps   []struct {
		Name, Image, WorkingDir string
		Command, Args           []string
		Env                     []corev1.EnvVar
		VolumeMounts            []corev1.VolumeMount
	}
	Volumes []corev1.Volume
}

var variable = regexp.MustCompile(`\$\(([^)]*)\)`)

// variables are references of the Task to what it declares; Tekton's webhook
// refuses one that leads nowhere, which no schema can.
func variables(text string, spec []byte) []string {
	var s task
	if err := json.Unmarshal(spec, &s); err != nil {
		return []string{"variables: " + err.Error()}
	}
	known := []string{"context.taskRun.name"}
	for _, p := range s.Params {
		if p.Type == "array" {
			known = append(known, "params."+p.Name+"[*]")
		} else {
			known = append(known, "params."+p.Name)
		}
	}
	for _, w := range s.Workspaces {
		known = append(known, "workspaces."+w.Name+".path")
	}
	for _, r := range s.Results {
		known = append(known, "results."+r.Name+".path")
	}
	var wrong []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, m[1]) {
			wrong = append(wrong, "variables: "+m[0]+" is not declared")
		}
	}
	for _, step := range s.Steps {
		for _, mount := range step.VolumeMounts {
			if !slices.ContainsFunc(s.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name }) {
				wrong = append(wrong, "variables: there is no volume "+mount.Name)
			}
		}
	}
	return wrong
}

func TestTekton(t *testing.T) {
	for kind, file := range map[string]string{"Task": taskFile, "TaskRun": runFile} {
		for _, wrong := range refused(t, kind, offered(t, file)) {
			t.Errorf("%s: %s", file, wrong)
		}
	}
}

// TestTektonRefused proves that each part of the check can fail.
func TestTektonRefused(t *testing.T) {
	for _, c := range []struct {
		kind, file, by string
		breakage
	}{
		{"Task", taskFile, "schema: ", breakage{"a field that is none", "workingDir:", "workDir:"}},
		{"Task", taskFile, "schema: ", breakage{"a field in the wrong place", "  description: Rebuilds", "  summary: Rebuilds"}},
		{"Task", taskFile, "schema: ", breakage{"a command that is no list", `command: ["$(workspaces.source.path)/docs/ci/nightly.sh"]`, "command: docs/ci/nightly.sh"}},
		{"Task", taskFile, "schema: ", breakage{"a variable without a name", "- name: NIGHTLY_LIMIT\n          value", "- nam: NIGHTLY_LIMIT\n          value"}},
		{"Task", taskFile, "schema: ", breakage{"a truth that is a text", "optional: true", `optional: "yes"`}},
		{"Task", taskFile, "schema: ", breakage{"a capability that is none", "drop: [ALL]", "drop: ALL"}},
		{"Task", taskFile, "object: ", breakage{"another kind", "kind: Task\n", "kind: ClusterTask\n"}},
		{"Task", taskFile, "object: ", breakage{"a later version", "tekton.dev/v1\n", "tekton.dev/v2\n"}},
		{"Task", taskFile, "object: ", breakage{"metadata that is none", "  name: labrun-nightly", "  title: labrun-nightly"}},
		{"Task", taskFile, "volumes: ", breakage{"a volume that is none", "emptyDir: {}", "emptyDirectory: {}"}},
		{"Task", taskFile, "variables: ", breakage{"a parameter that is not declared", "- name: limit", "- name: longest"}},
		{"Task", taskFile, "variables: ", breakage{"a workspace that is not declared", "- name: state", "- name: states"}},
		{"Task", taskFile, "variables: ", breakage{"a result that is not declared", "- name: verdict", "- name: said"}},
		{"Task", taskFile, "variables: ", breakage{"a list that is read as a text", "$(params.flags[*])", "$(params.flags)"}},
		{"Task", taskFile, "variables: ", breakage{"a volume that is not declared", "- name: home\n          mountPath", "- name: house\n          mountPath"}},
		{"TaskRun", runFile, "schema: ", breakage{"a field that is none", "timeout:", "timeouts:"}},
		{"TaskRun", runFile, "schema: ", breakage{"a claim without its field", "claimName: labrun-state", "name: labrun-state"}},
		{"TaskRun", runFile, "schema: ", breakage{"a reference that is a text", "  taskRef:\n    name: labrun-nightly", "  taskRef: labrun-nightly"}},
	} {
		t.Run(c.file+"/"+c.name, func(t *testing.T) {
			wrong := refused(t, c.kind, c.in(t, offered(t, c.file)))
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, c.by) }) {
				t.Errorf("%s let it pass: %q", c.by, wrong)
			}
		})
	}
}

// spec reads one of the files, and gives the name of its object.
func spec(t *testing.T, file string, into any) (name string) {
	t.Helper()
	var o object
	if err := strictly(plain(t, read(t, offered(t, file))), &o); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(o.Spec, into); err != nil {
		t.Fatal(err)
	}
	return o.Metadata.Name
}

// taskRun is what this test reads of a TaskRun.
type taskRun struct {
	TaskRef            struct{ Name string }
	Timeout            string
	Params, Workspaces []struct{ Name string }
}

// TestTaskRunsTheScript looks at what no schema asks: the task runs the script that
// the other tests run, on the lab, and a run leaves labrun the time to end by its own.
func TestTaskRunsTheScript(t *testing.T) {
	var s task
	var run taskRun
	name := spec(t, taskFile, &s)
	spec(t, runFile, &run)
	if len(s.Steps) != 1 {
		t.Fatalf("steps: %+v", s.Steps)
	}
	night := s.Steps[0]
	if want := []string{"$(workspaces.source.path)/" + script}; !slices.Equal(night.Command, want) {
		t.Errorf("it runs %q, want %q", night.Command, want)
	}
	if want := []string{"$(params.lab)", "$(params.flags[*])"}; !slices.Equal(night.Args, want) || night.WorkingDir != "$(workspaces.source.path)" {
		t.Errorf("with %q in %s", night.Args, night.WorkingDir)
	}
	defaults := map[string]string{}
	for _, p := range s.Params {
		if text, ok := p.Default.(string); ok {
			defaults["$(params."+p.Name+")"] = text
		}
	}
	set := map[string]string{}
	for _, e := range night.Env {
		if set[e.Name] = e.Value; defaults[e.Value] != "" {
			set[e.Name] = defaults[e.Value]
		}
	}
	given, err := time.ParseDuration(run.Timeout)
	if err != nil {
		t.Fatal(err)
	}
	nightFits(t, given, set)
	if run.TaskRef.Name != name {
		t.Errorf("the run is one of %s, the task is %s", run.TaskRef.Name, name)
	}
}

// TestTaskRunFits: the run gives what the task asks for, and nothing that it does not know.
func TestTaskRunFits(t *testing.T) {
	var s task
	var run taskRun
	spec(t, taskFile, &s)
	spec(t, runFile, &run)
	needed := map[string]bool{}
	for _, p := range s.Params {
		needed["param "+p.Name] = p.Default == nil
	}
	for _, w := range s.Workspaces {
		needed["workspace "+w.Name] = !w.Optional
	}
	given := map[string]bool{}
	for _, p := range run.Params {
		given["param "+p.Name] = true
	}
	for _, w := range run.Workspaces {
		given["workspace "+w.Name] = true
	}
	for name, must := range needed {
		if must && !given[name] {
			t.Errorf("the run lacks the %s", name)
		}
	}
	for name := range given {
		if _, known := needed[name]; !known {
			t.Errorf("the task has no %s", name)
		}
	}
}
