// Package playtest runs players on a real API server in tests, and waits for what they write by watching it.
package playtest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/world"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// wait is how long a test waits for one thing at most.
const wait = 40 * time.Second

// Images is an image service that serves nothing: its URLs show what was asked for.
type Images struct{}

// Discovery gives a URL.
func (Images) Discovery(id, version, arch string) string {
	return fmt.Sprintf("http://127.0.0.1:1/images/%s/%s/%s.iso", id, version, arch)
}

// World is a world for tests: an hour passes in under four seconds.
func World(config *rest.Config) *world.World {
	return &world.World{
		Hub: config, Log: slog.New(slog.DiscardHandler), Images: Images{},
		Pace: world.Pace{Speed: 1000}, Faults: world.Faults{},
	}
}

// Client is an administrator's.
func Client(t testing.TB, config *rest.Config) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func scheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := clientscheme.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Run plays until the test ends.
func Run(t testing.TB, w *world.World, players ...world.Player) {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	skip := true
	mgr, err := ctrl.NewManager(w.Hub, ctrl.Options{
		Scheme: scheme(t), Metrics: metrics.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range players {
		if err := p.Setup(mgr, w); err != nil {
			t.Fatalf("setting up %s: %v", p.Name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the players ended with %v", err)
		}
	})
}

// Until waits until check has no complaint about the object, and gives the object. A complaint that stays for too long
// fails the test.
func Until(t testing.TB, c client.WithWatch, u *unstructured.Unstructured, check func(*unstructured.Unstructured) string) *unstructured.Unstructured {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(u.GetAPIVersion())
	list.SetKind(u.GetKind() + "List")
	events, err := c.Watch(ctx, list, client.InNamespace(u.GetNamespace()), client.MatchingFields{"metadata.name": u.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	complaint := "it is not there"
	for {
		select {
		case e := <-events.ResultChan():
			seen, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				t.Fatalf("watching %s %s ended: %v", u.GetKind(), u.GetName(), e)
			}
			if complaint = check(seen); complaint == "" {
				return seen
			}
		case <-ctx.Done():
			t.Fatalf("%s %s/%s after %v: %s", u.GetKind(), u.GetNamespace(), u.GetName(), wait, complaint)
		}
	}
}

// Has is a check for a condition of type and status whose reason and message are as given; empty ones are not looked at.
func Has(want obj.Condition) func(*unstructured.Unstructured) string {
	return func(u *unstructured.Unstructured) string {
		got := obj.FindCondition(u, want.Type)
		ok := got.Status == want.Status && (want.Reason == "" || got.Reason == want.Reason) && (want.Message == "" || got.Message == want.Message)
		if ok {
			return ""
		}
		return fmt.Sprintf("condition is %+v, want %+v", got, want)
	}
}

// Field is a check for the text at a path.
func Field(want string, path ...string) func(*unstructured.Unstructured) string {
	return func(u *unstructured.Unstructured) string {
		if got := obj.String(u, path...); got != want {
			return fmt.Sprintf("%v is %q, want %q", path, got, want)
		}
		return ""
	}
}

// Create makes objects, and their namespaces where they are not there.
func Create(t testing.TB, c client.Client, objects ...client.Object) {
	t.Helper()
	ctx := context.Background()
	for _, o := range objects {
		if ns := o.GetNamespace(); ns != "" {
			if err := obj.Create(ctx, c, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: ns}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Create(ctx, o, client.FieldValidation("Strict")); err != nil {
			t.Fatalf("creating %T %s: %v", o, client.ObjectKeyFromObject(o), err)
		}
	}
}

// Patch merges a JSON document into the object.
func Patch(t testing.TB, c client.Client, o client.Object, json string) {
	t.Helper()
	if err := c.Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte(json))); err != nil {
		t.Fatal(err)
	}
}

// Gone waits until the object is not there any more.
func Gone(t testing.TB, c client.WithWatch, u *unstructured.Unstructured) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(u.GetAPIVersion())
	list.SetKind(u.GetKind() + "List")
	name := client.MatchingFields{"metadata.name": u.GetName()}
	if err := c.List(ctx, list, client.InNamespace(u.GetNamespace()), name); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) == 0 {
		return
	}
	// From the list on: a deletion between the two requests is told as well.
	from := &client.ListOptions{Raw: &meta.ListOptions{ResourceVersion: list.GetResourceVersion()}}
	events, err := c.Watch(ctx, list, client.InNamespace(u.GetNamespace()), name, from)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	for {
		select {
		case e := <-events.ResultChan():
			if e.Type == watch.Deleted {
				return
			}
		case <-ctx.Done():
			t.Fatalf("%s %s/%s is still there after %v", u.GetKind(), u.GetNamespace(), u.GetName(), wait)
		}
	}
}

// Refuses waits until the API server refuses to create the object, which it asks by dry runs: when it begins to ask a
// new webhook is nowhere to be watched.
func Refuses(t testing.TB, c client.Client, o client.Object) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for c.Create(ctx, o.DeepCopyObject().(client.Object), client.DryRunAll) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the API server still takes %T %s after %v", o, o.GetName(), wait)
		}
	}
}

// PatchStatus merges a JSON document into the object's status.
func PatchStatus(t testing.TB, c client.Client, o client.Object, json string) {
	t.Helper()
	if err := c.Status().Patch(context.Background(), o, client.RawPatch("application/merge-patch+json", []byte(json))); err != nil {
		t.Fatal(err)
	}
}
