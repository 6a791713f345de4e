package redfish

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails where a test leaves a goroutine behind: a connection that is not closed, a request that still waits.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
