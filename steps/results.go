package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/labrun/labrun/pipeline/event"
)

// Results removes the files that Credentials wrote, while the cluster that they let
// somebody into can still say what they should hold. A file that holds anything else
// is left.
type Results struct{}

// ResultsOutputs are the files that are gone.
type ResultsOutputs struct {
	Removed []string `yaml:"removed" doc:"the files that were removed"`
}

// Summary counts them.
func (o ResultsOutputs) Summary() string {
	if len(o.Removed) == 0 {
		return "no file of the lab's is here"
	}
	return count(len(o.Removed), "file") + " removed"
}

// Run removes what is the hosted cluster's.
func (Results) Run(ctx context.Context, env *Env) (ResultsOutputs, error) {
	out := ResultsOutputs{Removed: []string{}}
	_, files, err := Credentials{}.wanted(ctx, env)
	switch {
	case ctx.Err() != nil:
		return out, ctx.Err()
	case apierrors.IsNotFound(err): // the hosted cluster never published them, and none was written
		return out, nil
	case err != nil:
		env.scope.Warn(event.Report{Title: "the kubeconfig and the password file are left where they are here: " + err.Error()})
		return out, nil
	}
	for _, f := range files {
		have, err := os.ReadFile(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, fmt.Errorf("removing %s: %w", f.path, err)
		}
		if !bytes.Equal(have, f.content) {
			continue
		}
		if err := env.scope.DoObservable(ctx, "remove", "file "+f.path, func(context.Context) (bool, string, error) {
			return true, "", os.Remove(f.path)
		}); err != nil {
			return out, err
		}
		out.Removed = append(out.Removed, f.path)
	}
	return out, nil
}
