package program

import (
	"context"
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

// destroying is how a lab is taken apart.
func destroying() *cli.Destroying[*steps.Env] {
	return &cli.Destroying[*steps.Env]{
		Kinds: steps.Destroying, Files: destroy.Files(), Whole: destroy.Whole, Orphans: destroy.Orphans, Look: look,
		Workers: workersOf, Made: made,
	}
}

// look says what would become of what the lab made.
func look(ctx context.Context, j cli.Job) (cli.Undoing, error) {
	facts := j.Facts.(*labs.Facts)
	lab := labOf(j)
	defer lab.Close()
	env := lab.Env(pipeline.NewScope(facts.Name, "check", "survey", "", func(event.Event) error { return nil }))
	preview := destroy.Preview{}
	seen, err := kube.Look(ctx, env, preview)
	if err != nil {
		return cli.Undoing{}, err
	}
	found := cli.Undoing{Lab: facts.Name, Items: []cli.UndoItem{}, Others: []cli.UndoItem{}}
	items := destroy.Items(facts.Name, seen)
	all := slices.Concat(items, preview.Along(facts, seen))
	for _, fate := range destroy.Fates() {
		for _, i := range all {
			if i.Fate == fate {
				found.Items = append(found.Items, cli.UndoItem{Fate: string(i.Fate), Object: i.Ref().String(), Why: i.Why})
			}
		}
	}
	out := preview.Outputs(facts, seen)
	for _, h := range out.Hosts {
		found.Notes = append(found.Notes, farewell(h.Name, out.Hosted))
	}
	if out.Hosted {
		for _, path := range lab.Results() {
			found.Notes = append(found.Notes, path+" would be removed, if it is the hosted cluster's")
		}
	}
	for _, o := range destroy.Victims(facts, seen, items) {
		found.Others = append(found.Others, cli.UndoItem{Fate: "refused", Object: o.Ref.String(), Why: o.Why})
	}
	found.Unread = destroy.Unread(facts, seen)
	return found, nil
}

// farewell says what would become of a worker, with the hosted cluster or out of it.
func farewell(worker string, hosted bool) string {
	if hosted {
		return worker + "'s server would be switched off, and the lab's image ejected"
	}
	return worker + " would leave its pool first: its node is drained, Node, Machine and Agent go, and its server is switched off"
}

// workersOf are the names of the lab file's workers.
func workersOf(facts any) []string {
	var names []string
	for _, w := range facts.(*labs.Facts).Workers {
		names = append(names, w.Name)
	}
	return names
}

// made are the names of the workers that the management cluster has of a lab.
func made(ctx context.Context, j cli.Job) ([]string, error) {
	environment := open(j)
	defer environment.Close()
	all, err := environment.Made(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range all {
		if m.Key != "" && slices.ContainsFunc(m.Objects, func(object string) bool { return strings.HasPrefix(object, "BareMetalHost ") }) {
			names = append(names, m.Key)
		}
	}
	return names, nil
}
