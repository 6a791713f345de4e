package traps

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// row is one trap.
type row struct {
	trap  string // what it is called
	named string // where the workflow or the design names it
	taken string // what is taken away or spoiled

	// The lab: its texts may hold {lab}, {hosted} and {own} (the HostedCluster's
	// name and namespace), {ns} (the control plane's namespace), {worker0}, {dir} (a folder of the row)
	// and {wait} (the timeout of a step of which nobody says that it fails).
	workers  int      // how many servers of the rack it has
	small    bool     // its one server has too little memory
	steps    []string // ids of the shared step file that are run
	override string   // YAML below `override:`
	set      []string // --set

	before func(*try)            // spoils something before the run
	on     map[string]func(*try) // spoils something when this step has ended
	again  []string              // --set of a second run, which is the one that fails
	after  func(*try)            // between the two runs

	fails string   // the instance that must fail, host[worker0]; "" where the file itself is refused
	exit  int      // of the run
	holds []string // what the message must hold: object, condition and reason or what was last seen, what to do

	// late: no operator says it, so the step's timeout ends it. All other rows end before, within a few seconds.
	late bool
}

// soon is how long a refusal may take that is no timeout: grace times are one second here, the machine may be busy.
const soon = time.Minute

// outcome is how a run ended.
type outcome struct {
	exit     int
	failed   []string // instances
	text     string   // as a user sees it
	next     string
	duration time.Duration // of the failed step
	timedOut bool
}

func (r row) check(t *testing.T, l *try, o outcome) {
	t.Helper()
	if o.exit != r.exit {
		t.Errorf("exit %d, want %d", o.exit, r.exit)
	}
	if got := strings.Join(o.failed, " "); got != l.fill(r.fails) {
		t.Errorf("%q failed, want %q", got, l.fill(r.fails))
	}
	for _, part := range l.unsaid(o) {
		t.Errorf("%q is not said", part)
	}
	if o.next == "" {
		t.Error("nothing says what to do")
	}
	switch {
	case r.late != o.timedOut:
		t.Errorf("it ended by the timeout: %v, want %v", o.timedOut, r.late)
	case !r.late && o.duration > soon:
		t.Errorf("it was told after %s", o.duration)
	}
	for _, secret := range l.site.secrets {
		if secret != "" && strings.Contains(o.text, secret) {
			t.Error("the message holds a secret")
		}
	}
	if t.Failed() {
		t.Log(o.text)
	}
}

// tell writes the row as it stands in the table.
func (r row) tell(o outcome) string {
	when := "at once or after its grace time"
	if r.late {
		when = "at the timeout"
	}
	if r.fails == "" {
		when = "before anything runs"
	}
	return fmt.Sprintf("| %s | %s | %s | exit %d, %s (%.1fs) |\n%s", r.trap, r.named, r.taken, o.exit, when, o.duration.Seconds(), strings.TrimRight(o.text, "\n"))
}
