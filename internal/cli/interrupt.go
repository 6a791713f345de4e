package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// interruption is the cause of a context that a signal ended.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string {
	if i.signal == syscall.SIGINT {
		return "interrupted"
	}
	return "told to stop (" + i.signal.String() + ")"
}

// ExitCode is 128 and the signal's number, as a shell has it.
func (i interruption) ExitCode() int { return 128 + int(i.signal) }

// overtime is the cause of a context that --max-duration ended.
type overtime struct{ limit time.Duration }

func (o overtime) Error() string {
	return "it took longer than --max-duration " + event.Span(o.limit)
}

// ExitCode is that of SIGTERM, which a CI would have sent.
func (o overtime) ExitCode() int { return interruption{syscall.SIGTERM}.ExitCode() }

// within gives a context that ends once a command has taken this long, which is
// told; 0 means never. release must be called.
func within(ctx context.Context, limit time.Duration, tell func(string)) (limited context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if limit <= 0 {
		return ctx, func() { cancel(nil) }
	}
	timer := time.AfterFunc(limit, func() {
		cause := overtime{limit}
		cancel(cause)
		tell(cause.Error() + ": the steps that run are stopped")
	})
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// outliveReaders makes a write to stdout or stderr whose reader went away an error,
// and no end of labrun, until labrun ends: what is held has yet to be given back
// when the last line is told. Programs that steps run do not inherit it.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// interruptible gives a run a context that the first SIGINT or SIGTERM ends, which
// is told; at the second one last is called, which may be nil, and labrun is
// killed. A reader of stdout or stderr that goes away does not end the run. release
// must be called.
func interruptible(ctx context.Context, tell func(string), last func()) (interrupted context.Context, release func()) {
	return interruptibleWhile(ctx, "the steps that run are stopped", tell, last)
}

// dieOf ends labrun as the signal would. The first process of a container is not
// killed by a signal of its own: it exits as a shell tells a killed one.
func dieOf(s syscall.Signal) {
	if os.Getpid() == 1 {
		os.Exit(interruption{s}.ExitCode())
	}
	signal.Reset(s)
	_ = syscall.Kill(os.Getpid(), s)
}

// interruptibleWhile is interruptible for what is no run: it tells what a signal
// makes it do.
func interruptibleWhile(ctx context.Context, stopping string, tell func(string), last func()) (interrupted context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	pipes := make(chan os.Signal, 1)
	done, gone := make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(pipes, syscall.SIGPIPE)
	go func() {
		defer close(gone)
		select {
		case <-done:
			return
		case s := <-signals:
			cause := interruption{s.(syscall.Signal)}
			cancel(cause)
			tell(cause.Error() + ": " + stopping + "; once more ends labrun at once")
		}
		select {
		case <-done:
		case s := <-signals:
			if last != nil {
				last()
			}
			dieOf(s.(syscall.Signal))
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(done)
		<-gone
		cancel(nil)
	}
}
