package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// What a wait sees soon after it told something is told a little later, the
// newest of it, not never; an end, and Close, drop what was kept back.
func TestPlainTellsLater(t *testing.T) {
	for name, c := range map[string]struct {
		then  func(*tape)
		close bool
		want  string
	}{
		"it goes on": {then: func(*tape) {}, want: "first second"},
		"it ends":    {then: func(t *tape) { t.end(3, "a", "", 3, event.Result{Status: event.OK, Summary: "done"}) }, want: "first done"},
		"closed":     {then: func(*tape) {}, close: true, want: "first"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				p := NewPlain(&out, PlainOptions{})
				tape := &tape{}
				tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "lab", Steps: []event.Ref{{ID: "a"}}}})
				tape.start(0, "a", "", time.Hour)
				tape.sees(0, "a", "", event.Report{Title: "first"})
				tape.sees(1, "a", "", event.Report{Title: "skimmed"})
				tape.sees(2, "a", "", event.Report{Title: "second"})
				c.then(tape)
				for _, e := range tape.events {
					_ = p.Take(e)
				}
				if c.close {
					p.Close()
				}
				time.Sleep(time.Minute)
				p.Close()
				var told []string
				for _, word := range []string{"first", "skimmed", "second", "done"} {
					if strings.Contains(out.String(), word) {
						told = append(told, word)
					}
				}
				if got := strings.Join(told, " "); got != c.want {
					t.Errorf("told %q, want %q:\n%s", got, c.want, out.String())
				}
			})
		})
	}
}
