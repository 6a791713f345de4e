// Package holder says which process holds a lab, in words that other processes
// and machines can judge it by: whether it is still there, and so whether the lab
// is free. The lock on a machine and the Lease on a management cluster both name
// their holder so.
package holder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Holder is one process. A pid alone names nobody: it is given away again, each
// boot and each container counts from 1 anew, and machines share host names.
type Holder struct {
	Host    string    `json:"host"`
	Machine string    `json:"machine,omitempty"` // digest of /etc/machine-id; "" where it has none
	Boot    string    `json:"boot,omitempty"`    // id of the running kernel; "" where it has none
	PIDs    string    `json:"pids,omitempty"`    // the namespace that PID counts in
	PID     int       `json:"pid"`
	Start   string    `json:"start,omitempty"` // when it began, in clock ticks since the boot
	Since   time.Time `json:"since"`           // when it took the lab; not part of who it is
}

// Self is this process, which takes the lab now. What the machine does not tell
// stays empty: others then judge it as one of another host.
func Self(now time.Time) Holder {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "an-unnamed-host"
	}
	pids, _ := os.Readlink("/proc/self/ns/pid")
	start, _ := Process(os.Getpid())
	return Holder{Host: host, Machine: machine(read("/etc/machine-id")), Boot: read("/proc/sys/kernel/random/boot_id"),
		PIDs: pids, PID: os.Getpid(), Start: start, Since: now.UTC()}
}

// machine is a digest: the id itself is nobody's business.
func machine(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("labrun " + id))
	return hex.EncodeToString(sum[:6])
}

func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Process says when a process of this machine began, in clock ticks since the
// boot, and whether it runs: one that has ended and that nobody has asked about
// does not. start is empty for one that is there and that /proc does not show, of
// another user where it is mounted with hidepid: which process it is cannot be
// told. It is the Process of a Judge.
func Process(pid int) (start string, runs bool) { return processIn("/proc", pid) }

func processIn(proc string, pid int) (start string, runs bool) {
	if b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat")); err == nil {
		if start, runs = parseStat(b); start != "" {
			return start, runs
		}
	}
	return "", !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// parseStat reads state and start out of /proc/PID/stat. The second field is the
// program's name, which may hold blanks and parentheses.
func parseStat(b []byte) (start string, runs bool) {
	const state, began = 0, 19 // counted after the name
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) <= began {
		return "", false
	}
	return fields[began], fields[state] != "Z" && fields[state] != "X"
}

// Is says whether both are the same process.
func (h Holder) Is(o Holder) bool {
	h.Since, o.Since = time.Time{}, time.Time{}
	return h == o && h.PID != 0
}

// String names the process for people.
func (h Holder) String() string { return fmt.Sprintf("process %d on %s", h.PID, h.Host) }

// Identity writes who it is as one line of words, as a Lease holds it.
func (h Holder) Identity() string {
	var words []string
	for _, w := range []struct{ name, value string }{
		{"host", h.Host}, {"pid", strconv.Itoa(h.PID)}, {"start", h.Start}, {"boot", h.Boot}, {"pids", h.PIDs}, {"machine", h.Machine},
	} {
		if w.value != "" {
			words = append(words, w.name+"="+strings.Join(strings.Fields(w.value), "-"))
		}
	}
	return strings.Join(words, " ")
}

// Parse reads an Identity. Words that it does not know are left out; one without
// host and pid is some other program's, and ok is false.
func Parse(identity string) (h Holder, ok bool) {
	for _, word := range strings.Fields(identity) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "host":
			h.Host = value
		case "pid":
			h.PID, _ = strconv.Atoi(value)
		case "start":
			h.Start = value
		case "boot":
			h.Boot = value
		case "pids":
			h.PIDs = value
		case "machine":
			h.Machine = value
		}
	}
	return h, h.Host != "" && h.PID > 0
}
