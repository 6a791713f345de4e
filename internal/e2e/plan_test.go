package e2e

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/pipeline"
)

// plan plans the lab, with what its management cluster says.
func (l *lab) plan(t *testing.T, more ...string) (told *pipeline.Plan, text string, exit int) {
	t.Helper()
	args := append(append([]string{"plan"}, l.args()[1:]...), more...)
	var out, errs, asJSON bytes.Buffer
	exit = program.Main(t.Context(), append(args, "--exit-code"), cli.Streams{Out: &out, Err: &errs})
	program.Main(t.Context(), append(args, "-o", "json"), cli.Streams{Out: &asJSON, Err: &errs})
	told = &pipeline.Plan{}
	if err := json.Unmarshal(asJSON.Bytes(), told); err != nil {
		t.Fatalf("%v\n%s%s", err, errs.String(), asJSON.String())
	}
	return told, out.String(), exit
}

// changing are the steps that would change something, with the objects.
func changing(p *pipeline.Plan) map[string][]string {
	found := map[string][]string{}
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			found[s.Name()] = append(found[s.Name()], c.Verb+" "+c.Object)
		}
	}
	return found
}

// wantFinishedPlan plans a finished lab: nothing would change, and nothing is asked
// of the lab that changes it.
func (l *lab) wantFinishedPlan(t *testing.T, more ...string) {
	t.Helper()
	before := len(writes(t, l.Hub()))
	plan, text, exit := l.plan(t, more...)
	if exit != 0 || plan.Server == "" || len(plan.Orphans) > 0 || len(changing(plan)) > 0 {
		t.Errorf("exit %d, server %q, orphans %v\n%s", exit, plan.Server, plan.Orphans, text)
	}
	l.wantUnchangedHub(t, before)
}

// wantChangedPlan plans a finished lab whose file was changed: just what follows
// from it would change.
func (l *lab) wantChangedPlan(t *testing.T) {
	t.Helper()
	before := len(writes(t, l.Hub()))
	plan, text, exit := l.plan(t, "--set", "lab.ssh_key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAaNoIPZQMnTDTvyAssshjos4kcmDslnMmBMYzek33mg another")
	changed := changing(plan)
	for step, object := range map[string]string{"ssh_key": "update Secret clusters/hosted-ipv4-ssh-key"} {
		if !slices.Contains(changed[step], object) {
			t.Errorf("%s would change %v, want %s", step, changed[step], object)
		}
	}
	if exit != 10 || strings.Contains(text, "AAAAC3NzaC1lZDI1NTE5") || strings.Contains(text, "c3NoLWVkMjU1MTk") || !strings.Contains(text, "*** (another value)") || len(changed) > 3 {
		t.Errorf("exit %d\n%s", exit, text)
	}
	t.Logf("another SSH key would change %v", changed)
	l.wantUnchangedHub(t, before)
}

// wantHalfPlan plans a lab that is half built.
func (l *lab) wantHalfPlan(t *testing.T) {
	t.Helper()
	before := len(writes(t, l.Hub()))
	plan, text, exit := l.plan(t)
	done, later := 0, 0
	for _, s := range plan.Steps {
		if s.Outlook == pipeline.OutlookDone {
			done++
		}
		if s.Verdict == pipeline.Later || s.Outlook == pipeline.OutlookUnknown {
			later++
		}
		if s.Outlook == pipeline.OutlookRefused {
			t.Errorf("%s would be refused: %s", s.Name(), s.Reason)
		}
	}
	if exit != 10 || done == 0 || later+len(changing(plan)) == 0 {
		t.Errorf("exit %d, %d done, %d later\n%s", exit, done, later, text)
	}
	t.Logf("half built, the plan is: %s\n%s", plan, text)
	l.wantUnchangedHub(t, before)
}

func (l *lab) wantUnchangedHub(t *testing.T, since int) {
	t.Helper()
	for _, w := range writes(t, l.Hub())[since:] {
		if ours(w) && w.Changed {
			t.Errorf("a plan changed %s %s/%s", w.Resource, w.Namespace, w.Name)
		}
	}
}
