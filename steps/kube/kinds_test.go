package kube

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// TestKindsAsked asks a server that keeps a few kinds, refuses one group and
// answers nonsense for another: kinds are asked for once, what is missing again.
func TestKindsAsked(t *testing.T) {
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/api/v1":
			_, _ = w.Write([]byte(`{"kind":"APIResourceList","resources":[{"name":"pods","kind":"Pod","namespaced":true},{"name":"pods/eviction","kind":"Eviction"}]}`))
		case "/apis/a.example/v1":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"user x may not look"}`))
		case "/apis/b.example/v1":
			_, _ = w.Write([]byte(`<html>`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	k, err := newKinds(&rest.Config{Host: server.URL}, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	find := func(group, version, kind string) (resource, error) {
		return k.find(t.Context(), schema.GroupVersionKind{Group: group, Version: version, Kind: kind})
	}
	for range 2 {
		if r, err := find("", "v1", "Pod"); err != nil || r.Resource != "pods" || !r.namespaced {
			t.Errorf("Pod: %+v, %v", r, err)
		}
		for _, missing := range [][3]string{{"", "v1", "Eviction"}, {"c.example", "v1", "C"}} {
			if _, err := find(missing[0], missing[1], missing[2]); !errors.Is(err, errNotServed) {
				t.Errorf("%v: %v", missing, err)
			}
		}
	}
	if _, err := find("a.example", "v1", "A"); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "may not look") {
		t.Errorf("refused: %v", err)
	}
	if _, err := find("b.example", "v1", "B"); err == nil || !strings.Contains(err.Error(), "b.example/v1") {
		t.Errorf("nonsense: %v", err)
	}
	if asked["/api/v1"] != 3 || asked["/apis/c.example/v1"] != 2 {
		t.Errorf("asked %v", asked)
	}
}
