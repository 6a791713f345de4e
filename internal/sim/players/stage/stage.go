// Package stage measures how long an operator has been at something: a stage begins the first time it is asked about
// and is over when its time has passed. Nothing sleeps: a reconciler that is told how long is left asks to be called
// again then.
//
//	if left := clock.Left(string(u.GetUID())+"/install", pace.Delay("mce-install", 6*time.Minute)); left > 0 {
//		return ctrl.Result{RequeueAfter: left}, nil
//	}
package stage

import (
	"strings"
	"sync"
	"time"
)

// Clock knows when stages began. Its zero value is ready. What it knows ends with the process: a stage that was under
// way then begins anew, as a restarted operator's does.
type Clock struct {
	mutex sync.Mutex
	began map[string]time.Time
}

// Left is how long the stage called key still lasts, where it takes d in all; the first question begins it.
func (c *Clock) Left(key string, d time.Duration) time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.began == nil {
		c.began = map[string]time.Time{}
	}
	began, known := c.began[key]
	if !known {
		began = time.Now()
		c.began[key] = began
	}
	return max(0, d-time.Since(began))
}

// Forget ends all stages whose keys begin with prefix, so that they can begin again.
func (c *Clock) Forget(prefix string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for key := range c.began {
		if strings.HasPrefix(key, prefix) {
			delete(c.began, key)
		}
	}
}
