package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A second run, from another process, changes no resourceVersion: the server's
// own log says so.
func TestSecondRunChangesNothingAtTheServer(t *testing.T) {
	ns := hub.Namespace(t, "again")
	cp := hub.Get(t)
	first := newLab(t, "again")
	first.make(aConfigMap(ns, "theirs", map[string]string{"a": "1"}))
	steps := []struct {
		id string
		s  stub
	}{
		{"apply", stub{intents: []Intent{{Object: aConfigMap(ns, "applied", map[string]string{"a": "1"})}, {Object: aConfigMap(ns, "shared", nil), Shared: true}}}},
		{"key", aKey(ns, "key")},
		{"merge", stub{intents: []Intent{{How: Merge, Shared: true, Object: aConfigMap(ns, "theirs", nil), Change: addKeys(map[string]string{"b": "2"})}}}},
		{"pool", stub{intents: []Intent{{Object: aNodePool(ns, "quay.io/a:1"), Initial: func(u *unstructured.Unstructured) error {
			return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
		}}}}},
	}
	for _, s := range steps {
		if r := first.must(s.id, s.s); !r.changed {
			t.Errorf("%s changed nothing at first", s.id)
		} else {
			t.Log("first ", s.id, r.requests.ByVerb)
		}
	}
	before, err := cp.Writes()
	if err != nil {
		t.Fatal(err)
	}
	second := newLab(t, "again")
	for _, s := range steps {
		if r := second.must(s.id, s.s); r.changed {
			t.Errorf("%s changed something again", s.id)
		} else {
			t.Log("second", s.id, r.requests.ByVerb)
		}
	}
	all, err := cp.Writes()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, w := range all[len(before):] {
		if w.Agent != "labrun" || w.Namespace != ns && w.Namespace != InventoryNamespace {
			continue
		}
		asked++
		if w.Changed {
			t.Errorf("%s %s %s/%s changed it", w.Verb, w.Resource, w.Namespace, w.Name)
		}
	}
	if asked != 3 { // two applies, one dry run
		t.Errorf("%d writes were asked for, want 3", asked)
	}
}

func TestTransient(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{context.Canceled, false},
		{&url.Error{Op: "Get", URL: "https://x", Err: errors.New("connection refused")}, true},
		{&url.Error{Op: "Get", URL: "https://x", Err: x509.UnknownAuthorityError{}}, false},
		{&url.Error{Op: "Get", URL: "https://x", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "x", IsNotFound: true}}}, false},
		{&url.Error{Op: "Get", URL: "https://x", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "x", IsTimeout: true}}}, true},
		{&url.Error{Op: "Get", URL: "https://x", Err: &exec.Error{Name: "kubelogin", Err: exec.ErrNotFound}}, false},
		{apierrors.NewServiceUnavailable("starting"), true},
		{apierrors.NewTooManyRequests("busy", 1), true},
		{apierrors.NewInternalError(fmt.Errorf(`failed calling webhook "x"`)), true},
		{apierrors.NewInternalError(fmt.Errorf("failed to create typed patch object: .x: field not declared in schema")), false},
		{apierrors.NewForbidden(pods, "x", errors.New("no")), false},
		{apierrors.NewConflict(pods, "x", errors.New("other")), false},
		{apierrors.NewUnauthorized("who?"), false},
	} {
		if got := transient(c.err); got != c.want {
			t.Errorf("%v: %t, want %t", c.err, got, c.want)
		}
	}
}

// A kubeconfig whose program is missing is told at once, with what to do.
func TestKubeconfigProgramIsMissing(t *testing.T) {
	l := labAs(t, "plugin", &rest.Config{Host: "https://127.0.0.1:1", ExecProvider: &clientcmdapi.ExecConfig{
		Command: "no-such-program-of-labrun", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}})
	wantError(t, l.run("s", stub{intents: []Intent{{Object: aConfigMap("a", "b", nil)}}}).err, "no-such-program-of-labrun", "install the program")
}
