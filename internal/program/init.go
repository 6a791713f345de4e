package program

import (
	"errors"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
)

// newLab writes a lab file to begin with. Its error is of what was asked for.
func newLab(n cli.NewLab) ([]byte, source.Diagnostics, error) {
	if n.WorkersFile != "" {
		return nil, nil, errors.New("workers are not read from a file yet")
	}
	e := labs.Example{Stack: labs.Stack(n.Stack), Disconnected: n.Disconnected, Name: n.Name}
	text, err := e.Write()
	return text, nil, err
}
