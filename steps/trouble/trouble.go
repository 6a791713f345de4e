// Package trouble is the catalogue of the failures that labrun recognises: how
// each shows itself in the cluster, what it means to one who does not know the
// operator, and what cures it. The judges of the steps name its entries, and
// `labrun explain`, why.md and docs/troubleshooting.md are written from it. It
// knows nothing of clusters.
package trouble

import "slices"

// ID names one trouble, as it stands in reports and after `labrun explain`:
// lower-case words with dashes.
type ID string

// Ending says when labrun gives up on a trouble.
type Ending string

// The endings.
const (
	AtOnce        Ending = "at once"
	AfterAttempts Ending = "after the step's attempts"
	AfterGrace    Ending = "after the step's grace time"
	AtTimeout     Ending = "at the step's timeout: the operator never says that it gave up"
)

// Trouble is one failure that labrun recognises. NAMESPACE, NAME, WORKER, PLANE
// (the namespace of the hosted control plane) and LAB in a cure stand for the
// user's own.
type Trouble struct {
	ID     ID       `json:"id"`
	Object string   `json:"object"` // kind of the object that shows it
	Shows  string   `json:"shows"`  // condition, reason or phase, as the operator writes them
	Means  string   `json:"means"`  // what is wrong, for one who does not know
	Cures  []string `json:"cures"`  // in the order in which to try them
	Ends   Ending   `json:"ends"`
	Source string   `json:"source"` // the operator that says it
}

// All lists the troubles, in the order of the workflow.
func All() []Trouble { return slices.Concat(server(), hub(), hosted(), machines(), workers(), ends()) }

// Find gives the trouble of an id.
func Find(id string) (Trouble, bool) {
	for _, t := range All() {
		if string(t.ID) == id {
			return t, true
		}
	}
	return Trouble{}, false
}
