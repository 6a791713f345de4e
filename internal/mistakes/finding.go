package mistakes

import (
	"regexp"
	"strconv"
	"strings"
)

// Finding is one thing that labrun says is wrong.
type Finding struct {
	File         string
	Line, Column int // from 1; 0 for a file that cannot be read
	Message      string
	Hints        []string // what was meant, what to do, and further places
}

var (
	placed  = regexp.MustCompile(`^(\S+?):(\d+):(\d+): (.*)$`)
	unplace = regexp.MustCompile(`^(\S+\.yaml): (.*)$`)
	counted = regexp.MustCompile(`^\S+: \d+ mistakes?$`)
	snippet = regexp.MustCompile(`^ *\d* \| `)
)

// Findings reads them out of what validate says.
func Findings(text string) []Finding {
	var all []Finding
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case snippet.MatchString(line), counted.MatchString(line):
		case strings.HasPrefix(line, "   ") && len(all) > 0:
			last := &all[len(all)-1]
			last.Hints = append(last.Hints, strings.TrimSpace(line))
		default:
			if m := placed.FindStringSubmatch(line); m != nil {
				f := Finding{File: m[1], Message: m[4]}
				f.Line, _ = strconv.Atoi(m[2])
				f.Column, _ = strconv.Atoi(m[3])
				all = append(all, f)
			} else if m := unplace.FindStringSubmatch(line); m != nil {
				all = append(all, Finding{File: m[1], Message: m[2]})
			}
		}
	}
	return all
}
