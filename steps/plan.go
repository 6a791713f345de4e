package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/labrun/labrun/pipeline"
)

// Plan says whether the program would be run, as far as a file tells: unless is a
// program itself, and none is run for a plan.
func (s Exec) Plan(context.Context, *Env) (pipeline.Change, error) {
	argv, err := s.argv()
	if err != nil {
		return pipeline.Change{}, err
	}
	if s.Creates != "" {
		switch _, err := os.Stat(s.inDir(s.Creates)); {
		case err == nil:
			return pipeline.Change{}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return pipeline.Change{}, err
		}
	}
	if len(s.Unless) > 0 {
		return pipeline.Change{}, fmt.Errorf("%w: %s decides", pipeline.ErrLater, s.Unless[0])
	}
	return pipeline.Change{Objects: []pipeline.ObjectChange{{Object: argv[0], Verb: "exec"}}}, nil
}

// Plan knows the outcome where every worker has its BareMetalHost already: those
// count as usable whatever their BMCs say. No BMC is asked for a plan.
func (s Preflight) Plan(context.Context, *Env) (pipeline.Change, error) {
	out := PreflightOutputs{Usable: []string{}, Failed: []string{}, Warnings: []string{}}
	for _, w := range s.Hosts {
		if !slices.Contains(s.Managed, w.Name) {
			return pipeline.Change{Note: "only looks; no BMC is asked for a plan"}, nil
		}
		out.Usable = append(out.Usable, w.Name)
	}
	return pipeline.Change{Outputs: out, Note: "only looks; every worker has its BareMetalHost"}, nil
}

// Plan compares the files with what the management cluster has.
func (s Credentials) Plan(ctx context.Context, env *Env) (pipeline.Change, error) {
	out, files, err := s.wanted(ctx, env)
	if err != nil {
		return pipeline.Change{}, fmt.Errorf("%w: %w", pipeline.ErrLater, err)
	}
	change := pipeline.Change{Outputs: out}
	for _, f := range files {
		have, err := os.ReadFile(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			change.Objects = append(change.Objects, pipeline.ObjectChange{Object: "file " + f.path, Verb: "create"})
		case err != nil:
			return change, err
		case !private(f.path) || !bytes.Equal(have, f.content):
			change.Objects = append(change.Objects, pipeline.ObjectChange{Object: "file " + f.path, Verb: "update"})
		}
	}
	return change, nil
}

// serverLimit bounds the question whether a server answers at all.
const serverLimit = 5 * time.Second

// Server asks whether the management cluster answers, and gives its address.
func (l *Lab) Server(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, serverLimit)
	defer cancel()
	hub, err := l.Hub(ctx)
	if err != nil {
		return "", err
	}
	return hub.Host(), hub.Answers(ctx)
}

// Made is what the management cluster has of the lab, by its inventory.
func (l *Lab) Made(ctx context.Context) ([]pipeline.Orphan, error) {
	hub, err := l.Hub(ctx)
	if err != nil {
		return nil, err
	}
	return hub.Made(ctx, l.opts.Name)
}
