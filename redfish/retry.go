package redfish

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	mostTries   = 3                // of one request: twice again
	longestWait = 30 * time.Second // for a busy BMC, all waits of one request together
)

// patiently sends a request, and sends it again where the BMC answers 503 and says when to come back, if that is before the
// deadline. Only what may be sent twice is: a GET, and the DELETE of a session.
func (c *conn) patiently(ctx context.Context, method, path string, payload any, headers map[string]string) (res *response, err error) {
	if method != http.MethodGet && method != http.MethodDelete {
		return c.once(ctx, method, path, payload, headers)
	}
	patience := longestWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	// What Retry gives is not looked at: the last answer is what counts, also where there was no time to wait for a better one.
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		res, err = c.once(ctx, method, path, payload, headers)
		if wait, busy := comeBack(res, time.Now()); busy && err == nil {
			return struct{}{}, &backoff.RetryAfterError{Duration: wait}
		}
		return struct{}{}, nil
	}, backoff.WithMaxTries(mostTries), backoff.WithMaxElapsedTime(max(patience, 1)))
	return res, err
}

// comeBack reads when a busy BMC wants to be asked again. Without Retry-After a 503 is as final as any other answer.
func comeBack(res *response, now time.Time) (time.Duration, bool) {
	if res == nil || res.status != http.StatusServiceUnavailable {
		return 0, false
	}
	after := strings.TrimSpace(res.header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(after, 10, 16); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
