package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain lets the test binary be labrun itself, as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("LABRUN_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func labrun(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "LABRUN_TEST_MAIN=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

func TestLabsAreValid(t *testing.T) {
	out, err := labrun("validate", "../../labs/ipv6-disconnected.yaml", "../../labs/ipv4-connected.yaml").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The start of labrun, as a process: under 20 ms.
func BenchmarkVersion(b *testing.B) {
	var cpu time.Duration
	best := time.Hour
	for b.Loop() {
		cmd := labrun("version")
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(began))
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(best.Seconds()*1000, "ms-best")
	b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "ms-cpu/op")
}
