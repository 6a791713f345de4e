package preflight

import (
	"slices"
	"time"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/redfish"
)

// Questions is what a pre-flight is asked for.
type Questions struct {
	Hosts  []string // names of workers; all where empty
	Choice Choice
	Active *redfish.Active // nil: BMCs are only read
	Now    func() time.Time
	Board  func(names []string) *progress.Board // shows how far it is; nil where nobody looks
}

// Follower tells a board what is heard of workers and areas. The zero value, of where nobody looks, tells nobody.
type Follower struct {
	board *progress.Board
	left  map[string]map[string]bool // checks still to be heard of, by name and id
}

// Follow begins to show workers and areas. Close must be called.
func (q Questions) Follow(workers, areas []string) *Follower {
	f := &Follower{left: map[string]map[string]bool{}}
	if q.Board == nil {
		return f
	}
	for _, c := range Catalogue() {
		switch {
		case c.Area != BMC:
			if q.Choice == nil || slices.Contains(q.Choice[c.Area], c.ID) {
				f.expect(c.Area, c.ID)
			}
		case !c.Active || q.Active != nil:
			for _, w := range workers { // all of them are asked, whatever is chosen
				f.expect(w, c.ID)
			}
		}
	}
	f.board = q.Board(append(append([]string{}, workers...), areas...))
	return f
}

func (f *Follower) expect(name, id string) {
	if f.left[name] == nil {
		f.left[name] = map[string]bool{}
	}
	f.left[name][id] = true
}

// Heard takes a result; it is called by one at a time for each name. A check may be heard of again, where it is known better.
func (f *Follower) Heard(name string, r redfish.Result) {
	if f.board == nil {
		return
	}
	f.board.Tell(name, r.ID)
	delete(f.left[name], r.ID)
	if len(f.left[name]) == 0 {
		f.board.Done(name)
	}
}

// Close takes the board away.
func (f *Follower) Close() {
	if f.board != nil {
		f.board.Close()
	}
}
