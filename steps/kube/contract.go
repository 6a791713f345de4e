// Package kube is the one apply, watch, wait, diff and undo that drives every
// Kubernetes step. A step is two pure functions: Objects says what must exist,
// Judge says how what was seen is to be taken. Everything else, server-side
// apply, watches, ownership, rendering, is derived from them here, once.
package kube

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Step is a Kubernetes step. Its fields are its options.
type Step interface {
	// Objects gives what must exist, in the order in which it is brought about.
	Objects(f *labs.Facts, seen Seen) ([]Intent, error)
	// Judge says whether what was seen is done, not yet done, or has failed.
	Judge(f *labs.Facts, seen Seen) Verdict
}

// Reader is a step that reads more objects than it brings about. They are read
// before Objects is called, and watched while Judge waits.
type Reader interface {
	Reads(f *labs.Facts) []Ref
}

// Follower is a step that learns from what it read what else to read: an object
// that another one names. What it gives is read and watched as Reads are.
type Follower interface {
	Follows(f *labs.Facts, seen Seen) []Ref
}

// SecretUser is a step whose objects hold secrets that the lab file refers to.
type SecretUser interface {
	Secrets(f *labs.Facts) []labs.SecretRef
}

// Hosted is a step that works on the hosted cluster instead of the hub.
type Hosted interface{ OnHostedCluster() }

// A step may also have a method Outputs(*labs.Facts, Seen) O, where O is a struct:
// what later steps read as steps.<id>.outputs. An Outputs with a second result,
// an error, may say that what was seen cannot be told.

// Inventoried is a step that looks into the inventories: Seen.Entries and
// Seen.SharedEntries. They are read before anything else.
type Inventoried interface{ LooksIntoInventory() }

// Surveyor is a step that looks at all that some namespaces hold, once, after what
// it reads.
type Surveyor interface {
	Surveys(f *labs.Facts, seen Seen) []string
}

// NotYet is the error of Objects where what it reads is not there yet. The
// engine tells the report, and asks again when something that the step reads
// has changed.
type NotYet struct{ event.Report }

// Error is the report's title.
func (n *NotYet) Error() string { return n.Title }

// Ref names one object, or, without Name, all objects of its kind that the
// Namespace ("" for all) and Labels select.
type Ref struct {
	APIVersion, Kind string
	Namespace, Name  string
	Labels           string // a label selector, for lists
	Optional         bool   // a kind that the server does not know reads as absent
}

// How says how an object is brought about.
type How int

// The ways.
const (
	Apply      How = iota // server-side apply of exactly these fields
	CreateOnce            // created where absent, never changed after but for the mark of labs that share it
	Merge                 // read, changed, updated on its resourceVersion
	Delete                // deleted where present, and taken out of the inventory
	Restore               // changed back where present: as Merge, but nothing is entered
	Forget                // left alone, and taken out of the inventory
)

// undoes says that an object is taken away or changed back: nothing of it is
// entered.
func (h How) undoes() bool { return h == Delete || h == Restore || h == Forget }

// Intent is one object and how it is brought about.
type Intent struct {
	How    How
	Object runtime.Object // typed or unstructured; apiVersion and kind are set

	// Initial adds fields that only the first create (POST) holds: values that
	// another step or an operator moves on. Later applies leave them out.
	Initial func(u *unstructured.Unstructured) error
	// Generate fills what is generated once, for CreateOnce.
	Generate func(random io.Reader, u *unstructured.Unstructured) error
	// Change changes the object that was read, for Merge. It gets nil fields
	// where the object is absent, and makes it then. A shared object without it is
	// only marked as used, and where it is gone by then, Objects is asked again.
	Change func(u *unstructured.Unstructured) error
	// Force takes fields from other owners instead of reporting the conflict.
	Force bool
	// Shared objects belong to the hub: adopted where they exist, without the
	// lab's labels, with one annotation labrun/used-by.<lab> a lab.
	Shared bool
	// Partial applies just these fields of an object that another step made: no
	// labels, no entry in the inventory.
	Partial bool
	// Manager, of Apply, is in whose name the fields are applied; the step's own where
	// it is empty. An undo moves a field on without taking it from who applied it.
	Manager string
	// Primary is the object that the step's patch is merged into; the first one
	// where no intent says so.
	Primary bool
	// Secret objects are masked wherever they are shown.
	Secret bool

	// Verb, of Restore, is what people are told is done; "restore" where it is empty.
	Verb string
	// UID, of Delete and Restore, leaves another object of the same name alone.
	UID string
	// Version, of Delete and Restore of what labs share, is the resourceVersion that was
	// judged. Where the object was written since, nothing is done to it: all is read
	// anew, and Objects asked again.
	Version string
	// Judged, of Delete, Restore and Forget of what labs share, is the entry that was
	// judged. It is taken out only where the inventory still holds just that: another
	// lab may have entered an object that it makes in the place of this one. Restore
	// takes it over for this lab first: where the run ends before it is taken out, this
	// lab's next undo does that.
	Judged *Entry
	// Hosted, of Forget, is the entry of an object in the hosted cluster.
	Hosted bool
	// Around, of Delete, is a namespace in which other objects may hold up this
	// one's end: what is being deleted there is told while it is waited for.
	Around string
	// Enter leaves the entry of a deleted object in the inventory: there is more to
	// do about it. Note, where it is there, is entered before: what has to be known for
	// that once the object is gone, as JSON, and no secret. Of what labs share it needs
	// Judged.
	Enter bool
	Note  json.RawMessage
}

// State is how a verdict ends a wait, or does not.
type State int

// The states.
const (
	Waiting State = iota
	Done
	Failed
)

// Verdict is what Judge says.
type Verdict struct {
	State   State
	Summary string       // of Done: one line for people
	Report  event.Report // of Waiting: what was seen; of Failed: why and what to do
	// Warnings of Done are told and fail nothing.
	Warnings []event.Report
	// Recheck asks for another judgement at this time even if nothing changes,
	// for grace times.
	Recheck time.Time
}

// Environment is what the engine needs of the steps' environment.
type Environment interface {
	Scope() *pipeline.Scope
	Facts() *labs.Facts
	Hub(ctx context.Context) (*Cluster, error)
	HostedCluster(ctx context.Context) (*Cluster, error)
	Secret(ctx context.Context, ref labs.SecretRef) (labs.Secret, error)
	Now() time.Time
}

// Keeper is an environment that may be told to keep some of what the inventories
// hold: it says why, "" where the entry is not kept.
type Keeper interface{ Keeps(e Entry) string }

// Adopter is an environment that may be told to take over objects that exist
// and are not labrun's.
type Adopter interface{ Adopt() bool }

// Tenant is an environment whose lab is held by a Lease. Hold takes it, where it
// is not taken yet, and gives an error where somebody else has it: then nothing is
// to be changed.
type Tenant interface {
	Hold(ctx context.Context) error
}

// Revealer is an environment that may be told to render secrets as they are.
type Revealer interface{ RevealSecrets() bool }

// Patched is embedded in the options of every step that renders objects.
type Patched struct {
	Patch map[string]any `yaml:"patch,omitempty" doc:"merged into the step's main object: maps merge, lists replace, null removes"`
}
