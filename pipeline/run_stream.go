package pipeline

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// errUnrecorded is the cause of a run that stopped because its journal cannot be
// kept.
var errUnrecorded = errors.New("the run cannot be recorded any more")

// stream puts the events of a run in order and hands each to all sinks before
// the next one is made. After an error of a sink no effect begins; once the begun
// ones have ended, stop is called.
type stream struct {
	lab   string // as the user names it on a command line
	mu    sync.Mutex
	seq   int
	sinks []event.Sink
	now   func() time.Time
	stop  context.CancelCauseFunc
	open  int // effects that began and have not ended
	err   error
}

func (s *stream) emit(e event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	e.Seq, e.Time = s.seq, s.now().UTC()
	e.Report = s.typed(e.Report)
	if e.Result != nil && e.Result.Report != nil {
		result := *e.Result
		result.Report = s.typed(result.Report)
		e.Result = &result
	}
	for _, sink := range s.sinks {
		if err := sink.Take(e); err != nil && s.err == nil {
			s.err = err
		}
	}
	switch {
	case e.Type == event.Intent && s.err == nil:
		s.open++
	case e.Type == event.Done:
		s.open--
	}
	s.stopUnrecorded()
	return s.err
}

// abandon counts an effect as ended of which nobody can say what became: its step
// broke down meanwhile.
func (s *stream) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.stopUnrecorded()
}

func (s *stream) stopUnrecorded() {
	if s.err != nil && s.open <= 0 {
		s.stop(fmt.Errorf("%w: %w", errUnrecorded, s.err))
	}
}

// labWord stands for the lab in the commands that steps tell.
var labWord = regexp.MustCompile(`\bLAB\b`)

// typed puts the lab file into the command that a report tells to type.
func (s *stream) typed(r *event.Report) *event.Report {
	if r == nil || s.lab == "" || !labWord.MatchString(r.Next) {
		return r
	}
	told := *r
	told.Next = labWord.ReplaceAllLiteralString(r.Next, s.lab)
	return &told
}

// broken gives the first error of a sink.
func (s *stream) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
