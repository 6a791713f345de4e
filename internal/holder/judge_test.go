package holder

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The rules of taking a lab over, one a row.
func TestFree(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	self := Holder{Host: "ci", Machine: "m1", Boot: "b1", PIDs: "pid:[1]", PID: 100, Start: "500"}
	running := map[int]string{100: "500", 7: "70", 9: ""} // 9 is there, and /proc does not show it
	process := func(pid int) (string, bool) { start, ok := running[pid]; return start, ok }
	fresh, stale := 59*time.Second, 60*time.Second // since the claim was renewed; it lasts 60s
	for name, c := range map[string]struct {
		change func(*Holder)
		other  bool // some other program's words
		ago    time.Duration
		want   string // "" for held
	}{
		"a process that runs here":                  {change: func(h *Holder) {}, ago: fresh},
		"one that ended":                            {change: func(h *Holder) { h.PID = 8 }, ago: 0, want: "process 8 on ci has ended"},
		"one that ended, its pid given away":        {change: func(h *Holder) { h.Start = "69" }, ago: 0, want: "process 7 on ci has ended, its number is another process's"},
		"before the machine was started again":      {change: func(h *Holder) { h.Boot = "b0" }, ago: 0, want: "ci was started again since"},
		"another boot, another machine of the name": {change: func(h *Holder) { h.Boot, h.Machine = "b0", "m2" }, ago: fresh},
		"another boot, machines without an id":      {change: func(h *Holder) { h.Boot, h.Machine = "b0", "" }, ago: fresh},
		"another host":                              {change: func(h *Holder) { h.Host, h.Machine, h.Boot = "other", "m2", "b2" }, ago: fresh},
		"another host that is silent":               {change: func(h *Holder) { h.Host, h.Machine, h.Boot = "other", "m2", "b2" }, ago: stale, want: "the claim was last renewed at 2026-11-23T11:59:00Z and has expired"},
		"another host, its pid not running here":    {change: func(h *Holder) { h.Host, h.Machine, h.Boot, h.PID = "other", "m2", "b2", 8 }, ago: fresh},
		"a container here, its pid not seen here":   {change: func(h *Holder) { h.PIDs, h.PID = "pid:[2]", 8 }, ago: fresh},
		"a container here that is silent":           {change: func(h *Holder) { h.PIDs, h.PID = "pid:[2]", 8 }, ago: stale, want: "expired"},
		"this machine under a new name":             {change: func(h *Holder) { h.Host, h.PID = "old", 8 }, ago: 0, want: "process 8 on old has ended"},
		"a machine that tells no boot":              {change: func(h *Holder) { h.Boot, h.PID = "", 8 }, ago: fresh},
		"a process here that renews no more":        {change: func(h *Holder) {}, ago: stale, want: "expired"},
		"this very process":                         {change: func(h *Holder) { *h = self; h.Since = now }, ago: fresh, want: "it is this very process"},
		"a process that /proc does not show":        {change: func(h *Holder) { h.PID = 9 }, ago: fresh},
		"one that /proc does not show, silent":      {change: func(h *Holder) { h.PID = 9 }, ago: stale, want: "expired"},
		"one that does not know when it began":      {change: func(h *Holder) { h.Start = "" }, ago: fresh},
		"one that did not know it and ended":        {change: func(h *Holder) { h.Start, h.PID = "", 8 }, ago: 0, want: "process 8 on ci has ended"},
		"another program":                           {change: func(h *Holder) { h.PID = 8 }, other: true, ago: fresh},
		"another program that is silent":            {change: func(h *Holder) { h.PID = 8 }, other: true, ago: stale, want: "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			h := self
			h.PID, h.Start = 7, "70"
			c.change(&h)
			why, free := Judge{self, process}.Free(Claim{Holder: h, Unknown: c.other, Renewed: now.Add(-c.ago), Lasts: time.Minute}, now)
			if free != (c.want != "") || !strings.Contains(why, c.want) {
				t.Errorf("free %t, because %q; want %q", free, why, c.want)
			}
		})
	}
}

// The end of a process is seen where it is seen to live: on the same kernel, under
// the same number, in a /proc that shows it.
func TestSees(t *testing.T) {
	self := Holder{Boot: "b1", PIDs: "pid:[1]", PID: 100, Start: "500"}
	j := Judge{self, func(pid int) (string, bool) {
		start, ok := map[int]string{7: "70", 9: ""}[pid]
		return start, ok
	}}
	for name, c := range map[string]struct {
		h    Holder
		want bool
	}{
		"it runs here":             {Holder{Boot: "b1", PIDs: "pid:[1]", PID: 7, Start: "70"}, true},
		"/proc does not show it":   {Holder{Boot: "b1", PIDs: "pid:[1]", PID: 9, Start: "70"}, false},
		"it knows not its start":   {Holder{Boot: "b1", PIDs: "pid:[1]", PID: 7}, false},
		"in a container":           {Holder{Boot: "b1", PIDs: "pid:[2]", PID: 7, Start: "70"}, false},
		"on another kernel":        {Holder{Boot: "b2", PIDs: "pid:[1]", PID: 7, Start: "70"}, false},
		"on one that has no name ": {Holder{PIDs: "pid:[1]", PID: 7, Start: "70"}, false},
	} {
		if got := j.Sees(c.h); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestIdentity(t *testing.T) {
	self := Self(time.Now())
	read, ok := Parse(self.Identity())
	if !ok || !read.Is(self) {
		t.Errorf("read %+v from %q, want %+v", read, self.Identity(), self)
	}
	for _, other := range []string{"", "kube-scheduler_7c9", "host=a", "pid=7", "host=a pid=x"} {
		if h, ok := Parse(other); ok {
			t.Errorf("%q is read as %+v", other, h)
		}
	}
	if h, ok := Parse("host=a pid=7 later=x"); !ok || h.Host != "a" || h.PID != 7 {
		t.Errorf("a word of a later version: %+v, %t", h, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("host=a pid=7 start=1 boot=b pids=pid:[4] machine=m")
	f.Add("host==a pid=-7")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := Parse(text)
		if !ok {
			return
		}
		if again, ok := Parse(h.Identity()); !ok || !again.Is(h) {
			t.Errorf("%q is read as %+v, written, and read as %+v", text, h, again)
		}
	})
}

// A process is there while it runs, not once it has ended: neither before nor
// after somebody has asked for its end.
func TestProcess(t *testing.T) {
	if start, runs := Process(os.Getpid()); !runs || start == "" {
		t.Errorf("this process: start %q, runs %t", start, runs)
	}
	for text, want := range map[string]string{
		"7 (a) b (c) S 1" + strings.Repeat(" 0", 17) + " 4242 0": "4242 true",
		"7 (x) Z 1" + strings.Repeat(" 0", 17) + " 4242 0":       "4242 false",
		"7 (x) S 1": " false", "": " false",
	} {
		start, runs := parseStat([]byte(text))
		if got := start + map[bool]string{true: " true", false: " false"}[runs]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, runs := Process(cmd.Process.Pid); !runs {
		t.Error("a child that waits does not run")
	}
	hidden := t.TempDir() // a /proc that shows nobody
	if start, runs := processIn(hidden, cmd.Process.Pid); start != "" || !runs {
		t.Errorf("a child that waits and is hidden: start %q, runs %t", start, runs)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, runs := Process(cmd.Process.Pid); runs {
		t.Error("a child that has ended runs")
	}
	if _, runs := processIn(hidden, cmd.Process.Pid); runs {
		t.Error("a child that has ended runs where it is hidden")
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	h := Holder{Host: "night-2", PID: 4242, Since: at}
	for want, err := range map[string]interface {
		error
		ExitCode() int
	}{
		"another run holds the lab a: process 4242 on night-2, since 2026-11-23 12:00:00; wait for it: labrun wait LAB; or watch it: labrun status LAB --follow": &Held{Lab: "a", Holder: h},
		"another run holds the lab a: process 4242 on night-2, since 2026-11-23 12:00:00, by Lease labrun/lab-a on https://hub:6443; " +
			"if that run is dead, the lab is free at 12:01:00; wait for it, or watch it where it runs, with its state folder: labrun status": &Held{Lab: "a", Holder: h, Where: "Lease labrun/lab-a on https://hub:6443", Until: at.Add(time.Minute)},
		`another run holds the lab a: Lease l names "x", which is no labrun that this one knows; the lab is free at 12:01:00 unless that is renewed`:             &Held{Lab: "a", Where: "Lease l", Stranger: "x", Until: at.Add(time.Minute)},
		"this run does not hold the lab a any more: process 4242 on night-2 took it over by Lease l at 12:00:00; see that its run ends before you begin another": &Lost{Lab: "a", Where: "Lease l", Taker: h},
		"this run does not hold the lab a any more: Lease l could not be renewed before it expired: refused; run the same command once the server answers":       &Lost{Lab: "a", Where: "Lease l", Cause: exec.ErrDot},
	} {
		want = strings.Replace(want, ": refused;", ": "+exec.ErrDot.Error()+";", 1)
		if err.Error() != want || err.ExitCode() != 4 {
			t.Errorf("exit code %d\n got %s\nwant %s", err.ExitCode(), err, want)
		}
	}
}
