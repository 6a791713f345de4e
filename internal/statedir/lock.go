package statedir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/labrun/labrun/internal/holder"
)

// Held is the error of a lab that another run holds.
type Held = holder.Held

// Lock is a lab that is held. The kernel lets go of it when its process ends,
// however it ends.
type Lock struct {
	file *flock.Flock
	self Holding
}

// Holding is who holds a lab, and what for.
type Holding struct {
	holder.Holder
	Run int `json:"run,omitempty"` // number of the run, 0 until it has one
}

// A lock that is not free is tried for again this long: who asks for its holder
// takes it for a moment, too.
const (
	patience = 200 * time.Millisecond
	pause    = 10 * time.Millisecond
)

// Lock makes the lab's folder where it is missing and takes the lab, or says
// (*Held) who has it.
func (l *Lab) Lock(now time.Time) (*Lock, error) {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return nil, unwritable(err)
	}
	path := filepath.Join(l.Dir, "lock")
	// The lock is open for writing, so that a state folder that cannot be
	// written is found out before anything is changed.
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	held, err := f.TryLockContext(ctx, pause)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, unwritable(err)
	}
	if !held {
		return nil, errors.Join(&Held{Lab: l.Name, Holder: readHolder(path).Holder}, f.Close())
	}
	k := &Lock{f, Holding{Holder: holder.Self(now)}}
	if err := writeHolder(path, k.self); err != nil {
		return nil, errors.Join(unwritable(err), f.Close())
	}
	return k, nil
}

// Begins tells others which run it is held for, before that has a journal.
func (k *Lock) Begins(run int) error {
	k.self.Run = run
	if err := writeHolder(k.file.Path(), k.self); err != nil {
		return unwritable(err)
	}
	return nil
}

// Holder says who holds the lab now; ok is false where nobody does.
func (l *Lab) Holder() (h Holding, ok bool) {
	path := filepath.Join(l.Dir, "lock")
	f := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := f.TryRLock()
	if err != nil {
		return Holding{}, false // no lock file: no run ever
	}
	if free {
		_ = f.Close()
		return Holding{}, false
	}
	return readHolder(path), true
}

// Unlock lets the lab go.
func (k *Lock) Unlock() error {
	if err := k.file.Close(); err != nil {
		return fmt.Errorf("let the lab go: %w", err)
	}
	return nil
}

func writeHolder(path string, h Holding) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600) // in place: a rename would move the lock away
}

func readHolder(path string) Holding {
	var h Holding
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holding{}
	}
	return h
}
