package kube

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"

	"github.com/labrun/labrun/internal/holder"
)

// aRun is a process that holds a lab, or wants to.
type aRun struct {
	*Tenure
	cluster *Cluster
	ahead   atomic.Int64 // of its clock before the others', in nanoseconds
	quiet   atomic.Bool  // the server does not answer it
	dead    sync.Map     // pids that it finds to have ended
}

func self(pid int) holder.Holder {
	h := holder.Self(time.Now())
	h.PID = pid
	return h
}

func elsewhere(pid int) holder.Holder {
	h := self(pid)
	h.Host, h.Machine, h.Boot = "night-2", "m2", "b2"
	return h
}

// aRunOf is a run of a lab. Its Lease holds for a minute, and is renewed every few
// milliseconds.
func aRunOf(t *testing.T, lab string, h holder.Holder) *aRun {
	t.Helper()
	r := &aRun{}
	config := rest.CopyConfig(hub.Get(t).Config())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return silenced{&r.quiet, next} })
	c, err := NewCluster(config)
	if err != nil {
		t.Fatal(err)
	}
	r.cluster = c
	r.Tenure = NewTenure(lab, func(context.Context) (*Cluster, error) { return c, nil }, h, TenureOptions{
		Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) },
		Process: func(int) (string, bool) {
			_, dead := r.dead.Load(0)
			return h.Start, !dead
		},
		Lasts: time.Minute, Every: 5 * time.Millisecond, Again: time.Millisecond,
	})
	t.Cleanup(func() {
		if err := r.Release(); err != nil {
			t.Error(err)
		}
		c.Close()
	})
	return r
}

type silenced struct {
	quiet *atomic.Bool
	next  http.RoundTripper
}

func (s silenced) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.quiet.Load() {
		return nil, errors.New("the cable is out")
	}
	return s.next.RoundTrip(r)
}

func (r *aRun) must(t *testing.T) {
	t.Helper()
	// As a step does: the server may refuse it for the moment.
	if err := retry.OnError(*backoff(), transient, func() error { return r.Take(t.Context()) }); err != nil {
		t.Fatal(err)
	}
}

// lost waits until a run has lost its lab, and says why.
func (r *aRun) lost(t *testing.T) *holder.Lost {
	t.Helper()
	select {
	case <-r.Held().Done():
	case <-time.After(time.Minute):
		t.Fatal("the Lease is not lost")
	}
	var lost *holder.Lost
	if !errors.As(context.Cause(r.Held()), &lost) {
		t.Fatalf("it ended with %v", context.Cause(r.Held()))
	}
	if err := r.Take(t.Context()); !errors.Is(err, lost) {
		t.Errorf("Take after it was lost: %v", err)
	}
	return lost
}

func wantHeld(t *testing.T, err error, parts ...string) {
	t.Helper()
	var held *holder.Held
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want the holder", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

// A run that begins and ends asks for one write each; nothing is left.
func TestTenureCosts(t *testing.T) {
	r := aRunOf(t, "costs", self(os.Getpid()))
	r.o.Every = time.Hour
	if err := r.cluster.makeNamespace(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := r.cluster.Requests()
	for range 3 {
		r.must(t)
	}
	if err := r.Release(); err != nil {
		t.Fatal(err)
	}
	if got := r.cluster.Requests().since(before).ByVerb; !maps.Equal(got, map[string]int{"POST": 1, "DELETE": 1}) {
		t.Errorf("requests %v, want one POST and one DELETE", got)
	}
	if _, err := r.leases.get(t.Context()); err == nil {
		t.Error("the Lease is still there")
	}
}

// A step of a run that does not hold the lab changes nothing, nor does one of a run
// that has lost it.
func TestStepsOfARunThatDoesNotHoldTheLab(t *testing.T) {
	ns := hub.Namespace(t, "held")
	l := newLab(t, ns) // a lab of this very test: its lost Lease stays
	other, mine := aRunOf(t, ns, elsewhere(41)), aRunOf(t, ns, self(42))
	l.tenure = mine.Tenure
	first, second := aConfigMap(ns, "first", nil), aConfigMap(ns, "second", nil)
	other.must(t)
	wantHeld(t, l.run("a", stub{intents: []Intent{{Object: first}}}).err, "process 41 on night-2")
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	l.must("a", stub{intents: []Intent{{Object: first}}})
	mine.ahead.Store(int64(5 * time.Minute))
	mine.quiet.Store(true)
	r := l.run("b", stub{intents: []Intent{{Object: second}}})
	wantError(t, r.err, "does not hold the lab "+ns+" any more")
	wantEffects(t, r)
	if l.get(RefTo(first)) == nil || l.get(RefTo(second)) != nil {
		t.Error("the first is not there, or the second is")
	}
}

func TestTenureOfARunThatLives(t *testing.T) {
	first, second := aRunOf(t, "lives", self(41)), aRunOf(t, "lives", self(42))
	first.must(t)
	wantHeld(t, second.Take(t.Context()), "process 41 on "+self(41).Host, "since "+time.Now().Local().Format("2006-"), "Lease labrun/lab-lives on "+hub.Get(t).Config().Host)
	if err := second.Release(); err != nil {
		t.Error(err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second.must(t)
}

// Of many that begin at the same time one has the lab.
func TestTenureOfMany(t *testing.T) {
	var running sync.WaitGroup
	var taken atomic.Int32
	for pid := range 12 {
		r := aRunOf(t, "many", self(pid+1))
		running.Go(func() {
			var held *holder.Held
			switch err := r.Take(t.Context()); {
			case err == nil:
				taken.Add(1)
			case !errors.As(err, &held):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("%d runs have the lab", n)
	}
}

// A run whose process is not there any more is succeeded at once; were it there
// after all, it would learn of it.
func TestTenureOfADeadProcess(t *testing.T) {
	first, second := aRunOf(t, "dead", self(41)), aRunOf(t, "dead", self(42))
	first.must(t)
	second.dead.Store(0, true)
	second.must(t)
	if lost := first.lost(t); lost.Taker.PID != 42 {
		t.Errorf("taken by %v", lost.Taker)
	}
	if err := first.Release(); err != nil {
		t.Error(err)
	}
	lease, err := second.leases.get(t.Context())
	if err != nil || claimOf(lease, 0).Holder.PID != 42 || *lease.Spec.LeaseTransitions != 1 {
		t.Errorf("after the first one's release: %+v, %v", lease, err)
	}
}

func TestTenureOfAnotherHost(t *testing.T) {
	first, second := aRunOf(t, "host", elsewhere(41)), aRunOf(t, "host", self(42))
	first.must(t)
	second.dead.Store(0, true) // a pid of another host says nothing
	wantHeld(t, second.Take(t.Context()), "process 41 on night-2", "if that run is dead, the lab is free at ")
	first.quiet.Store(true) // it is cut off, and does not know
	second.ahead.Store(int64(59 * time.Second))
	wantHeld(t, second.Take(t.Context()), "process 41 on night-2")
	second.ahead.Store(int64(61 * time.Second))
	second.must(t)
	first.ahead.Store(int64(61 * time.Second))
	if err := first.Take(t.Context()); err == nil {
		t.Error("a run whose Lease has expired may go on")
	}
	if lost := first.lost(t); lost.Cause == nil {
		t.Errorf("lost: %v", lost)
	}
}

// While the server does not answer, a Lease holds until it expires.
func TestTenureWithoutAServer(t *testing.T) {
	r := aRunOf(t, "silent", self(41))
	r.must(t)
	r.quiet.Store(true)
	r.ahead.Store(int64(50 * time.Second))
	r.must(t)
	r.quiet.Store(false)
	if err := r.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.quiet.Store(true)
	r.ahead.Store(int64(200 * time.Second))
	lost := r.lost(t)
	if lost.Cause == nil || !strings.Contains(lost.Error(), "could not be renewed before it expired") {
		t.Errorf("lost: %v", lost)
	}
	r.quiet.Store(false)
}

// A Lease that somebody deletes or annotates is the run's all the same; one that
// another program signs is not.
func TestTenureThatOthersTouch(t *testing.T) {
	r := aRunOf(t, "touched", self(41))
	r.must(t)
	watch, err := r.leases.client().Watch(t.Context(), meta.ListOptions{FieldSelector: "metadata.name=" + LeaseName("touched")})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	if err := r.leases.client().Delete(t.Context(), LeaseName("touched"), meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for e := range watch.ResultChan() {
		if e.Type == "DELETED" {
			break
		}
	}
	if e := <-watch.ResultChan(); e.Type != "ADDED" {
		t.Fatalf("after it was deleted: %v", e)
	}
	for {
		lease, err := r.leases.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lease.Annotations = map[string]string{"seen": "yes"}
		if _, err = r.leases.write(t.Context(), lease); err == nil {
			break
		}
	}
	for e := range watch.ResultChan() { // renewed over the annotation
		if u, ok := e.Object.(meta.Object); ok && u.GetAnnotations()["seen"] == "yes" && e.Type == "MODIFIED" {
			break
		}
	}
	if r.Held().Err() != nil {
		t.Fatal(context.Cause(r.Held()))
	}
	stranger := "kube-scheduler_1"
	for {
		lease, err := r.leases.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lease.Spec.HolderIdentity = &stranger
		if _, err = r.leases.write(t.Context(), lease); err == nil {
			break
		}
	}
	r.lost(t)
	t.Cleanup(func() {
		if err := r.leases.client().Delete(context.Background(), LeaseName("touched"), meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	second := aRunOf(t, "touched", self(42))
	wantHeld(t, second.Take(t.Context()), `names "kube-scheduler_1", which is no labrun`)
}
