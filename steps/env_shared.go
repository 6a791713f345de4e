package steps

import (
	"context"
	"sync/atomic"
)

// shared is a value that is made at the first success, by one at a time.
type shared[T any] struct {
	turn  chan struct{} // holds one token while somebody makes the value
	value atomic.Pointer[T]
}

func newShared[T any]() *shared[T] { return &shared[T]{turn: make(chan struct{}, 1)} }

// get gives the value, and waits no longer than ctx for somebody who makes it.
func (s *shared[T]) get(ctx context.Context, produce func() (T, error)) (T, error) {
	if value, made := s.peek(); made {
		return value, nil
	}
	var none T
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if value, made := s.peek(); made {
		return value, nil
	}
	value, err := produce()
	if err == nil {
		s.value.Store(&value)
	}
	return value, err
}

func (s *shared[T]) peek() (T, bool) {
	if value := s.value.Load(); value != nil {
		return *value, true
	}
	var none T
	return none, false
}
