package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Exec runs a program on this machine, without a shell unless one is asked for.
type Exec struct {
	Command []string          `yaml:"command,omitempty" doc:"program and arguments"`
	Shell   string            `yaml:"shell,omitempty" doc:"text for sh -eu -c, instead of command"`
	Dir     string            `yaml:"dir,omitempty" doc:"folder to run in"`
	Env     map[string]string `yaml:"env,omitempty" doc:"variables beside labrun's own"`
	Creates string            `yaml:"creates,omitempty" doc:"file, a relative one in dir: where it exists, nothing is run"`
	Unless  []string          `yaml:"unless,omitempty" doc:"program and arguments: where it succeeds, nothing is run"`
	Once    bool              `yaml:"once,omitempty" doc:"run again only where options or inputs differ from the last run of it that ended well, by the journals on this machine"`
	Inputs  []string          `yaml:"inputs,omitempty" doc:"with once: files and folders that the program reads"`
}

// ExecOutputs is what the program left.
type ExecOutputs struct {
	Ran    bool   `yaml:"ran" doc:"false where creates or unless said that nothing is to do; with once, what it was the last time"`
	Stdout string `yaml:"stdout" doc:"what it printed, at most 64 KiB, without the last newline"`
	why    string
}

// Summary says why nothing was run.
func (o ExecOutputs) Summary() string { return o.why }

// Run runs the program where something is to do.
func (s Exec) Run(ctx context.Context, env *Env) (ExecOutputs, error) {
	argv, err := s.argv()
	if err != nil {
		return ExecOutputs{}, err
	}
	if err := s.refuseSecrets(env.opts.Holds); err != nil {
		return ExecOutputs{}, err
	}
	if why, err := s.needless(ctx, env); err != nil || why != "" {
		return ExecOutputs{why: why}, err
	}
	var stdout, stderr tail
	err = env.Scope().Do(ctx, "exec", strings.Join(argv[:1], " "), func(ctx context.Context) (bool, string, error) {
		cmd := s.prepare(ctx, argv)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		return true, "", env.programs.run(ctx, cmd)
	})
	if err != nil {
		said := stderr.String()
		if strings.TrimSpace(said) == "" {
			said = stdout.String()
		}
		return ExecOutputs{Ran: true}, s.told(ctx, env.Scope().Step, argv[0], err, said)
	}
	return ExecOutputs{Ran: true, Stdout: strings.TrimRight(stdout.String(), "\n")}, nil
}

func (s Exec) argv() ([]string, error) {
	switch {
	case len(s.Command) > 0 && s.Shell != "":
		return nil, errors.New("both command and shell are given: one of them is run")
	case s.Shell != "":
		return []string{"sh", "-eu", "-c", s.Shell}, nil
	case len(s.Command) == 0:
		return nil, errors.New("neither command nor shell is given")
	}
	return s.Command, nil
}

// refuseSecrets refuses arguments that hold a secret of the lab, which an output of
// another step brought: everybody on this machine may read them.
func (s Exec) refuseSecrets(holds func(string) bool) error {
	for name, argv := range map[string][]string{"command": s.Command, "shell": {s.Shell}, "unless": s.Unless} {
		for i, text := range argv {
			if holds(text) {
				return fmt.Errorf("%s is not run: part %d of it holds a secret of the lab, and the list of processes shows arguments to everybody; give it by env, or in a file", name, i+1)
			}
		}
	}
	return nil
}

// needless gives the reason why nothing is to do, "" where something is.
func (s Exec) needless(ctx context.Context, env *Env) (string, error) {
	if s.Creates != "" {
		path := s.inDir(s.Creates)
		if _, err := os.Stat(path); err == nil {
			return path + " exists", nil
		}
	}
	if len(s.Unless) == 0 {
		return "", nil
	}
	err := env.programs.run(ctx, s.prepare(ctx, s.Unless))
	var exit *exec.ExitError
	switch {
	case err == nil:
		return s.Unless[0] + " succeeded", nil
	case errors.As(err, &exit):
		return "", ctx.Err()
	}
	return "", fmt.Errorf("running unless: %w", err)
}

func (s Exec) prepare(ctx context.Context, argv []string) *exec.Cmd {
	cmd := command(ctx, argv)
	cmd.Dir = s.Dir
	cmd.Env = os.Environ()
	for k, v := range s.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}

// told makes a report of a program that failed. Where it was stopped, the cause
// says so. The arguments are left out: a token may be among them.
func (Exec) told(ctx context.Context, step, program string, err error, said string) error {
	r := event.Report{Title: program + " failed: " + err.Error(),
		Next: "run " + program + " by hand, with the arguments that step " + step + " of the lab file gives it"}
	for _, line := range lastLines(said, 10) {
		r.Lines = append(r.Lines, event.Line{Label: "it said", Text: line})
	}
	return &pipeline.Report{Report: r, Cause: errors.Join(err, ctx.Err())}
}
