package source

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest gives the one of names that was most likely meant by name: at a
// distance of at most 2, or of a third of its length, where case, hyphens and
// underscores count nothing. It gives "" for none.
func Nearest(name string, names []string) string {
	length := utf8.RuneCountInString(name)
	limit := min(max(2, length/3), length-1)
	best := ""
	for _, candidate := range names {
		difference := utf8.RuneCountInString(candidate) - length
		if difference > limit || -difference > limit {
			continue
		}
		d := levenshtein.ComputeDistance(plain(name), plain(candidate))
		if d < limit || d == limit && (best == "" || candidate < best) {
			limit, best = d, candidate
		}
	}
	return best
}

func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// DidYouMean is the hint that names the nearest of names, "" for none.
func DidYouMean(name string, names []string) string {
	if near := Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}
