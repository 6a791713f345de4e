// Package event is the one stream that a run tells itself in. Progress on a
// terminal, log lines, the journal, status, JUnit and resume are listeners on
// it, or folds over it; the journal is the stream, a JSON line an event.
//
// An event is written once and never changed. Its fields are versioned: a reader
// ignores keys that it does not know, and refuses a stream of a later Version.
package event

import (
	"cmp"
	"strings"
	"time"
)

// Version is the version of the stream, in its first event.
const Version = 1

// The commands besides run that keep a journal. A rebuild is a destroy, told in a
// phase of that name as destroy/id, and then a run.
const (
	Destroy = "destroy"
	Rebuild = "rebuild"
)

// Mask stands in an event where a secret stood.
const Mask = "***"

// Type says what happened. Exactly one of an event's payloads belongs to it.
type Type string

// The types, with the payload that each carries.
const (
	RunStarted   Type = "run.started"   // Run
	StepPlanned  Type = "step.planned"  // Plan: run or skip, and why
	StepStarted  Type = "step.started"  // Start
	StepProgress Type = "step.progress" // Report: what a wait last saw
	StepWarned   Type = "step.warned"   // Report
	Intent       Type = "effect.intent" // Effect, before it is brought about
	Done         Type = "effect.done"   // Effect, after it
	StepFinished Type = "step.finished" // Result
	StepEvidence Type = "step.evidence" // Evidence, after the end of an instance that failed
	RunFinished  Type = "run.finished"  // Summary
)

// Event is one thing that happened in a run.
type Event struct {
	Seq  int       `json:"seq"`  // from 1, without a gap
	Time time.Time `json:"time"` // UTC
	Type Type      `json:"type"`
	Step string    `json:"step,omitempty"` // id of the step, "" for the run itself
	Key  string    `json:"key,omitempty"`  // of a forEach instance

	Run      *Run      `json:"run,omitempty"`
	Plan     *Plan     `json:"plan,omitempty"`
	Start    *Start    `json:"start,omitempty"`
	Report   *Report   `json:"report,omitempty"`
	Effect   *Effect   `json:"effect,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Evidence *Evidence `json:"evidence,omitempty"`
	Summary  *Summary  `json:"summary,omitempty"`
}

// Run identifies a run; it is the journal's first line.
type Run struct {
	Version int      `json:"version"`           // of the stream
	Command string   `json:"command,omitempty"` // what it is for: run where absent, destroy, or rebuild
	Fresh   bool     `json:"fresh,omitempty"`   // of a run of all steps: what earlier runs did was forgotten
	From    string   `json:"from,omitempty"`    // of a destroy or rebuild: what earlier phases of the lab file made was kept
	Orphans bool     `json:"orphans,omitempty"` // of a destroy: only what the lab file has no more was removed
	Workers []string `json:"workers,omitempty"` // of a destroy or rebuild: only what was made for these workers was removed
	Lab     string   `json:"lab"`               // name of the lab whose journal this is
	File    string   `json:"file"`              // lab file, as the user named it
	Typed   string   `json:"typed,omitempty"`   // the lab as it stands on a command line: its file and the flags beside it, quoted for a shell
	Title   string   `json:"title,omitempty"`   // one line for people: stack, connectivity, hub
	Number  int      `json:"number"`            // of the run, from 1
	Labrun  string   `json:"labrun"`            // version of the program
	Phases  []string `json:"phases"`            // in their order
	Steps   []Ref    `json:"steps"`             // in the file's order
}

// Again is the command that goes on with the run, as a person types it.
func (r Run) Again() string {
	words := []string{"labrun", cmp.Or(r.Command, "run"), cmp.Or(r.Typed, r.File)}
	if r.From != "" {
		words = append(words, "--from", r.From)
	}
	if r.Orphans {
		words = append(words, "--orphans")
	}
	if len(r.Workers) > 0 {
		words = append(words, "--worker", strings.Join(r.Workers, ","))
	}
	return strings.Join(words, " ")
}

// Build is the command that builds the lab, with what there is.
func (r Run) Build() string { return "labrun run " + cmp.Or(r.Typed, r.File) }

// GoesOn is the command that goes on after a failure in a phase. What a rebuild was
// building it would destroy.
func (r Run) GoesOn(phase string) string {
	if r.Command == Rebuild && phase != Destroy {
		return r.Build()
	}
	return r.Again()
}

// Ref names one step of the file.
type Ref struct {
	ID    string `json:"id"`              // of the step
	Phase string `json:"phase,omitempty"` // that it belongs to
}

// Plan says whether an instance will run, as far as was known before.
type Plan struct {
	Decision string `json:"decision"`         // run, skip or later (known only during the run)
	Reason   string `json:"reason,omitempty"` // one line
}

// Start is the beginning of one instance.
type Start struct {
	Phase  string `json:"phase"`            // that the step belongs to
	Uses   string `json:"uses"`             // kind of the step
	Digest string `json:"digest,omitempty"` // of the resolved options
	// Options are the digests, by name, of a step that runs again only where an option
	// or an input differs from its last run that ended well.
	Options map[string]string `json:"options,omitempty"`
	Inputs  map[string]string `json:"inputs,omitempty"`  // digests of what it reads, by name
	Because []string          `json:"because,omitempty"` // which of them differ, a line each
	File    string            `json:"file"`              // where the step stands
	Line    int               `json:"line"`              // from 1
	Column  int               `json:"column"`            // from 1
	// Timeout of the step, 0 for none.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Status is how an instance ended.
type Status string

// The statuses. Changed is derived from effects, never claimed.
const (
	OK        Status = "ok"
	Changed   Status = "changed"
	Skipped   Status = "skipped"
	Failed    Status = "failed"
	Blocked   Status = "blocked"   // a step that it needs failed
	Cancelled Status = "cancelled" // interrupted before or while it ran
)

// Result is the end of one instance.
type Result struct {
	Status   Status        `json:"status"`            // how it ended
	Duration time.Duration `json:"duration_ns"`       // from its beginning
	Summary  string        `json:"summary,omitempty"` // one line: what it found or made
	Reason   string        `json:"reason,omitempty"`  // of a skip or block
	Report   *Report       `json:"report,omitempty"`  // of a failure
	Outputs  any           `json:"outputs,omitempty"` // plain maps; holds no secret
	// As is the run whose effect stands, of a step that need not have it again.
	As int `json:"as,omitempty"`
}

// LeftOutBy begins the reason of what a selection does not name; the flag follows.
const LeftOutBy = "left out by "

// LeftOut says whether a step or instance did not run because a selection did not
// name it: what it left in an earlier run still stands.
func (r *Result) LeftOut() bool {
	return r.Status == Skipped && strings.HasPrefix(r.Reason, LeftOutBy)
}

// Effect is one change that a step brings about.
type Effect struct {
	ID      int    `json:"id"`                // pairs an intent with its done
	Verb    string `json:"verb"`              // create, apply, update, delete, write, exec, …
	Object  string `json:"object"`            // Kind namespace/name, a program, file PATH
	Changed bool   `json:"changed,omitempty"` // of a done: something is different now
	Error   string `json:"error,omitempty"`   // of a done that failed
	UID     string `json:"uid,omitempty"`     // of an object in a cluster
	// Observable says that a later run can see whether it happened.
	Observable bool `json:"observable,omitempty"`
}

// Evidence says where lies what was kept about a failure.
type Evidence struct {
	Page  string   `json:"page"`            // path of the page to read first, why.md
	Files []string `json:"files,omitempty"` // beside it
}

// Report is something told to a person: a title, labelled lines, and what to do.
type Report struct {
	Title string `json:"title"` // one line
	// Code names the kind of failure, as labrun explain and docs/troubleshooting.md
	// know it; "" for one that has no name.
	Code  string `json:"code,omitempty"`
	Lines []Line `json:"lines,omitempty"` // what was seen, said, meant
	// Next is the command to type, or what to mend. A step writes LAB for the lab
	// file; its name, as the user gave it, stands there once the event is told.
	Next string `json:"next,omitempty"`
}

// Line is one labelled line of a report: "it said", "seen", "BMC".
type Line struct {
	Label string `json:"label"` // it said, seen, since
	Text  string `json:"text"`  // may be of several lines
}

// Summary is the end of a run.
type Summary struct {
	Counts   map[Status]int `json:"counts"`             // instances by how they ended
	Duration time.Duration  `json:"duration_ns"`        // from the run's beginning
	Exit     int            `json:"exit"`               // exit code
	Report   *Report        `json:"report,omitempty"`   // of a run that could not be recorded to its end
	Requests map[string]int `json:"requests,omitempty"` // "hub reads", "hub writes", "redfish", …
}

// Sink takes events in order, one at a time. An error of a sink that keeps the
// run's memory (the journal) stops new effects.
type Sink interface {
	Take(Event) error
}

// Reporter is an error that can tell itself as a report.
type Reporter interface {
	error
	Tell() Report
}

// Span writes a time limit as people do: 30m, 1h, 1m30s.
func Span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
