package holder

import (
	"cmp"
	"fmt"
	"time"
)

// Claim is what stands written where a lab is held beyond one machine.
type Claim struct {
	Holder  Holder
	Unknown bool      // the holder is no labrun, or cannot be read
	Renewed time.Time // when the holder last said that it lives
	Lasts   time.Duration
}

// Expires is when the claim ends unless it is renewed.
func (c Claim) Expires() time.Time { return c.Renewed.Add(c.Lasts) }

// Judge says whether a claim still binds.
type Judge struct {
	Self    Holder
	Process func(pid int) (start string, runs bool) // of this machine, no start where it is not told; Process, but for tests
}

// Free says whether the lab may be taken although somebody claims it, and why. On
// the kernel that both run on, it is looked whether the process is still there;
// a machine that was started again holds nothing from before. Everybody else, and
// a process that cannot be seen, is believed until the claim expires.
func (j Judge) Free(c Claim, now time.Time) (why string, free bool) {
	h := c.Holder
	switch {
	case !c.Unknown && h.Is(j.Self):
		return "it is this very process", true
	case !now.Before(c.Expires()):
		return fmt.Sprintf("the claim was last renewed at %s and has expired", c.Renewed.UTC().Format(time.RFC3339)), true
	case c.Unknown || h.Boot == "" || j.Self.Boot == "":
		return "", false
	case h.Boot != j.Self.Boot:
		if h.Host == j.Self.Host && h.Machine == j.Self.Machine && h.Machine != "" {
			return h.Host + " was started again since", true
		}
		return "", false
	case !j.near(h):
		return "", false // a container's process: from here nobody can tell
	}
	start, runs := j.Process(h.PID)
	switch {
	case !runs:
		return h.String() + " has ended", true
	case start != "" && h.Start != "" && start != h.Start:
		return h.String() + " has ended, its number is another process's", true
	}
	return "", false
}

// near says whether a holder's number counts here.
func (j Judge) near(h Holder) bool {
	return h.Boot != "" && h.Boot == j.Self.Boot && h.PIDs == j.Self.PIDs
}

// Sees says whether a holder's process is seen to live from here, and so its end
// would be.
func (j Judge) Sees(h Holder) bool {
	if !j.near(h) || h.Start == "" {
		return false
	}
	start, runs := j.Process(h.PID)
	return runs && start == h.Start
}

// Held is the error of a lab that another process holds.
type Held struct {
	Lab      string
	Typed    string    // the lab as it stands on a command line, "" for its name in capitals
	Holder   Holder    // zero where it has only just begun
	Where    string    // what says so: Lease labrun/lab-x on …; "" for the lock of this machine
	Until    time.Time // when the claim ends unless it is renewed; zero where the holder is seen to live
	Stranger string    // what stands there instead of a Holder that labrun can read
}

// Error names the holder and since when, and says what to do.
func (h *Held) Error() string {
	text := "another run holds the lab " + h.Lab
	switch {
	case h.Stranger != "":
		return fmt.Sprintf("%s: %s names %q, which is no labrun that this one knows; the lab is free at %s unless that is renewed",
			text, h.Where, h.Stranger, clock(h.Until))
	case h.Holder.PID == 0:
		return text + "; it has only just begun: " + h.watch()
	}
	text += fmt.Sprintf(": %s, since %s", h.Holder, h.Holder.Since.Local().Format("2006-01-02 15:04:05"))
	if h.Where == "" {
		return text + "; " + h.watch()
	}
	text += ", by " + h.Where
	if !h.Until.IsZero() {
		text += "; if that run is dead, the lab is free at " + clock(h.Until)
	}
	return text + "; wait for it, or watch it where it runs, with its state folder: labrun status"
}

// watch says how to wait for a run of this machine.
func (h *Held) watch() string {
	typed := cmp.Or(h.Typed, "LAB")
	return "wait for it: labrun wait " + typed + "; or watch it: labrun status " + typed + " --follow"
}

// ExitCode is the class of this error in labrun's table of exit codes.
func (h *Held) ExitCode() int { return 4 }

// Lost is the end of a run that held its lab and does not any more.
type Lost struct {
	Lab   string
	Where string
	Taker Holder // who holds it now; zero where nobody is known to
	Cause error  // why it could not be kept; may be nil
}

// Error says what happened and what to do.
func (l *Lost) Error() string {
	text := fmt.Sprintf("this run does not hold the lab %s any more", l.Lab)
	switch {
	case l.Taker.PID != 0:
		text += fmt.Sprintf(": %s took it over by %s at %s; see that its run ends before you begin another", l.Taker, l.Where, clock(l.Taker.Since))
	case l.Cause != nil:
		text += fmt.Sprintf(": %s could not be renewed before it expired: %v; run the same command once the server answers", l.Where, l.Cause)
	}
	return text
}

// Unwrap gives the cause.
func (l *Lost) Unwrap() error { return l.Cause }

// ExitCode is the same as that of a lab that another run holds: one may.
func (l *Lost) ExitCode() int { return 4 }

func clock(t time.Time) string { return t.Local().Format("15:04:05") }
