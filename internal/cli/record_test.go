package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
)

// A disk that is full is told once, by the run or by the closing of its journal.
func TestEndedTellsOnce(t *testing.T) {
	full, stopped := errors.New("disk full"), errors.New("the run was stopped: disk full")
	for _, c := range []struct{ run, closing, want error }{
		{nil, nil, nil}, {nil, full, full}, {stopped, full, stopped}, {stopped, nil, stopped}, {ends(pipeline.ExitFailed), full, full},
	} {
		if got := ended(c.run, c.closing); got != c.want {
			t.Errorf("run %v, closing %v: %v, want %v", c.run, c.closing, got, c.want)
		}
	}
	failed := ends(pipeline.ExitFailed)
	if got := ended(failed, nil); got != failed {
		t.Errorf("a step that failed: %v", got)
	}
}

// Old runs that cannot be removed are a note.
func TestPruneIsNoReasonToStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	a := &app[struct{}]{streams: Streams{Err: &told}}
	a.prune(&statedir.Lab{Name: "lab", Dir: file})
	if !strings.HasPrefix(told.String(), "labrun: old runs are left: list the runs of lab: ") {
		t.Errorf("told %q", told.String())
	}
}
