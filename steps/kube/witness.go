package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

// Expert is an environment that knows where to look when an object does not
// become what it should.
type Expert interface {
	// Around gives what else tells about an object: what its operator made of it.
	Around(u *unstructured.Unstructured) []Ref
	// Operators selects the pods whose logs tell about objects of this kind.
	Operators(u *unstructured.Unstructured) []Ref
	// InHosted gives what tells how the hosted cluster itself is.
	InHosted() []Ref
	// AskBMC writes down how a worker's BMC sees its server. It only reads.
	AskBMC(ctx context.Context, w labs.Worker) ([]byte, error)
}

// OnMachine is a step about the servers of workers.
type OnMachine interface {
	Machines(f *labs.Facts) []labs.Worker
}

// witness keeps what an expert would want to see of a step that failed: its
// objects and what they own with their conditions, the events about them, what
// their operators logged, and the BMCs' own view.
func witness(ctx context.Context, env Environment, step Step, keep pipeline.Keep) error {
	var (
		group         sync.WaitGroup
		cluster, bmcs error
	)
	group.Go(func() { cluster = witnessCluster(ctx, env, step, keep) })
	expert, knows := env.(Expert)
	if m, ok := step.(OnMachine); ok && knows {
		bmcs = WitnessMachines(ctx, expert, m.Machines(env.Facts()), keep)
	}
	group.Wait()
	return errors.Join(cluster, bmcs)
}

// WitnessMachines keeps how the BMCs of these workers see their servers. All are
// asked side by side.
func WitnessMachines(ctx context.Context, expert Expert, workers []labs.Worker, keep pipeline.Keep) error {
	var group sync.WaitGroup
	failed := make([]error, len(workers))
	for i, w := range workers {
		group.Go(func() { failed[i] = witnessBMC(ctx, expert, w, keep) })
	}
	group.Wait()
	return errors.Join(failed...)
}

func witnessBMC(ctx context.Context, expert Expert, w labs.Worker, keep pipeline.Keep) error {
	text, err := expert.AskBMC(ctx, w)
	if len(text) > 0 {
		err = errors.Join(err, keep("bmc-"+w.Name+".txt", text))
	}
	if err != nil {
		return fmt.Errorf("asking the BMC of %s: %w", w.Name, err)
	}
	return nil
}

// sighting is what one step's cluster shows.
type sighting struct {
	*run
	expert  Expert
	keep    pipeline.Keep
	prefix  string                       // of the files
	objects []*unstructured.Unstructured // the step's own first
	known   map[string]bool
	missing []error
}

func witnessCluster(ctx context.Context, env Environment, step Step, keep pipeline.Keep) error {
	r, err := newRun(ctx, env, step)
	if err != nil {
		return err
	}
	r.once = true
	s := &sighting{run: r, keep: keep, known: map[string]bool{}}
	s.expert, _ = env.(Expert)
	s.look(ctx)
	s.note(s.keepObjects())
	s.note(s.keepEvents(ctx))
	s.keepLogs(ctx)
	s.note(s.lookInside(ctx))
	return errors.Join(s.missing...)
}

// lookInside keeps how a hosted cluster is that answers already.
func (s *sighting) lookInside(ctx context.Context) error {
	if s.expert == nil || s.hosted || !slices.ContainsFunc(s.objects, answers) {
		return nil
	}
	cluster, err := s.env.HostedCluster(ctx)
	if err != nil {
		return fmt.Errorf("looking into the hosted cluster: %w", err)
	}
	run := *s.run
	run.cluster, run.view = cluster, newView(cluster)
	inside := &sighting{run: &run, keep: s.keep, prefix: "hosted-", known: map[string]bool{}}
	inside.see(ctx, s.expert.InHosted()...)
	inside.note(inside.keepObjects())
	return errors.Join(inside.missing...)
}

// answers says whether an object is a HostedCluster whose API server runs.
func answers(u *unstructured.Unstructured) bool {
	if u.GetKind() != "HostedCluster" {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		m, _ := c.(map[string]any)
		return m["type"] == "KubeAPIServerAvailable" && m["status"] == "True"
	})
}

func (s *sighting) note(err error) {
	if err != nil {
		s.missing = append(s.missing, err)
	}
}

// look reads what the step reads and brings about, and what is around that.
func (s *sighting) look(ctx context.Context) {
	if reader, ok := s.step.(Reader); ok {
		s.see(ctx, reader.Reads(s.facts)...)
	}
	for more := s.unread(); len(more) > 0; more = s.unread() {
		s.see(ctx, more...)
	}
	intents, err := s.step.Objects(s.facts, s.seen())
	if err == nil {
		all, err := tasks(s.step, intents)
		s.note(err)
		for _, t := range all {
			s.see(ctx, t.ref)
		}
	}
	if s.expert == nil {
		return
	}
	for i := 0; i < len(s.objects); i++ { // what is around may have something around it, too
		s.see(ctx, s.expert.Around(s.objects[i])...)
	}
}

// see reads references; what is not served is not there.
func (s *sighting) see(ctx context.Context, refs ...Ref) {
	for _, ref := range refs {
		err := s.view.read(ctx, ref)
		s.view.add(ref) // also where it could not be read: it is not asked for again
		if err != nil && !errors.Is(err, errNotServed) {
			s.note(fmt.Errorf("reading %s: %w", ref, err))
			continue
		}
		for _, u := range s.view.now()[ref.key()] {
			if id := u.GetKind() + " " + place(u); !s.known[id] {
				s.known[id] = true
				s.objects = append(s.objects, u)
			}
		}
	}
}

// keepObjects writes the objects as they are, and their conditions as a table.
func (s *sighting) keepObjects() error {
	var all, table strings.Builder
	for _, u := range s.objects {
		text, err := yaml.Marshal(shown(u))
		if err != nil {
			return fmt.Errorf("writing %s: %w", RefTo(u), err)
		}
		all.WriteString("---\n")
		all.Write(text)
		tabulate(&table, u)
	}
	if all.Len() == 0 {
		return nil
	}
	return errors.Join(s.keep(s.prefix+"objects.yaml", []byte(all.String())), s.keep(s.prefix+"conditions.txt", []byte(table.String())))
}

// shown is an object without what nobody reads, and without the values of a Secret.
func shown(u *unstructured.Unstructured) map[string]any {
	u = u.DeepCopy()
	u.SetManagedFields(nil)
	if u.GetKind() == "Secret" {
		unstructured.RemoveNestedField(u.Object, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
		for _, field := range []string{"data", "stringData"} {
			if values, ok := u.Object[field].(map[string]any); ok {
				for key := range values {
					values[key] = masked
				}
			}
		}
	}
	return u.Object
}

// tabulate writes what an object says of itself: a line a condition, or its phase.
func tabulate(w *strings.Builder, u *unstructured.Unstructured) {
	fmt.Fprintf(w, "%s  (made %s)\n", RefTo(u), u.GetCreationTimestamp().UTC().Format("2006-01-02 15:04:05"))
	if at := u.GetDeletionTimestamp(); at != nil {
		fmt.Fprintf(w, "  being deleted since %s, held by %s\n", at.UTC().Format("15:04:05"), strings.Join(u.GetFinalizers(), ", "))
	}
	for _, path := range [][]string{{"status", "phase"}, {"status", "state"}, {"status", "debugInfo", "state"}, {"status", "provisioning", "state"}, {"status", "errorType"}, {"status", "errorMessage"}} {
		if text, _, _ := unstructured.NestedString(u.Object, path...); text != "" {
			fmt.Fprintf(w, "  %s: %s\n", strings.Join(path[1:], "."), text)
		}
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok {
			fmt.Fprintf(w, "  %-28v %-8v %-28v %v  %v\n", c["type"], c["status"], orDash(c["reason"]), orDash(c["lastTransitionTime"]), orDash(c["message"]))
		}
	}
	w.WriteString("\n")
}

func orDash(v any) any {
	if v == nil || v == "" {
		return "-"
	}
	return v
}
