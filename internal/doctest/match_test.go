package doctest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What is shown below a command has to be what it prints, but for what differs
// from run to run: times, ports, digests and numbers of processes are wildcards,
// and runs of spaces are one. A line that is just "…" stands for any lines, and
// an "…" within a line for any text. Lines of a caret are compared as they are.

var (
	differs = []struct {
		pattern *regexp.Regexp
		with    string
	}{
		{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "UUID"},
		{regexp.MustCompile(`\b[0-9a-f]{12,64}\b`), "DIGEST"},
		{regexp.MustCompile(`(^|[^:\d])\d\d:\d\d:\d\d($|[^:\d])`), "${1}CLOCK$2"}, // no MAC address
		{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?m?s\b`), "TIME"},
		{regexp.MustCompile(`([^\d\s]):\d{4,5}\b`), "$1:PORT"},
		{regexp.MustCompile(`\.\.\d{4,5}\b`), "..PORT"},
		{regexp.MustCompile(`\bprocess \d+\b`), "process PID"},
		{regexp.MustCompile(`/home/\w+/|~/`), "HOME/"},
		{regexp.MustCompile(`\s+`), " "},
	}
	caretLine = regexp.MustCompile(`^[ |~^]*\^[ |~^]*$`)
	stepLine  = regexp.MustCompile(`^(?:[a-z]+ )?([✓✗–…⠸] .*)$`)
)

// settle takes out of a line what differs from run to run.
func settle(line string) string {
	line = strings.TrimRight(line, " ")
	if caretLine.MatchString(line) {
		return line
	}
	for _, d := range differs {
		line = d.pattern.ReplaceAllString(line, d.with)
	}
	return strings.TrimSpace(line)
}

// settleAll settles lines, without the empty ones at both ends.
func settleAll(lines []string) []string {
	var all []string
	for _, l := range lines {
		all = append(all, settle(l))
	}
	for len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	for len(all) > 0 && all[0] == "" {
		all = all[1:]
	}
	return all
}

// same says whether a shown line is a printed one.
func same(shown, printed string) bool {
	if !strings.Contains(shown, "…") {
		return shown == printed
	}
	var parts []string
	for _, p := range strings.Split(shown, "…") {
		parts = append(parts, regexp.QuoteMeta(strings.TrimSpace(p)))
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(printed)
}

// compare says what is wrong with what is shown, "" where it is right.
func compare(shown []string, printed string) string {
	want, got := settleAll(shown), settleAll(strings.Split(printed, "\n"))
	if len(want) == 0 {
		return ""
	}
	if slices.ContainsFunc(got, func(l string) bool { return stepLine.MatchString(l) }) {
		return compareRun(want, got)
	}
	return compareLines(want, got)
}

// compareLines compares in order.
func compareLines(want, got []string) string {
	at := 0
	for i, w := range want {
		if w == "…" {
			continue
		}
		free := i > 0 && want[i-1] == "…"
		from := at
		for at < len(got) && !same(w, got[at]) && free {
			at++
		}
		if at == len(got) || !same(w, got[at]) {
			return missing(w, got, from)
		}
		at++
	}
	if at < len(got) && want[len(want)-1] != "…" {
		return fmt.Sprintf("it prints more: %q", got[at])
	}
	return ""
}

// compareRun compares without order: steps run side by side, and the name of a
// phase stands before whichever comes first. Nothing may be left over, unless a
// line is "…".
func compareRun(want, got []string) string {
	left := slices.Clone(got)
	for i, l := range left {
		left[i] = stepLine.ReplaceAllString(l, "$1")
	}
	for _, w := range want {
		if w == "…" || w == "" {
			continue
		}
		w = stepLine.ReplaceAllString(w, "$1")
		at := slices.IndexFunc(left, func(g string) bool { return same(w, g) })
		if at < 0 {
			return missing(w, got, 0)
		}
		left = slices.Delete(left, at, at+1)
	}
	left = slices.DeleteFunc(left, func(l string) bool { return l == "" })
	if len(left) > 0 && !slices.Contains(want, "…") {
		return fmt.Sprintf("it prints more: %q", left[0])
	}
	return ""
}

func missing(line string, got []string, from int) string {
	return fmt.Sprintf("it does not print\n\t%s\nbut\n\t%s", line, strings.Join(got[from:], "\n\t"))
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, shown, printed string
		right                bool
	}{
		{"equal", "a\n b", "a\nb\n", true},
		{"other", "a", "b", false},
		{"more", "a", "a\nb", false},
		{"less", "a\nb", "a", false},
		{"left out in front", "…\nb", "x\ny\nb", true},
		{"left out in between", "a\n…\nd", "a\nb\nc\nd", true},
		{"left out at the end", "a\n…", "a\nb", true},
		{"not in order", "…\nb\n…\na", "a\nb", false},
		{"times and ports", "ready after 20.5s at [::1]:26869", "ready after 1m2.1s at [::1]:3333", true},
		{"a limit is told as it is", "of 30m", "of 20m", false},
		{"a position is told as it is", "x.yaml:7:17", "x.yaml:8:17", false},
		{"within a line", "1 ok · … · 3 failed", "1 ok · 2 changed · 3 failed", true},
		{"within a word", "Agent is re …  0.1s", "Agent is ready  3s", true},
		{"clock", "at 12:00:01", "at 13:14:15", true},
		{"a MAC address is no clock", "52:54:00:11:22:33", "52:54:01:11:22:33", false},
		{"home", "/home/you/.local/x", "~/.local/x", true},
		{"caret", "   |   ^~~", "   |  ^~~", false},
		{"order of a run", "hub      ✓ b  1.0s\n         ✓ a  0.1s", "hub   ✓ a  2ms\n      ✓ b  3s", true},
		{"a run prints more", "hub ✓ a 1s", "hub ✓ a 1s\n✗ b 1s", false},
		{"status of a step", "✓ a\n…", "✗ a\n✓ b", false},
	} {
		got := compare(strings.Split(c.shown, "\n"), c.printed)
		if (got == "") != c.right {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
