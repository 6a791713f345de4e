package evidence

import (
	"fmt"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

const clock = "15:04:05"

// page is why.md: what happened, what it means, what to do, how it came to it,
// and what lies beside it.
func (k *Keeper) page(f pipeline.Failure, files []kept, missing error) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := f.Step + "." + f.Key
	told := k.told[id]
	var w strings.Builder
	name := (&event.Instance{Step: f.Step, Key: f.Key}).Name()
	fmt.Fprintf(&w, "# %s failed\n\n", name)
	k.where(&w, f, told)

	report := reportOf(f, told)
	fmt.Fprintf(&w, "## What was seen\n\n**%s**\n", report.Title)
	if len(report.Lines) > 0 {
		w.WriteString("\n")
	}
	for _, l := range report.Lines {
		if l.Label == "means" {
			continue // told below
		}
		fmt.Fprintf(&w, "- %s: %s\n", l.Label, inline(l.Text))
	}
	w.WriteString("\n")
	servers(&w, files)
	k.what(&w, report)
	fmt.Fprintf(&w, "When it is mended, run the same command again: `%s`. Each step looks at what is there, brings up to date\nwhat differs, and labrun continues from %s.\n\n",
		k.goesOn(f), (&event.Instance{Step: f.Step, Key: f.Key}).Typed())
	history(&w, told)
	beside(&w, files, missing)
	return w.String()
}

// goesOn is the command that goes on after the failure.
func (k *Keeper) goesOn(f pipeline.Failure) string {
	phase := ""
	for _, s := range k.state.Run.Steps {
		if s.ID == f.Step {
			phase = s.Phase
		}
	}
	run := k.state.Run
	run.Typed = k.command
	return run.GoesOn(phase)
}

// where says which lab, run and step it is.
func (k *Keeper) where(w *strings.Builder, f pipeline.Failure, told []event.Event) {
	fmt.Fprintf(w, "lab %s (%s), run %d, step `%s` (%s)", k.state.Run.Lab, k.state.Run.File, k.state.Run.Number, f.Step, f.Uses)
	for _, e := range told {
		if e.Type == event.StepStarted && e.Start != nil {
			fmt.Fprintf(w, " of %s:%d:%d", e.Start.File, e.Start.Line, e.Start.Column)
		}
	}
	if n := len(told); n > 0 {
		fmt.Fprintf(w, ",\nfailed at %s after %s", told[n-1].Time.Format(time.RFC3339), event.Span(f.Result.Duration.Round(100*time.Millisecond)))
	}
	if k.state.Run.Title != "" {
		fmt.Fprintf(w, "\n%s", k.state.Run.Title)
	}
	w.WriteString("\n\n")
}

// reportOf is the failure as it was told, with the secrets masked.
func reportOf(f pipeline.Failure, told []event.Event) event.Report {
	for _, e := range told {
		if e.Type == event.StepFinished && e.Result != nil && e.Result.Report != nil {
			return *e.Result.Report
		}
	}
	if f.Result.Report != nil {
		return *f.Result.Report
	}
	return event.Report{Title: "it did not say why"}
}

// servers shows what is short and often decides: the servers as their BMCs have them.
func servers(w *strings.Builder, files []kept) {
	for _, f := range files {
		if f.text != "" {
			fmt.Fprintf(w, "## The server, as its BMC has it (%s)\n\n```\n%s```\n\n", f.name, f.text)
		}
	}
}

// what says what the failure means and what to do.
func (k *Keeper) what(w *strings.Builder, report event.Report) {
	advice, known := Advice{}, false
	if k.advise != nil && report.Code != "" {
		advice, known = k.advise(report.Code)
	}
	if known {
		fmt.Fprintf(w, "## What it means\n\n%s\n\n", advice.Means)
	}
	if report.Next == "" && !known {
		return
	}
	w.WriteString("## What to do\n\n")
	n := 0
	if report.Next != "" {
		n++
		fmt.Fprintf(w, "%d. %s\n", n, command(report.Next))
	}
	for _, cure := range advice.Cures {
		n++
		fmt.Fprintf(w, "%d. %s\n", n, cure)
	}
	if known {
		fmt.Fprintf(w, "\n`labrun explain %s` says this too.\n", advice.ID)
	}
	w.WriteString("\n")
}

// command sets a command off from a sentence.
func command(next string) string {
	for _, program := range []string{"oc ", "labrun ", "curl ", "dig "} {
		if strings.HasPrefix(next, program) {
			return "`" + strings.ReplaceAll(next, "; ", "`; `") + "`"
		}
	}
	return next
}

// history tells what the instance told, in order.
func history(w *strings.Builder, told []event.Event) {
	w.WriteString("## How it came to it\n\n```\n")
	for _, e := range told {
		if text := line(e); text != "" {
			fmt.Fprintf(w, "%s  %s\n", e.Time.Format(clock), text)
		}
	}
	w.WriteString("```\n\n")
}

func line(e event.Event) string {
	switch {
	case e.Type == event.StepStarted:
		return "started"
	case e.Type == event.StepProgress && e.Report != nil, e.Type == event.StepWarned && e.Report != nil:
		text := e.Report.Title
		for _, l := range e.Report.Lines {
			if l.Label == "means" {
				continue
			}
			text += "; " + l.Label + " " + inline(l.Text)
		}
		if e.Type == event.StepWarned {
			text = "warning: " + text
		}
		return text
	case e.Type == event.Done && e.Effect != nil:
		text := e.Effect.Verb + " " + e.Effect.Object
		switch {
		case e.Effect.Error != "":
			text += ": " + inline(e.Effect.Error)
		case !e.Effect.Changed:
			text += ": as it was"
		}
		return text
	case e.Type == event.StepFinished && e.Result != nil:
		return string(e.Result.Status)
	}
	return ""
}

// beside lists what was kept, and what could not be.
func beside(w *strings.Builder, files []kept, missing error) {
	if len(files) > 0 {
		w.WriteString("## Beside this page\n\n")
	}
	for _, f := range files {
		cut := ""
		if f.cut {
			cut = " (only its end: it is long)"
		}
		fmt.Fprintf(w, "- `%s`: %s%s\n", f.name, about(f.name), cut)
	}
	if missing != nil {
		w.WriteString("\nWhat could not be seen:\n\n")
		for _, err := range flat(missing) {
			fmt.Fprintf(w, "- %s\n", inline(err.Error()))
		}
	}
}

// flat gives the errors that were joined.
func flat(err error) []error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range many.Unwrap() {
		all = append(all, flat(one)...)
	}
	return all
}

func about(name string) string {
	if inside, found := strings.CutPrefix(name, "hosted-"); found {
		return about(inside) + ", of the hosted cluster itself"
	}
	switch {
	case name == "conditions.txt":
		return "what each object says of itself"
	case name == "objects.yaml":
		return "the step's objects and what is around them, whole"
	case name == "events.txt":
		return "the events about them, the newest last"
	case strings.HasPrefix(name, "logs/"):
		return "lines of an operator's log"
	case strings.HasPrefix(name, "bmc-"):
		return "the server as its BMC has it"
	}
	return "kept by the step"
}

// inline puts a text on one line.
func inline(text string) string { return strings.Join(strings.Fields(text), " ") }
