// Package statedir keeps what labrun remembers of its labs on this machine: a
// folder a lab, in it one a run with its journal and evidence, and the lock that
// lets one run at a time work on a lab.
//
//	<root>/<lab>/lock
//	<root>/<lab>/salt
//	<root>/<lab>/<run>/journal.jsonl
//	<root>/<lab>/<run>/<step>.<key>/   evidence
//
// Folders are 0700, files 0600.
package statedir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/adrg/xdg"
)

// JournalName is the journal's name in a run's folder.
const JournalName = "journal.jsonl"

// Keep is the number of runs that Prune leaves whole.
const Keep = 20

// ErrNoRun is the error of a lab that was never run from this state folder.
var ErrNoRun = errors.New("no run of this lab is recorded here")

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Default is the state folder where --state-dir names none.
func Default() string { return filepath.Join(xdg.StateHome, "labrun") }

// Lab is the state folder of one lab.
type Lab struct {
	Name string
	Dir  string
}

// Run is the folder of one run.
type Run struct {
	Number int
	Dir    string
}

// Of names the folder of a lab below root ("" for Default). It touches nothing.
func Of(root, lab string) (*Lab, error) {
	if len(lab) > 63 || !label.MatchString(lab) {
		return nil, fmt.Errorf("the lab's name %q is no DNS label and cannot name its state folder", lab)
	}
	if root == "" {
		root = Default()
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	return &Lab{Name: lab, Dir: filepath.Join(root, lab)}, nil
}

// Runs gives the numbers of the runs that are recorded, ascending.
func (l *Lab) Runs() ([]int, error) {
	entries, err := os.ReadDir(l.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the runs of %s: %w", l.Name, err)
	}
	var runs []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && e.IsDir() && strconv.Itoa(n) == e.Name() {
			runs = append(runs, n)
		}
	}
	slices.Sort(runs)
	return runs, nil
}

// Begin makes the folder of the next run. The caller holds the lock.
func (l *Lab) Begin() (*Run, error) {
	runs, err := l.Runs()
	if err != nil {
		return nil, err
	}
	next := 1
	if len(runs) > 0 {
		next = runs[len(runs)-1] + 1
	}
	r := l.Run(next)
	if err := os.Mkdir(r.Dir, 0o700); err != nil {
		return nil, unwritable(err)
	}
	return r, nil
}

// Last gives the latest run that has a journal.
func (l *Lab) Last() (*Run, error) {
	runs, err := l.Runs()
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(runs) {
		r := l.Run(n)
		if _, err := os.Stat(r.Journal()); err == nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%w (looked in %s)", ErrNoRun, l.Dir)
}

// Prune removes all runs but the latest keep ones. Of those from number needed on
// the journal stays; 0: none is needed.
func (l *Lab) Prune(keep, needed int) error {
	runs, err := l.Runs()
	if err != nil {
		return err
	}
	for _, n := range runs[:max(0, len(runs)-keep)] {
		if needed > 0 && n >= needed {
			err = l.Run(n).strip()
		} else {
			err = os.RemoveAll(l.Run(n).Dir)
		}
		if err != nil {
			return fmt.Errorf("remove an old run: %w", err)
		}
	}
	return nil
}

// strip removes all of a run but its journal.
func (r *Run) strip() error {
	entries, err := os.ReadDir(r.Dir)
	for _, e := range entries {
		if e.Name() != JournalName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(r.Dir, e.Name())))
		}
	}
	return err
}

// Run is the folder of one run, which need not be there.
func (l *Lab) Run(n int) *Run {
	return &Run{Number: n, Dir: filepath.Join(l.Dir, strconv.Itoa(n))}
}

// Journal is the path of the run's journal.
func (r *Run) Journal() string { return filepath.Join(r.Dir, JournalName) }

// Evidence is the path of an instance's evidence; who writes there makes it.
func (r *Run) Evidence(step, key string) string {
	if key != "" {
		step += "." + key
	}
	return filepath.Join(r.Dir, strings.ReplaceAll(step, "/", ".")) // destroy/host of a rebuild
}

// saltLength is that of the salt, in bytes.
const saltLength = 32

// Salt is what the digests in the lab's journals are keyed with: random, made once,
// for its owner alone. Nil where the lab was never run from this folder.
func (l *Lab) Salt() ([]byte, error) {
	path := filepath.Join(l.Dir, "salt")
	salt, err := os.ReadFile(path)
	switch {
	case err == nil && len(salt) == saltLength:
		return salt, nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read what the lab's digests are keyed with: %w", err)
	}
	return nil, nil
}

// MakeSalt makes the salt where there is none. The caller holds the lock.
func (l *Lab) MakeSalt() error {
	if salt, err := l.Salt(); err != nil || salt != nil {
		return err
	}
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	if err := os.WriteFile(filepath.Join(l.Dir, "salt"), salt, 0o600); err != nil {
		return unwritable(err)
	}
	return nil
}

func unwritable(err error) error {
	return fmt.Errorf("write to the state folder: %w; nothing was changed: mend the folder, or name another with --state-dir", err)
}
