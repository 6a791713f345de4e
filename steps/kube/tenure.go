package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/labrun/labrun/internal/holder"
)

// How long a Lease holds that is not renewed, how often it is renewed, and how
// soon again where that failed. Three renewals may fail before it is lost; the
// clocks of two machines may be apart by as much as lies between the first two.
const (
	leaseLasts = 60 * time.Second
	leaseEvery = 20 * time.Second
	leaseAgain = 2 * time.Second
	leaseAsks  = 5 * time.Second // for an answer
)

// Tenure is the right of this process to change a lab, as its Lease on the
// management cluster says it, which is renewed until Release. Its methods may be
// called side by side.
type Tenure struct {
	connect func(context.Context) (*Cluster, error)
	lab     string
	o       TenureOptions

	turn    chan struct{} // holds one token while somebody writes the Lease
	leases  *leases
	lease   *coordinationv1.Lease // nil until it is taken
	renewed time.Time

	held context.Context // ends when the Lease is lost
	lose context.CancelCauseFunc
	stop context.CancelFunc
	over sync.WaitGroup
}

// TenureOptions are those of tests; the zero value is everybody else's.
type TenureOptions struct {
	Now                 func() time.Time
	Process             func(pid int) (start string, runs bool)
	Lasts, Every, Again time.Duration
}

// NewTenure makes one that is not taken yet. It asks the server nothing.
func NewTenure(lab string, connect func(context.Context) (*Cluster, error), self holder.Holder, o TenureOptions) *Tenure {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Process == nil {
		o.Process = holder.Process
	}
	if o.Lasts == 0 {
		o.Lasts, o.Every, o.Again = leaseLasts, leaseEvery, leaseAgain
	}
	t := &Tenure{lab: lab, connect: connect, o: o, turn: make(chan struct{}, 1),
		leases: &leases{lab: lab, judge: holder.Judge{Self: self, Process: o.Process}, lasts: o.Lasts}}
	t.held, t.lose = context.WithCancelCause(context.Background())
	return t
}

// Held ends when the Lease is lost, with a *holder.Lost as its cause: who holds
// it no more changes nothing.
func (t *Tenure) Held() context.Context { return t.held }

// Take takes the Lease at the first call that the server answers; later ones ask
// nothing. The error is a *holder.Held where another run has it, a *holder.Lost
// where this one had it.
func (t *Tenure) Take(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.lease != nil {
		t.expire(errors.New("the server was not asked in time"))
	}
	if t.held.Err() != nil {
		return context.Cause(t.held)
	}
	if t.lease != nil {
		return nil
	}
	cluster, err := t.connect(ctx)
	if err != nil {
		return err
	}
	t.leases.cluster = cluster
	now := t.o.Now()
	lease, err := t.leases.take(ctx, now)
	if err != nil {
		return err
	}
	t.lease, t.renewed = lease, now
	keeping, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.over.Go(func() { t.keep(keeping) })
	return nil
}

// keep renews the Lease until ctx ends or it is lost.
func (t *Tenure) keep(ctx context.Context) {
	timer := time.NewTimer(t.o.Every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		renewed := t.renew(ctx)
		switch {
		case t.held.Err() != nil:
			return
		case renewed:
			timer.Reset(t.o.Every)
		default:
			timer.Reset(min(t.o.Again, t.left()))
		}
	}
}

// renew tries once.
func (t *Tenure) renew(ctx context.Context) bool {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return false
	}
	now := t.o.Now()
	ctx, cancel := context.WithTimeout(ctx, min(leaseAsks, t.left()))
	defer cancel()
	lease, err := t.leases.renew(ctx, t.lease, now)
	var lost *holder.Lost
	switch {
	case err == nil:
		t.lease, t.renewed = lease, now
		return true
	case errors.As(err, &lost):
		t.lose(lost)
	default:
		t.expire(err)
	}
	return false
}

// left is how long the Lease still binds, at least a moment. The time of day
// counts: a machine that slept had time for nothing.
func (t *Tenure) left() time.Duration {
	return max(t.renewed.Add(t.o.Lasts).Round(0).Sub(t.o.Now().Round(0)), time.Millisecond)
}

// expire loses a Lease that was not renewed in time: others may have it by now.
func (t *Tenure) expire(cause error) {
	if t.o.Now().Round(0).Sub(t.renewed.Round(0)) >= t.o.Lasts {
		t.lose(&holder.Lost{Lab: t.lab, Where: t.leases.where(), Cause: cause})
	}
}

// Release gives the Lease back, so that the next run need not wait. One that was
// lost or never taken is left alone.
func (t *Tenure) Release() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaseAsks)
	defer cancel()
	t.turn <- struct{}{}
	stop := t.stop
	<-t.turn
	if stop == nil {
		return nil
	}
	stop()
	t.over.Wait()
	if t.held.Err() != nil {
		return nil
	}
	return t.leases.giveBack(ctx, t.lease)
}
