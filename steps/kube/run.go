package kube

import (
	"context"
	"errors"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// run is one run of one step.
type run struct {
	env     Environment
	step    Step
	scope   *pipeline.Scope
	facts   *labs.Facts
	cluster *Cluster
	hosted  bool
	view    *view
	secrets map[string]labs.Secret
	manager string
	began   time.Time
	adopt   bool
	once    bool // an answer is not insisted on: nothing is waited for

	entries, hubEntries []Entry             // for a step that is Inventoried
	inside              map[string]Contents // for a Surveyor
}

func newRun(ctx context.Context, env Environment, step Step) (*run, error) {
	r := &run{env: env, step: step, scope: env.Scope(), facts: env.Facts(), began: env.Now()}
	r.manager = managerOf(r.scope)
	if err := CheckNames(r.scope.Lab, r.scope.Step, r.scope.Key); err != nil {
		return nil, err
	}
	if a, ok := env.(Adopter); ok {
		r.adopt = a.Adopt()
	}
	var err error
	if r.secrets, err = secretsOf(ctx, env, step); err != nil {
		return nil, err
	}
	connect := env.Hub
	if _, r.hosted = step.(Hosted); r.hosted {
		connect = env.HostedCluster
	}
	if r.cluster, err = connect(ctx); err != nil {
		return nil, err
	}
	r.view = newView(r.cluster)
	return r, nil
}

func secretsOf(ctx context.Context, env Environment, step Step) (map[string]labs.Secret, error) {
	secrets := map[string]labs.Secret{}
	user, ok := step.(SecretUser)
	if !ok {
		return secrets, nil
	}
	for _, ref := range user.Secrets(env.Facts()) {
		if ref.IsZero() {
			continue
		}
		s, err := env.Secret(ctx, ref)
		if err != nil {
			return nil, err
		}
		secrets[ref.String()] = s
	}
	return secrets, nil
}

// do reads, brings about and waits. Every watch that it starts has ended when it
// returns.
func (r *run) do(ctx context.Context) (Verdict, Seen, error) {
	watching, cancel := context.WithCancel(ctx)
	defer r.view.group.Wait()
	defer cancel()
	if err := r.readAll(ctx); err != nil {
		return Verdict{}, Seen{}, err
	}
	if err := r.bringAll(ctx, watching); err != nil {
		return Verdict{}, Seen{}, err
	}
	return r.judge(ctx, watching)
}

func (r *run) seen() Seen {
	s := NewSeen(r.env.Now(), r.view.now(), r.secrets).WithEntries(r.entries, r.hubEntries).WithContents(r.inside)
	s.Began = r.began
	if keeper, ok := r.env.(Keeper); ok {
		s.keeps = keeper.Keeps
	}
	return s
}

// readAll reads what the step declares, and what that names.
func (r *run) readAll(ctx context.Context) error {
	if err := r.readInventories(ctx); err != nil {
		return err
	}
	if reader, ok := r.step.(Reader); ok {
		if err := r.readEach(ctx, reader.Reads(r.facts)); err != nil {
			return err
		}
	}
	return r.follow(ctx)
}

// follow reads what is named by what was read.
func (r *run) follow(ctx context.Context) error {
	for {
		more := r.unread()
		if len(more) == 0 {
			return r.survey(ctx)
		}
		if err := r.readEach(ctx, more); err != nil {
			return err
		}
	}
}

// survey looks at what namespaces hold.
func (r *run) survey(ctx context.Context) error {
	s, ok := r.step.(Surveyor)
	if !ok {
		return nil
	}
	inside := map[string]Contents{}
	for _, namespace := range s.Surveys(r.facts, r.seen()) {
		var err error
		if inside[namespace], err = r.contents(ctx, namespace); err != nil {
			return err
		}
	}
	r.inside = inside
	return ctx.Err()
}

// unread gives what the step follows now and is not read yet.
func (r *run) unread() []Ref {
	follower, ok := r.step.(Follower)
	if !ok {
		return nil
	}
	var more []Ref
	seen := r.seen()
	for _, ref := range follower.Follows(r.facts, seen) {
		if _, known := seen.objects[ref.key()]; !known {
			more = append(more, ref)
		}
	}
	return more
}

func (r *run) readEach(ctx context.Context, refs []Ref) error {
	for _, ref := range refs {
		err := r.insist(ctx, "reading", ref.String(), func(ctx context.Context) error {
			return r.view.read(ctx, ref)
		})
		if errors.Is(err, errNotServed) {
			if ref.Optional || r.once {
				r.view.add(ref)
				continue
			}
			if err = r.await(ctx, ref); err == nil {
				err = r.view.read(ctx, ref)
			}
		}
		if err != nil {
			return explain(r.cluster, "reading", ref.String(), r.manager, err)
		}
	}
	return nil
}

// await waits until the server knows a reference's kind.
func (r *run) await(ctx context.Context, ref Ref) error {
	_, err := r.cluster.awaitResource(ctx, ref, func(err error) {
		r.scope.Progress(event.Report{Title: ref.String() + ": waiting until the server knows " + ref.Kind,
			Lines: []event.Line{{Label: "seen", Text: said(err)}},
			Next:  "oc get crd | grep " + ref.kind().Group})
	})
	if err != nil && ctx.Err() != nil {
		return r.timedOut(ctx)
	}
	return err
}

// timedOut is the error of a wait that ctx ended: what was last seen.
func (r *run) timedOut(ctx context.Context) error {
	last := r.scope.LastSeen()
	if last.Title == "" {
		last.Title = "no answer yet from " + r.cluster.Host()
	}
	return &pipeline.Report{Report: last, Cause: errors.Join(ctx.Err(), context.Cause(ctx))}
}
