package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

type renderFlags struct {
	labFlags
	out     string
	secrets bool
}

func (a *app[E]) renderCommand() *cobra.Command {
	var f renderFlags
	cmd := &cobra.Command{
		Use:   "render LAB",
		Short: "the Kubernetes objects that a run would apply, as YAML; secrets are masked",
		Args:  oneLab,
		RunE:  func(cmd *cobra.Command, args []string) error { return a.render(cmd.Context(), args[0], f) },
	}
	f.register(cmd)
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "the file that is written, mode 0600, instead of stdout")
	cmd.Flags().BoolVar(&f.secrets, "with-secrets", false, "write secrets as they are; needs -o FILE")
	return cmd
}

func (a *app[E]) render(ctx context.Context, file string, f renderFlags) error {
	if f.secrets && f.out == "" {
		return &misuse{message: "secrets are written to a file only", hint: "labrun render LAB --with-secrets -o FILE"}
	}
	p, err := a.load(file, f.labFlags)
	if err != nil {
		return err
	}
	lab, err := statedir.Of("", p.Name)
	if err != nil {
		return err
	}
	job, err := jobOf(p, f.labFlags, lab)
	if err != nil {
		return err
	}
	job.Reveal = f.secrets
	environment := a.program.Open(job)
	defer environment.close()
	text, err := renderAll(ctx, p, environment)
	if err != nil {
		return err
	}
	if f.out == "" {
		_, err = a.streams.Out.Write([]byte(text))
		return err
	}
	return writePrivate(f.out, text)
}

// writePrivate writes a file that only its owner may read, also where one of
// another mode was there.
func writePrivate(path, text string) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = out.Chmod(0o600)
	if err == nil {
		_, err = out.WriteString(text)
	}
	return errors.Join(err, out.Close())
}

// placeOf gives where the first expression stands that has no value yet.
func placeOf(err error) string {
	var found source.Diagnostics
	if errors.As(err, &found) && len(found) > 0 {
		return " (" + found[0].Pos.String() + ")"
	}
	return ""
}

// renderAll renders each step that is not certainly skipped.
func renderAll[E any](ctx context.Context, p *pipeline.Pipeline[E], environment Environment[E]) (string, error) {
	byID := make(map[string]*pipeline.Declared[E], len(p.Steps))
	for _, d := range p.Steps {
		byID[d.ID] = d
	}
	var b strings.Builder
	for _, planned := range p.Plan().Steps {
		d := byID[planned.ID]
		if d.Kind.Render == nil || planned.Verdict == pipeline.WillSkip {
			continue
		}
		if err := renderOne(ctx, &b, p, d, planned, environment); err != nil {
			return "", fmt.Errorf("render %s (%s): %w", planned.Name(), planned.Position, err)
		}
	}
	return b.String(), nil
}

func renderOne[E any](ctx context.Context, b *strings.Builder, p *pipeline.Pipeline[E], d *pipeline.Declared[E], planned pipeline.PlannedStep, environment Environment[E]) error {
	fmt.Fprintf(b, "# %s: %s\n", planned.Name(), d.Kind.Name)
	if planned.Verdict == pipeline.Later {
		fmt.Fprintf(b, "# %s\n", strings.ReplaceAll(planned.Reason, "\n", " "))
	}
	options, err := p.OptionsNow(d, planned.Key)
	if err != nil {
		fmt.Fprintf(b, "# its options are known during the run only%s\n", placeOf(err))
		return nil
	}
	scope := pipeline.NewScope(p.Name, d.Phase, d.ID, planned.Key, func(event.Event) error { return nil })
	objects, err := d.Kind.Render(ctx, environment.New(scope), options)
	if err != nil {
		return err
	}
	for _, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "---\n%s", text)
	}
	return nil
}
