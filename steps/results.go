package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// Results removes the files that Credentials wrote, while the cluster that they let
// somebody into can still say what they should hold. A file that holds anything else
// is left. Where that cluster is gone already, what is in the lab's state folder is
// left of it, and goes too.
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
	left := absent(err)
	if left {
		files, err = leftovers(ctx, env)
	}
	switch {
	case ctx.Err() != nil:
		return out, ctx.Err()
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
		if !left && !bytes.Equal(have, f.content) {
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

// leftovers are the files of the lab's own state folder, whatever they hold, where
// the hub has the lab's inventory and neither its HostedCluster nor what that
// published. A hub without that inventory may be another one than the lab's. A place
// that the lab file names is its user's: what is there may be of another cluster.
func leftovers(ctx context.Context, env *Env) ([]result, error) {
	hub, err := env.Hub(ctx)
	if err != nil {
		return nil, err
	}
	for _, ref := range []kube.Ref{hostedClusterRef(env.facts), kubeconfigSecret(env.facts), passwordSecret(env.facts)} {
		if _, err := hub.Get(ctx, ref); !absent(err) {
			return nil, err // it is there: it has not published all yet, or its end is not over
		}
	}
	_, err = hub.Get(ctx, configMapRef(kube.InventoryNamespace, kube.InventoryName(env.facts.Name)))
	if err != nil || env.opts.StateDir == "" {
		if absent(err) {
			err = nil
		}
		return nil, err
	}
	named := []string{string(env.facts.Results.Kubeconfig), string(env.facts.Results.Password)}
	var files []result
	for _, name := range []string{"kubeconfig", "kubeadmin-password"} {
		if path := filepath.Join(env.opts.StateDir, name); !slices.Contains(named, path) {
			files = append(files, result{path: path})
		}
	}
	return files, nil
}

// Results are the files of the hosted cluster's that are here.
func (l *Lab) Results() []string {
	var there []string
	for _, path := range []string{l.result(l.facts.Results.Kubeconfig, "kubeconfig"), l.result(l.facts.Results.Password, "kubeadmin-password")} {
		if _, err := os.Stat(path); err == nil {
			there = append(there, path)
		}
	}
	return there
}
