// Package weak says which secrets cannot be masked without harm: a text that
// stands in every second line for other reasons would leave nothing to read, and
// its gaps would tell what it is.
package weak

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Shortest is the length in bytes from which a secret is looked for.
	Shortest = 6
	// digits is that of a secret of digits only: counts, ports and times have as many.
	digits = 12
	// patterned is that of a secret of one or two different characters, ------.
	patterned = 16
)

//go:embed words.txt
var words string

// Known is a text that stays readable, and the fact that it is.
type Known struct{ Path, Text string }

// Why says why a value is not masked where it stands in a text, "" where it is.
// The value itself does not stand in what it says.
func Why(value string, known []Known) string {
	value = strings.TrimSpace(value)
	if value == "" {
		return ""
	}
	if n := len(value); n < Shortest {
		return fmt.Sprintf("it has fewer than %d characters", Shortest)
	}
	if len(value) < digits && strings.Trim(value, "0123456789") == "" {
		return fmt.Sprintf("it is a number of fewer than %d digits", digits)
	}
	if len(value) < patterned && distinct(value) < 3 {
		return "it is one character or two, repeated"
	}
	lower := strings.ToLower(value)
	if common(lower) {
		return "it is a word that messages use"
	}
	for _, k := range known {
		switch text := strings.ToLower(k.Text); {
		case text == lower:
			return "it is the same as " + k.Path
		case strings.Contains(text, lower):
			return "it is a part of " + k.Path
		}
	}
	return ""
}

func distinct(value string) int {
	seen := map[rune]bool{}
	for _, r := range value {
		seen[r] = true
	}
	return len(seen)
}

// common says whether a text is a word of the list, whatever digits and signs
// follow it: password1, Redfish!.
func common(lower string) bool {
	if listed(lower) {
		return true
	}
	stem := strings.TrimRightFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	return utf8.RuneCountInString(lower)-utf8.RuneCountInString(stem) <= 1 && listed(stem)
}

func listed(word string) bool {
	return word != "" && !strings.ContainsAny(word, "\n#") && strings.Contains("\n"+words, "\n"+word+"\n")
}
