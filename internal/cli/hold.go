package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/statedir"
)

// Tenure holds a lab where other machines see it, once there is such a place.
type Tenure interface {
	// Take takes the lab; a *holder.Held is the error of one that another run has.
	Take(ctx context.Context) error
	// Held ends, with its cause, when the lab is not this run's any more.
	Held() context.Context
	// Release gives the lab back.
	Release() error
}

// atOnce bounds how long a command waits for a management cluster that does not
// answer, before it begins. There need not be one yet: the first step that changes
// something on it takes the lab there, or is told that another run has it.
const atOnce = 2 * time.Second

// held is a lab that this process may change until release.
type held struct {
	context.Context // ends, with a cause, when somebody else may change it
	begins          func(run int) error
	release         func() error
	unheld          string // why it is not held on the management cluster yet; "" where it is, or need not be
}

// hold takes the lab, for every command that changes it: the lock of this machine,
// and the Lease on the management cluster. The error is a *holder.Held where
// another run has it.
func (a *app[E]) hold(ctx context.Context, lab *statedir.Lab, environment Environment[E]) (held, error) {
	now := a.program.Now()
	lock, err := lab.Lock(now)
	if err != nil {
		return held{}, err
	}
	if environment.Keep == nil {
		return held{Context: context.Background(), begins: lock.Begins, release: lock.Unlock}, nil
	}
	tenure := environment.Keep(holder.Self(now))
	first, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	var other *holder.Held
	err = tenure.Take(first)
	if errors.As(err, &other) {
		return held{}, errors.Join(err, lock.Unlock())
	}
	return held{tenure.Held(), lock.Begins, func() error {
		if err := tenure.Release(); err != nil {
			fmt.Fprintf(a.streams.Err, "labrun: %s\n", a.secrets.Text(err.Error()))
		}
		return lock.Unlock()
	}, unheld(first, err)}, nil
}

// unheld says why a lab could not be taken before the run begins. asked is the context
// of the attempt.
func unheld(asked context.Context, err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(asked.Err(), context.DeadlineExceeded):
		return "no answer within " + atOnce.String()
	}
	return err.Error()
}

// tellUnheld tells it, once all secrets are known that the server may repeat.
func (a *app[E]) tellUnheld(why string) {
	if why != "" {
		fmt.Fprintf(a.streams.Err, "labrun: the lab is not held on the management cluster yet: %s; the first step that changes something there takes it\n", a.secrets.Text(why))
	}
}
