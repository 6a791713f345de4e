package program

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/faults"
)

// TestFaults asks about each fault that Metal3 has words for, and holds labrun's words to those that docs/preflight.md shows.
// With -update they are measured anew: run it alone, on a machine that does nothing else.
func TestFaults(t *testing.T) {
	known, err := faults.Measured()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var all []faults.Told
	for _, f := range faults.All() {
		told := faulty(t, f)
		all = append(all, told)
		if d := cmp.Diff(known[f.ID].Settled(), told.Settled()); d != "" && !*update {
			t.Errorf("%s is told otherwise (-want +got; -update measures anew):\n%s", f.ID, d)
		}
	}
	if *update {
		text, err := json.MarshalIndent(all, "", "  ")
		if err == nil {
			err = os.WriteFile(filepath.Join("..", "faults", "measured.json"), append(text, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// faulty sets a fault up and asks about it.
func faulty(t *testing.T, f faults.Fault) faults.Told {
	t.Helper()
	dir := t.TempDir()
	ends, err := f.Set(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ends()
	var out, errs bytes.Buffer
	began := time.Now()
	code := Main(t.Context(), f.Args(dir), cli.Streams{Out: &out, Err: &errs})
	took := time.Since(began)
	return faults.Told{ID: f.ID, Exit: code, MS: took.Milliseconds(),
		Words: faults.Same(wordsOf(t, code, out.String(), errs.String()), dir), Table: faults.Same(out.String(), dir)}
}

// wordsOf are the lines about what failed: of a table those that stand last, of a lab file that is refused the finding.
func wordsOf(t *testing.T, code int, out, errs string) string {
	t.Helper()
	switch code {
	case 3:
		if _, last, found := strings.Cut(out, "\n\n"); found {
			if _, reminder, more := strings.Cut(last, "\n"); more && strings.TrimSpace(reminder) != "" {
				return strings.TrimSpace(reminder)
			}
		}
		return strings.TrimSpace(out)
	case 2:
		return strings.TrimSpace(errs)
	}
	t.Errorf("exit code %d\n%s%s", code, out, errs)
	return ""
}
