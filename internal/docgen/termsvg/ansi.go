package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// style is how a text is set.
type style struct {
	colour            string // a name of the palette; "" for the terminal's own
	bold, dim, italic bool
}

// run is a text of one style, at a column of its line.
type run struct {
	column int
	text   string
	style  style
}

var escape = regexp.MustCompile(`\x1b\[([0-9;:?]*)([A-Za-z])|\x1b[()].|\x1b[=>]|\r`)

// parse gives the runs of each line, without the empty lines at the end. Escape
// sequences other than those of style are left out.
func parse(text string) [][]run {
	var lines [][]run
	var now style
	for _, line := range strings.Split(text, "\n") {
		var runs []run
		column := 0
		add := func(s string) {
			if s == "" {
				return
			}
			if strings.TrimSpace(s) != "" {
				lead := len(s) - len(strings.TrimLeft(s, " "))
				runs = append(runs, run{column + lead, strings.TrimSpace(s), now})
			}
			column += utf8.RuneCountInString(s)
		}
		at := 0
		for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
			add(line[at:m[0]])
			if m[4] >= 0 && line[m[4]:m[5]] == "m" {
				now = now.with(line[m[2]:m[3]])
			}
			at = m[1]
		}
		add(line[at:])
		lines = append(lines, runs)
	}
	for len(lines) > 0 && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// with is the style after a sequence of SGR parameters.
func (s style) with(parameters string) style {
	for _, p := range strings.Split(parameters, ";") {
		n, err := strconv.Atoi(p)
		switch {
		case p == "" || n == 0 && err == nil:
			s = style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.dim = true
		case n == 3:
			s.italic = true
		case n == 22:
			s.bold, s.dim = false, false
		case n == 23:
			s.italic = false
		case n == 39:
			s.colour = ""
		case n >= 30 && n <= 37:
			s.colour = names()[n-30]
		case n >= 90 && n <= 97:
			s.colour = "bright-" + names()[n-90]
		}
	}
	return s
}

// names are the eight colours of a terminal, in the order of their numbers.
func names() []string {
	return []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}
}
