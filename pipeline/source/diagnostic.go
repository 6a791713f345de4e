package source

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Diagnostic is one finding about a file.
type Diagnostic struct {
	Pos     Position
	Width   int    // characters under the caret, at least 1
	Message string // lower case, without position
	Hint    string // what was meant, or what to do; may be empty
	// Related are further places, "first defined here".
	Related []Related
	// Private says that the line may hold a secret: it is not shown.
	Private bool
}

// Related is a further place of a diagnostic.
type Related struct {
	Pos     Position
	Message string
}

// Diagnostics are the findings of a load, in the order of their places. As an
// error they hold at least one.
type Diagnostics []Diagnostic

// Sort puts the findings in the order of their places and drops repeated ones.
func (d Diagnostics) Sort() Diagnostics {
	sort.SliceStable(d, func(i, j int) bool {
		a, b := d[i].Pos, d[j].Pos
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	kept := d[:0]
	for i, x := range d {
		if i > 0 && x.Pos == d[i-1].Pos && x.Message == d[i-1].Message {
			continue
		}
		kept = append(kept, x)
	}
	return kept
}

// Error gives a line a finding, without the source.
func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i, x := range d {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Error is path:line:column: message.
func (d Diagnostic) Error() string { return d.Pos.String() + ": " + d.Message }

// Render writes each finding as path:line:column: message, its source line with
// a caret, its further places and its hint.
func (d Diagnostics) Render(w io.Writer, files *Files) error {
	var b strings.Builder
	for _, x := range d {
		x.render(&b, files)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Diagnostic) render(b *strings.Builder, files *Files) {
	fmt.Fprintf(b, "%s\n", d.Error())
	if line, ok := files.Line(d.Pos.File, d.Pos.Line); ok && !d.Private {
		shown, caret := snippet(line, d.Pos.Column, d.Width)
		fmt.Fprintf(b, "%5d | %s\n      | %s\n", d.Pos.Line, shown, caret)
	}
	for _, r := range d.Related {
		fmt.Fprintf(b, "   %s: %s\n", r.Pos, r.Message)
	}
	if d.Hint != "" {
		fmt.Fprintf(b, "   %s\n", d.Hint)
	}
}

// maxShown is how many characters of a line are shown.
const maxShown = 160

// snippet gives a source line as it is shown, and the line with its caret. Tabs
// stand in both; a wide character is two blanks wide.
func snippet(line string, column, wide int) (shown, caret string) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	wide = max(wide, 1)
	prefix := ""
	if len(runes) > maxShown {
		from := max(0, min(at-maxShown/2, len(runes)-maxShown))
		to := min(from+maxShown, len(runes))
		runes, at = runes[from:to], at-from
		if from > 0 {
			prefix = "…"
		}
	}
	var pad strings.Builder
	pad.WriteString(strings.Repeat(" ", len([]rune(prefix))))
	for i, r := range runes {
		if r < ' ' && r != '\t' || r == 0x7f || r == unicode.ReplacementChar {
			runes[i] = '?'
		}
		switch {
		case i >= at:
		case r == '\t':
			pad.WriteByte('\t')
		default:
			pad.WriteString(strings.Repeat(" ", cells(r)))
		}
	}
	under := 0
	for i := at; i < at+wide && i < len(runes); i++ {
		under += cells(runes[i])
	}
	return prefix + string(runes), pad.String() + "^" + strings.Repeat("~", max(under-1, 0))
}

// cells is how many columns of a terminal a character takes.
func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}
