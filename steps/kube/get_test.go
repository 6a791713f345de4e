package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// secretServer answers each GET of a Secret with the next of these, the last one
// for ever: a status code, or 0 for a connection that breaks.
func secretServer(t *testing.T, answers ...int) *Cluster {
	t.Helper()
	var turn sync.Mutex // a connection that broke may be asked over by the next one at once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/v1" {
			_, _ = w.Write([]byte(`{"kind":"APIResourceList","resources":[{"name":"secrets","kind":"Secret","namespaced":true}]}`))
			return
		}
		turn.Lock()
		code := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		turn.Unlock()
		switch code {
		case 0:
			panic(http.ErrAbortHandler)
		case http.StatusOK:
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"ns","name":"s"}}`))
		default:
			reason := map[int]string{429: "TooManyRequests", 503: "ServiceUnavailable", 404: "NotFound", 403: "Forbidden"}[code]
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"answer %d"}`, reason, code, code)
		}
	}))
	t.Cleanup(server.Close)
	c, err := NewCluster(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestGetInsists(t *testing.T) {
	ref := Ref{APIVersion: "v1", Kind: "Secret", Namespace: "ns", Name: "s"}
	for _, c := range []struct {
		name    string
		answers []int
		err     []string
		is      func(error) bool
	}{
		{"at once", []int{200}, nil, nil},
		{"busy at first", []int{503, 429, 200}, nil, nil},
		{"reset at first", []int{0, 200}, nil, nil},
		{"absent", []int{404}, []string{"Secret ns/s: reading failed", "oc get -n ns secret s"}, apierrors.IsNotFound},
		{"busy, then forbidden", []int{503, 403}, []string{"Secret ns/s: reading failed", "give the kubeconfig's user this right"}, apierrors.IsForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := secretServer(t, c.answers...).Get(t.Context(), ref)
			if c.err != nil {
				wantError(t, err, c.err...)
				if !c.is(err) {
					t.Errorf("the cause is lost: %v", err)
				}
				return
			}
			if err != nil || u.GetName() != "s" {
				t.Errorf("%v, %v", u, err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := secretServer(t, 503).Get(ctx, ref)
	wantError(t, err, "Secret ns/s")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "answer 503") {
		t.Errorf("a wait that ended says %v", err)
	}
}
