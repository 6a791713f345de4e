package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"
)

// record is what the state folder of a lab says of it: labsim.json.
type record struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	Started string    `json:"started"` // of the process, in clock ticks since the machine's start: an id alone may be another's
	Since   time.Time `json:"since"`
	API     string    `json:"api,omitempty"`     // of the management cluster; "" until it is ready
	Command string    `json:"command,omitempty"` // that is run against the lab

	Written map[string]string `json:"written,omitempty"` // kubeconfig and values: path and SHA-256
}

const (
	recordFile = "labsim.json"
	lockFile   = "labsim.lock"
	keepFile   = "keep"
)

// errRunning says that a lab of this name runs.
var errRunning = errors.New("the simulated lab runs already")

func defaultRoot() string { return filepath.Join(xdg.StateHome, "labsim") }

// folder is a state folder that this process holds.
type folder struct {
	dir  string
	lock *flock.Flock
}

// hold makes the state folder, empties it of what a killed labsim left, and locks it. Only a folder that is empty or
// that labsim made is taken.
func hold(dir, name string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 && !ours(dir) {
		return nil, fmt.Errorf("the state folder %s holds something else: name another one: %w", dir, errUsage)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	f := &folder{dir: dir, lock: flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))}
	free, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if !free {
		who := ""
		if r, err := read(dir); err == nil {
			who = fmt.Sprintf(" as process %d since %s", r.PID, r.Since.Format(time.TimeOnly))
		}
		return nil, fmt.Errorf("%w%s: end it with labsim down --state-dir %s, or give this one a --state-dir of its own", errRunning, who, dir)
	}
	for _, e := range entries {
		if e.Name() != lockFile {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return f, f.write(record{Name: name, PID: os.Getpid(), Started: startOf(os.Getpid()), Since: time.Now()})
}

// ours says whether labsim made a folder.
func ours(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, lockFile))
	return err == nil
}

func (f *folder) write(r record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fresh := filepath.Join(f.dir, recordFile+".new")
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(f.dir, recordFile))
}

// release gives the folder back and removes it, unless it is to be kept.
func (f *folder) release(keep bool) error {
	if _, err := os.Stat(filepath.Join(f.dir, keepFile)); err == nil {
		keep = true
	}
	if keep {
		err := os.Remove(filepath.Join(f.dir, recordFile))
		return errors.Join(err, f.lock.Unlock())
	}
	return errors.Join(os.RemoveAll(f.dir), f.lock.Unlock())
}

func read(dir string) (record, error) {
	var r record
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("reading %s: %w", filepath.Join(dir, recordFile), err)
	}
	return r, nil
}

// running says whether the process of a record is still the one that wrote it.
func (r record) running() bool { return r.PID > 0 && r.Started != "" && startOf(r.PID) == r.Started }

// startOf is when a process started, in clock ticks since the machine's start; "" where there is none.
func startOf(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field, the program's name in brackets, may hold anything.
	_, rest, ok := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}
