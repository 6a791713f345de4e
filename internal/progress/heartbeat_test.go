package progress

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// beating plays a tape against the clock, and gives the lines that tell of steps
// that run, each behind the time at which it was written.
func beating(t *testing.T, every time.Duration, tape *tape, until time.Duration) []string {
	t.Helper()
	var lines []string
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stamped := writer(func(b []byte) {
			if strings.Contains(string(b), "…") {
				lines = append(lines, fmt.Sprintf("%s: %s", time.Since(began), strings.Join(strings.Fields(string(b)), " ")))
			}
		})
		p := NewPlain(stamped, PlainOptions{Heartbeat: every, Now: func() time.Time { return noon.Add(time.Since(began)) }})
		for _, e := range tape.events {
			time.Sleep(e.Time.Sub(noon) - time.Since(began))
			synctest.Wait() // a heartbeat of the same moment comes first
			_ = p.Take(e)
		}
		time.Sleep(until - time.Since(began))
		synctest.Wait()
		p.Close()
		time.Sleep(time.Hour)
	})
	return lines
}

func TestHeartbeat(t *testing.T) {
	tape := &tape{}
	tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "lab", Steps: []event.Ref{{ID: "a"}, {ID: "b"}}}})
	tape.start(0, "a", "", time.Hour)
	tape.start(0, "b", "", 0)
	tape.sees(60, "a", "", event.Report{Title: "first"})
	tape.end(240, "a", "", 240, event.Result{Status: event.OK})
	tape.end(420, "b", "", 420, event.Result{Status: event.OK})
	want := []string{
		"1m0s: … a first · 1m00s of 1h", // what it sees
		"2m0s: … b 2m00s", "3m0s: … a first · 3m00s of 1h", "4m0s: … b 4m00s", "6m0s: … b 6m00s",
	}
	if got := beating(t, 2*time.Minute, tape, 10*time.Minute); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := beating(t, 0, tape, 10*time.Minute); len(got) != 1 {
		t.Errorf("without a heartbeat it tells\n%s", strings.Join(got, "\n"))
	}
}

func TestHeartbeatOfMany(t *testing.T) {
	tape := &tape{}
	tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "lab", Steps: []event.Ref{{ID: "host"}}}})
	for n := range 40 {
		tape.start(0, "host", fmt.Sprintf("w%02d", n), time.Hour)
	}
	got := beating(t, time.Minute, tape, time.Minute)
	if len(got) != beatsShown+1 || got[0] != "1m0s: … host[w00] 1m00s of 1h" || got[beatsShown] != "1m0s: … and 35 more that run" {
		t.Errorf("told\n%s", strings.Join(got, "\n"))
	}
}
