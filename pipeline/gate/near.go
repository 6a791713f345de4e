package gate

import (
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest gives the one of candidates that name was probably meant to be: at
// most two edits away, or a third of its length; "" where none is. Case, hyphens
// and underscores count nothing.
func Nearest(name string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		length := max(utf8.RuneCountInString(name), utf8.RuneCountInString(c))
		limit := max(2, length/3)
		if limit >= length {
			limit = length - 1
		}
		d := levenshtein.ComputeDistance(plain(name), plain(c))
		if d <= limit && c != name && (least < 0 || d < least) {
			best, least = c, d
		}
	}
	return best
}

func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

func didYouMean(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return `did you mean "` + n + `"?`
	}
	return ""
}
