package traps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps"
)

// try is one lab of a site that falls into one trap.
type try struct {
	testing.TB
	site    *site
	row     row
	dir     string
	lab     string
	hosted  string
	servers []string // names of its workers
	kubecfg string
	bmc     string // a BMC address of the row's own
	text    string // of the lab file
	wait    time.Duration
}

// The shortest and the longest timeout of a step of which nobody says that it fails: on a busy machine the operators
// may not have come to what is looked for when the shortest is over.
const (
	shortWait = 6 * time.Second
	longWait  = 100 * time.Second
)

// try makes the lab's files. Its servers are nobody else's.
func (s *site) try(t testing.TB, r row) *try {
	t.Helper()
	n := s.labs.Add(1)
	l := &try{TB: t, site: s, row: r, dir: t.TempDir(), lab: fmt.Sprintf("lab%d", n), hosted: fmt.Sprintf("hosted%d", n), wait: shortWait}
	var from int
	switch {
	case r.small:
		from = len(s.servers) - 2
	case r.workers == 0: // the facts ask for one: it is never touched
		from = len(s.servers) - 1
	default:
		if from = int(s.taken.Add(int32(r.workers))) - r.workers; from+r.workers > len(s.servers)-2 {
			t.Fatal("the rack has no servers left")
		}
	}
	text := facts
	for i := range max(r.workers, 1) {
		text += strings.ReplaceAll(worker, "{n}", fmt.Sprint(10+from+i))
		l.servers = append(l.servers, fmt.Sprintf("worker%d", 10+from+i))
	}
	text += "include: [steps.yaml]\n"
	if r.override != "" {
		text += "override:\n" + r.override + "\n"
	}
	l.kubecfg = filepath.Join(l.dir, "kubeconfig")
	write(t, l.kubecfg, string(s.lab.Kubeconfig()))
	write(t, filepath.Join(l.dir, "ca.crt"), nobodysCA(t))
	write(t, filepath.Join(l.dir, "steps.yaml"), shared(t, r.steps))
	write(t, filepath.Join(l.dir, "values.yaml"), s.valuesFor(t, l.servers))
	l.text = text
	return l
}

// fill fills in the names of this lab.
func (l *try) fill(text string) string {
	names := map[string]string{"lab": l.lab, "hosted": l.hosted, "own": l.lab, "ns": l.lab + "-" + l.hosted, "dir": l.dir, "bmc": l.bmc, "password": l.site.secrets[0], "wait": l.wait.String()}
	for i, name := range l.servers {
		names[fmt.Sprintf("worker%d", i)] = name
	}
	return replace(text, names)
}

// longest is the longest time that a run may take: none of a row's own limits is near it.
const longest = 4 * time.Minute

// run runs the lab once, as labrun does.
func (l *try) run(more ...string) outcome {
	l.Helper()
	set := append([]string{}, l.row.set...)
	for i, s := range append(set, more...) {
		if i < len(set) {
			set[i] = l.fill(s)
		} else {
			set = append(set, l.fill(s))
		}
	}
	write(l, filepath.Join(l.dir, "lab.yaml"), l.fill(l.text))
	p, found := pipeline.Load(pipeline.Request[*steps.Env]{
		File: filepath.Join(l.dir, "lab.yaml"), Values: []string{filepath.Join(l.dir, "values.yaml")}, Set: set,
		Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(), Environ: []string{},
	})
	if len(found) > 0 {
		var b strings.Builder
		_ = found.Render(&b, p.Files)
		return outcome{exit: 2, text: b.String(), next: found[0].Hint}
	}
	ctx, cancel := context.WithTimeout(l.Context(), longest)
	defer cancel()
	lab := steps.NewLab(p.Facts.(*labs.Facts), steps.LabOptions{Kubeconfig: l.kubecfg, StateDir: l.dir})
	defer lab.Close()
	told := &listener{try: l, state: &event.State{}}
	summary, err := p.Run(ctx, pipeline.RunOptions[*steps.Env]{Env: lab.Env, Sinks: []event.Sink{told}})
	if err != nil {
		l.Fatal(err)
	}
	return told.outcome(summary)
}

// listener adds the events up, and lets the row spoil something when a step has ended.
type listener struct {
	try   *try
	state *event.State
}

// Take is called with one event after the other.
func (l *listener) Take(e event.Event) error {
	l.state.Add(e)
	if e.Type == event.StepFinished {
		if spoil := l.try.row.on[e.Step]; spoil != nil {
			spoil(l.try)
		}
	}
	return nil
}

func (l *listener) outcome(s event.Summary) outcome {
	o := outcome{exit: s.Exit}
	for _, step := range l.state.Steps {
		for _, i := range step.Instances {
			if i.Result == nil || i.Result.Status != event.Failed || i.Result.Report == nil {
				continue
			}
			o.failed = append(o.failed, i.Name())
			o.next, o.duration = i.Result.Report.Next, i.Result.Duration
			o.text += strings.ReplaceAll(blockOf(i), l.try.dir+string(os.PathSeparator), "")
			o.timedOut = strings.Contains(i.Result.Report.Title, "timed out after")
		}
	}
	return o
}

// blockOf writes a failure as a run tells it at its end.
func blockOf(i *event.Instance) string {
	r := i.Result.Report
	text := fmt.Sprintf("✗ %s\n    %s\n", i.Name(), r.Title)
	for _, line := range r.Lines {
		text += fmt.Sprintf("    %-9s %s\n", line.Label, strings.ReplaceAll(strings.TrimSpace(line.Text), "\n", "\n              "))
	}
	return text + "    next      " + r.Next + "\n"
}

// outcome runs the row to its end.
func (l *try) outcome() outcome {
	if l.row.before != nil {
		l.row.before(l)
	}
	o := l.run()
	if l.row.again != nil || l.row.after != nil {
		if l.row.after != nil {
			l.row.after(l)
		}
		l.row.on = nil
		o = l.run(l.row.again...)
	}
	for l.row.late && len(l.unsaid(o)) > 0 && 4*l.wait <= longWait {
		l.wait, l.row.on = 4*l.wait, nil
		o = l.run()
	}
	return o
}

// unsaid is what the message should hold and does not.
func (l *try) unsaid(o outcome) []string {
	var missing []string
	for _, part := range l.row.holds {
		if part = l.fill(part); !strings.Contains(o.text, part) {
			missing = append(missing, part)
		}
	}
	return missing
}
