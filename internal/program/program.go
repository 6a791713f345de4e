// Package program puts labrun together: the command line, the steps and the facts
// of a lab. The command is one call of it, and tests run it in their own process.
package program

import (
	"context"
	"runtime/debug"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/evidence"
	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/masking/weak"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/schemas"
	"github.com/labrun/labrun/steps"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Main runs one command of labrun and gives its exit code.
func Main(ctx context.Context, args []string, streams cli.Streams) int {
	return cli.Main(ctx, labrun(), args, streams)
}

// labrun hands the steps and facts of a lab to the command line.
func labrun() cli.Program[*steps.Env] {
	return cli.Program[*steps.Env]{
		Version:   version(),
		Kinds:     steps.Builtin,
		Schema:    steps.Schema,
		Builtin:   labs.Steps(),
		LabSchema: schemas.Lab,
		Init:      newLab,
		Check:     checkNames,
		Title:     title,
		Open:      open,
		Secrets:   secrets,
		Known:     func(facts any) []weak.Known { return facts.(*labs.Facts).Known() },

		Preflight:  askAll,
		Kubeconfig: kubeconfig,
		Destroy:    destroying(),
		Advise:     advise,
	}
}

// advise says what the catalogue of failures knows of a report's code.
func advise(code string) (evidence.Advice, bool) {
	t, found := trouble.Find(code)
	return evidence.Advice{ID: string(t.ID), Means: t.Means, Cures: t.Cures}, found
}

// version is the module's, as the build recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func labOf(j cli.Job) *steps.Lab {
	return steps.NewLab(j.Facts.(*labs.Facts), steps.LabOptions{Name: j.Lab, Kubeconfig: j.Kubeconfig, StateDir: j.StateDir, Reveal: j.Reveal, Adopt: j.Adopt, Conceal: j.Conceal, Holds: j.Holds, Keeps: j.Keeps})
}

// kubeconfig finds the hosted cluster's.
func kubeconfig(ctx context.Context, j cli.Job) (cli.Kubeconfig, error) {
	lab := labOf(j)
	defer lab.Close()
	found, err := lab.HostedKubeconfig(ctx)
	return cli.Kubeconfig(found), err
}

func open(j cli.Job) cli.Environment[*steps.Env] {
	lab := labOf(j)
	return cli.Environment[*steps.Env]{
		New: lab.Env, Requests: lab.Requests, Kill: lab.Kill, Close: lab.Close, Ready: lab.Ready, Server: lab.Server, Made: lab.Made,
		Keep: func(self holder.Holder) cli.Tenure { return lab.Keep(self) },
	}
}

// secrets are those of a lab's that are on this machine.
func secrets(facts any) []string {
	var all []string
	for _, s := range facts.(*labs.Facts).PresentSecrets() {
		all = append(all, s.Reveal())
	}
	return all
}

// checkNames refuses a step whose name makes too long a field manager or label.
func checkNames(_ pipeline.Kind[*steps.Env], _ any, lab, step, key string) []pipeline.FactProblem {
	if err := kube.CheckNames(lab, step, key); err != nil {
		return []pipeline.FactProblem{{Message: err.Error()}}
	}
	return nil
}

// title is what a run's first line says of the lab.
func title(j cli.Job) string {
	facts := j.Facts.(*labs.Facts)
	parts := []string{facts.Title()}
	path := j.Kubeconfig
	if path == "" {
		path = string(facts.Management.Kubeconfig)
	}
	if server := serverOf(path, facts.Management.Context); server != "" {
		parts = append(parts, "hub "+server)
	}
	return strings.Join(parts, " · ")
}

// serverOf gives the address of the API server that a kubeconfig names, "" where
// it cannot be read: who needs it says why.
func serverOf(path, context string) string {
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return ""
	}
	if context == "" {
		context = config.CurrentContext
	}
	c := config.Contexts[context]
	if c == nil || config.Clusters[c.Cluster] == nil {
		return ""
	}
	return config.Clusters[c.Cluster].Server
}
