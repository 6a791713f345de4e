package preflight

import (
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
	left  map[string]int // checks still to be heard of
}

// Follow begins to show workers and areas. Close must be called.
func (q Questions) Follow(workers, areas []string) *Follower {
	f := &Follower{left: map[string]int{}}
	if q.Board == nil {
		return f
	}
	for _, c := range Catalogue() {
		if c.Area != BMC {
			f.left[c.Area]++
		}
	}
	for area, ids := range q.Choice {
		f.left[area] = len(ids)
	}
	for _, w := range workers {
		f.left[w] = len(redfish.Catalogue())
		if q.Active != nil {
			f.left[w] += len(redfish.ActiveCatalogue())
		}
	}
	f.board = q.Board(append(append([]string{}, workers...), areas...))
	return f
}

// Heard takes a result; it is called by one at a time for each name.
func (f *Follower) Heard(name string, r redfish.Result) {
	if f.board == nil {
		return
	}
	f.board.Tell(name, r.ID)
	if f.left[name]--; f.left[name] == 0 {
		f.board.Done(name)
	}
}

// Close takes the board away.
func (f *Follower) Close() {
	if f.board != nil {
		f.board.Close()
	}
}
