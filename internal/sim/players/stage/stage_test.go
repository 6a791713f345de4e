package stage

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		if left := c.Left("a/x", time.Minute); left != time.Minute {
			t.Errorf("at its begin %v are left, want 1m", left)
		}
		time.Sleep(40 * time.Second)
		if left := c.Left("a/x", time.Minute); left != 20*time.Second {
			t.Errorf("after 40s %v are left, want 20s", left)
		}
		time.Sleep(time.Hour)
		if left := c.Left("a/x", time.Minute); left != 0 {
			t.Errorf("long after %v are left, want 0", left)
		}
		c.Forget("a/")
		if left := c.Left("a/x", time.Minute); left != time.Minute {
			t.Errorf("forgotten and begun again, %v are left, want 1m", left)
		}
	})
}
