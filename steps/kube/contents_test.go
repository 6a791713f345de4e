package kube

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// disorder answers requests for one path with an error: so many, all where it is -1.
type disorder struct {
	next http.RoundTripper
	path string
	code int
	left atomic.Int64
}

func (f *disorder) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != f.path || f.left.Load() == 0 {
		return f.next.RoundTrip(r)
	}
	f.left.Add(-1)
	reason := map[int]string{403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}[f.code]
	return &http.Response{StatusCode: f.code, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"` + reason + `","message":"out of order"}`))}, nil
}

// surveyor is a step that surveys one namespace.
type surveyor struct {
	stub
	namespace string
}

func (s surveyor) Surveys(*labs.Facts, Seen) []string { return []string{s.namespace} }

// survey gives what a step sees of a namespace.
func (l *aLab) survey(namespace string) (Contents, *tellings) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	var found Contents
	told := &tellings{}
	env := &anEnv{l, pipeline.NewScope(l.name, "hub", "survey", "", told.take)}
	step := surveyor{stub{judge: func(seen Seen) Verdict {
		found = seen.Contents(namespace)
		return Verdict{State: Done, Summary: "done"}
	}}, namespace}
	if _, err := Use[surveyor, *anEnv]("test/survey", "", "").Run(ctx, env, step); err != nil {
		l.t.Fatal(err)
	}
	return found, told
}

func objectsIn(inside Contents) []string {
	var names []string
	for _, o := range inside.Objects {
		names = append(names, o.APIVersion+" "+o.Kind+" "+o.Name)
	}
	return names
}

// What cannot be read for a moment is read all the same; what cannot be read is
// named, and is no reason not to see the rest.
func TestContentsUnread(t *testing.T) {
	ns := hub.Namespace(t, "contents")
	newLab(t, "contents").make(aConfigMap(ns, "notes", nil))
	newLab(t, "contents").make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"namespace": ns, "name": "login"}}})
	configMaps := "/api/v1/namespaces/" + ns + "/configmaps"
	for _, c := range []struct {
		name   string
		path   string
		code   int
		times  int64
		unread string // "" for nothing
		blind  bool   // to all objects
	}{
		{"a busy server", configMaps, 429, 2, "", false},
		{"a webhook that starts", configMaps, 500, 2, "", false},
		{"a group that is busy", "/apis/operators.coreos.com/v1alpha1", 503, 2, "", false},
		{"a server that starts", "/apis", 503, 2, "", false},
		{"no right to list", configMaps, 403, -1, "configmaps: out of order", false},
		{"a webhook that is gone", configMaps, 500, -1, "configmaps: out of order", false},
		{"a group that nobody serves", "/apis/operators.coreos.com/v1", 503, -1, "API group operators.coreos.com/v1: out of order", false},
		{"a group that nobody may see", "/apis/operators.coreos.com/v1", 403, -1, "API group operators.coreos.com/v1: out of order", false},
		{"a group that went meanwhile", "/apis/operators.coreos.com/v1", 404, -1, "", false},
		{"a kind that cannot be listed", "/apis/apps/v1/namespaces/" + ns + "/deployments", 405, -1, "", false},
		{"no right to see the groups", "/apis", 403, -1, "API groups: out of order", true},
		{"no API server at all", "/apis", 404, -1, "API groups: out of order", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &disorder{path: c.path, code: c.code}
			f.left.Store(c.times)
			config := hub.Get(t).Config()
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				f.next = next
				return f
			})
			l := labAs(t, "contents", config)
			if c.times < 0 {
				l.cluster.lastWord = time.Millisecond
			}
			inside, told := l.survey(ns)
			if got := strings.Join(inside.Unread, "\n"); got != c.unread {
				t.Errorf("unread: %q, want %q", got, c.unread)
			}
			names := objectsIn(inside)
			if slices.Contains(names, "v1 ConfigMap notes") != (c.path != configMaps || c.unread == "") && !c.blind || slices.Contains(names, "v1 Secret login") == c.blind {
				t.Errorf("it holds %q", names)
			}
			if waits := strings.Contains(strings.Join(told.titles(event.StepProgress), "\n"), "Namespace "+ns+": listing what is in it waits"); c.times > 0 && !waits {
				t.Errorf("the wait is not told: %q", told.titles(event.StepProgress))
			}
		})
	}
}

// A kind that its group's preferred version does not serve is seen as well, and each
// object once.
func TestContentsOfAllVersions(t *testing.T) {
	l := newLab(t, "versions")
	ns := hub.Namespace(t, "versions")
	for _, o := range []struct {
		apiVersion, kind string
		spec             map[string]any
	}{
		{"operators.coreos.com/v1alpha1", "Subscription", map[string]any{"name": "theirs", "source": "s", "sourceNamespace": "m"}},
		{"operators.coreos.com/v1alpha1", "CatalogSource", map[string]any{"sourceType": "grpc", "image": "index"}},
		{"operators.coreos.com/v1alpha1", "InstallPlan", map[string]any{"approval": "Manual", "approved": false, "clusterServiceVersionNames": []any{}}},
		{"operators.coreos.com/v1", "OperatorGroup", map[string]any{"targetNamespaces": []any{ns}}},
		{"operators.coreos.com/v2", "OperatorCondition", map[string]any{}},
		{"autoscaling/v1", "HorizontalPodAutoscaler", map[string]any{"maxReplicas": int64(1), "scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}},
	} {
		l.make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": o.apiVersion, "kind": o.kind,
			"metadata": map[string]any{"namespace": ns, "name": "theirs"}, "spec": o.spec}})
	}
	inside, _ := l.survey(ns)
	want := []string{"operators.coreos.com/v1alpha1 CatalogSource theirs", "autoscaling/v2 HorizontalPodAutoscaler theirs", "operators.coreos.com/v1alpha1 InstallPlan theirs",
		"operators.coreos.com/v2 OperatorCondition theirs", "operators.coreos.com/v1 OperatorGroup theirs", "operators.coreos.com/v1alpha1 Subscription theirs"}
	got := slices.DeleteFunc(objectsIn(inside), func(name string) bool { return !strings.HasSuffix(name, " theirs") })
	if !slices.Equal(got, want) || len(inside.Unread) > 0 {
		t.Errorf("it holds\n%s\nwant\n%s\nunread %q", strings.Join(got, "\n"), strings.Join(want, "\n"), inside.Unread)
	}
}

// An API that another server should serve and does not is unread, but for
// measurements: nobody keeps anything there.
func TestContentsOfStaleAPIs(t *testing.T) {
	l := newLab(t, "stale")
	ns := hub.Namespace(t, "stale")
	l.make(aConfigMap(ns, "notes", nil))
	ref := Ref{APIVersion: "apiregistration.k8s.io/v1", Kind: "APIService"}
	services, err := l.cluster.resource(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"stale.example", "custom.metrics.k8s.io"} {
		name := "v1beta1." + group
		l.make(&unstructured.Unstructured{Object: map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind, "metadata": map[string]any{"name": name},
			"spec": map[string]any{"group": group, "version": "v1beta1", "groupPriorityMinimum": int64(100), "versionPriority": int64(100), "insecureSkipTLSVerify": true,
				"service": map[string]any{"namespace": ns, "name": "nobody"}}}})
		t.Cleanup(func() {
			if err := services.Delete(context.Background(), name, meta.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	for listed := false; !listed; { // the server learns of them in a moment
		versions, err := l.cluster.kinds.versions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		listed = slices.ContainsFunc(versions, func(gv schema.GroupVersion) bool { return gv.Group == "stale.example" })
	}
	l.cluster.lastWord = time.Millisecond
	inside, _ := l.survey(ns)
	if len(inside.Unread) != 1 || !strings.HasPrefix(inside.Unread[0], "API group stale.example/v1beta1: ") || !slices.Contains(objectsIn(inside), "v1 ConfigMap notes") {
		t.Errorf("unread %q, it holds %q", inside.Unread, objectsIn(inside))
	}
}
