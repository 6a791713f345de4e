package steps

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

// readyTimeout ends the search for one secret before a run.
const readyTimeout = time.Minute

// Ready finds the secrets that only a run can look for, side by side, and says
// which of them are not there or not as they should be. What is found is kept:
// no step runs the command again. Workers that are other servers than their
// BareMetalHosts are told, too.
func (l *Lab) Ready(ctx context.Context) []pipeline.FactProblem {
	late := l.facts.LateSecrets()
	found := make([][]pipeline.FactProblem, len(late))
	var all sync.WaitGroup
	for i, s := range late {
		all.Go(func() { found[i] = l.ready(ctx, s) })
	}
	all.Wait()
	var problems []pipeline.FactProblem
	for _, f := range found {
		problems = append(problems, f...)
	}
	return append(problems, l.otherServers(ctx)...)
}

// KnowCommands finds the secrets that commands print, side by side, so that they
// are masked before anybody is asked who may repeat them. Who needs one that is not
// found says why.
func (l *Lab) KnowCommands(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range l.facts.LateSecrets() {
		if len(s.Ref.Command) > 0 {
			all.Go(func() { _, _ = l.Secret(ctx, s.Ref) })
		}
	}
	all.Wait()
}

func (l *Lab) ready(ctx context.Context, s labs.NamedSecret) []pipeline.FactProblem {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("no answer within %s", readyTimeout))
	defer cancel()
	value, err := l.Secret(ctx, s.Ref)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return []pipeline.FactProblem{{Path: s.Path, Message: strings.ReplaceAll(err.Error(), "\n", "; "), Hint: hintFor(s.Ref)}}
	}
	var problems []pipeline.FactProblem
	for _, p := range l.facts.CheckSecret(s, value) {
		problems = append(problems, pipeline.FactProblem(p))
	}
	return problems
}

// hintFor is the command that shows whether a secret is there.
func hintFor(ref labs.SecretRef) string {
	if len(ref.Command) > 0 {
		return "try it: " + strings.Join(ref.Command, " ") + " >/dev/null && echo found"
	}
	return fmt.Sprintf("look: oc get secret -n %s %s", ref.Secret.Namespace, ref.Secret.Name)
}
