package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

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
	p, job, err := a.loadJob(file, f.labFlags)
	if err != nil {
		return err
	}
	job.Reveal = f.secrets
	environment := a.program.Open(job)
	defer environment.close()
	text, left, err := renderAll(ctx, p, environment)
	if err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(a.streams.Err, "labrun: what %s would apply is not known before the run: the comments say why\n", count(left, "step"))
	}
	if f.out == "" {
		_, err = a.streams.Out.Write([]byte(text))
		return err
	}
	if !f.secrets {
		text = a.secrets.Text(text)
	}
	if err := writePrivate(f.out, text); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Err, "labrun: the objects are in the file %s\n", f.out)
	return nil
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

// oneLine makes text fit a comment.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// renderAll renders each step that is not certainly skipped, and counts those
// whose objects cannot be known yet.
func renderAll[E any](ctx context.Context, p *pipeline.Pipeline[E], environment Environment[E]) (text string, left int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
		known, err := renderOne(ctx, &b, p, d, planned, environment)
		if errors.Is(err, pipeline.ErrLater) {
			left++
			fmt.Fprintf(&b, "# %s\n", oneLine(err.Error()))
			if errors.Is(err, context.DeadlineExceeded) {
				cancel() // a cluster that does not answer is not waited for once a step
			}
			continue
		}
		if err != nil {
			return "", 0, fmt.Errorf("render %s (%s): %w", planned.Name(), planned.Position, err)
		}
		if !known {
			left++
		}
	}
	return b.String(), left, nil
}

// renderOne renders one step, or says in a comment that its options are not known yet.
func renderOne[E any](ctx context.Context, b *strings.Builder, p *pipeline.Pipeline[E], d *pipeline.Declared[E], planned pipeline.PlannedStep, environment Environment[E]) (known bool, err error) {
	fmt.Fprintf(b, "# %s: %s\n", planned.Name(), d.Kind.Name)
	if planned.Verdict == pipeline.Later {
		fmt.Fprintf(b, "# %s\n", oneLine(planned.Reason))
	}
	options, err := p.OptionsNow(d, planned.Key)
	if err != nil {
		fmt.Fprintf(b, "# its options are known during the run only%s\n", placeOf(err))
		return false, nil
	}
	scope := pipeline.NewScope(p.Name, d.Phase, d.ID, planned.Key, func(event.Event) error { return nil })
	objects, err := d.Kind.Render(ctx, environment.New(scope), options)
	if err != nil {
		return false, err
	}
	for _, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(b, "---\n%s", text)
	}
	return true, nil
}
