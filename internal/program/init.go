package program

import (
	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/workercsv"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
)

// newLab writes a lab file to begin with. The findings are of the file of
// workers, and the error is of what was asked for.
func newLab(n cli.NewLab) ([]byte, source.Diagnostics, error) {
	e := labs.Example{Stack: labs.Stack(n.Stack), Disconnected: n.Disconnected, Name: n.Name}
	if n.WorkersFile != "" {
		var found source.Diagnostics
		if e.Workers, found = workercsv.Read(n.WorkersFile, n.Workers); len(found) > 0 {
			return nil, found, nil
		}
	}
	text, err := e.Write()
	return text, nil, err
}
