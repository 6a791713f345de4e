package bmctest

import (
	"net/http"
	"time"
)

// lock counts wrong passwords, and keeps the account locked after too many.
type lock struct {
	wrong  int // in a row
	ever   int
	times  int // that the account was locked
	closed bool
	until  time.Time // zero: until Unlock
}

// attempt judges one attempt to log in; the caller holds b.mu. It gives 0 where the credential is right and the account is not
// locked, else the status to answer.
func (b *BMC) attempt(user, password string) int {
	right := user == b.config.Username && password == b.config.Password
	if b.lock.closed && !b.lock.until.IsZero() && time.Now().After(b.lock.until) {
		b.lock.closed, b.lock.wrong = false, 0
	}
	switch {
	case b.lock.closed && b.config.LockStatus != 0:
		return b.config.LockStatus
	case b.lock.closed:
		return http.StatusUnauthorized
	case right:
		b.lock.wrong = 0
		return 0
	}
	b.lock.wrong++
	b.lock.ever++
	if b.config.LockAfter > 0 && b.lock.wrong >= b.config.LockAfter {
		b.lock.closed = true
		b.lock.times++
		if b.config.LockFor > 0 {
			b.lock.until = time.Now().Add(b.config.LockFor)
		}
	}
	return http.StatusUnauthorized
}

// Attempts counts the wrong passwords that were tried while the account was open, and how often it was locked.
func (b *BMC) Attempts() (wrong, locked int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lock.ever, b.lock.times
}

// Unlock opens a locked account again.
func (b *BMC) Unlock() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lock.closed, b.lock.wrong, b.lock.until = false, 0, time.Time{}
}
