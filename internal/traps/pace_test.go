package traps

import "time"

// pace are the delays that would be too short, or too long, at the site's speed.
func pace() map[string]time.Duration {
	return map[string]time.Duration{
		"hypershift.retest":  2 * time.Second,
		"hypershift.hosted":  500 * time.Millisecond,
		"hypershift.reserve": 500 * time.Millisecond,
		"metal3.backoff":     500 * time.Millisecond,
		"metal3.secret":      500 * time.Millisecond,
		"iso":                500 * time.Millisecond,
		"pod-retry":          500 * time.Millisecond,
		"agent-bound":        200 * time.Millisecond,
	}
}
