package gate

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Hole is one ${{ expression }} within a value.
type Hole struct {
	From, Width int    // of all of it, in characters of the value
	Text        string // the expression, spaces around it included
	TextFrom    int    // where Text begins, in characters of the value
}

const (
	opening = "${{"
	closing = "}}"
)

// FindHoles finds the expressions in a value; $${{ is no hole but the text ${{.
// Where an expression ends is for expr's lexer to say: }} occurs in map literals
// and in strings, too.
func FindHoles(text string) ([]Hole, *Error) {
	var holes []Hole
	at := 0 // bytes
	for {
		i := strings.Index(text[at:], opening)
		if i < 0 {
			return holes, nil
		}
		start := at + i
		if start > at && text[start-1] == '$' {
			at = start + len(opening)
			continue
		}
		end, err := endOfHole(text, start)
		if err != nil {
			return nil, err
		}
		inner := text[start+len(opening) : end]
		from := utf8.RuneCountInString(text[:start])
		holes = append(holes, Hole{
			From: from, Width: len(opening) + utf8.RuneCountInString(inner) + len(closing),
			Text: inner, TextFrom: from + len(opening),
		})
		at = end + len(closing)
	}
}

// endOfHole gives the byte at which the }} of the hole that opens at start stands.
func endOfHole(text string, start int) (int, *Error) {
	inner := text[start+len(opening):]
	before := utf8.RuneCountInString(text[:start]) + len(opening)
	unclosed := at(text, before-len(opening), len(opening), "${{ is not closed: }} is missing", "")
	l := lexer.New()
	l.Reset(file.NewSource(inner))
	depth, last := 0, -1 // last: where a } at depth 0 stands, in characters
	for {
		token, err := l.Next()
		if errors.Is(err, io.EOF) || err == nil && token.Is(lexer.EOF) {
			return 0, unclosed
		}
		if err != nil {
			place, _ := locationOf(err)
			if !strings.Contains(inner, closing) {
				return 0, unclosed
			}
			e := syntaxError(inner, err)
			return 0, at(text, before+place.From, e.Width, e.Message, e.Hint)
		}
		switch {
		case token.Is(lexer.Bracket, "(", "[", "{"):
			depth++
		case token.Is(lexer.Bracket, "}") && depth == 0:
			if last >= 0 && token.From == last+1 {
				return start + len(opening) + byteOf(inner, last), nil
			}
			last = token.From
		case token.Is(lexer.Bracket, ")", "]", "}") && depth > 0:
			depth--
		}
	}
}

// byteOf gives the byte offset of a character.
func byteOf(s string, character int) int {
	n := 0
	for i := range s {
		if n == character {
			return i
		}
		n++
	}
	return len(s)
}

// IsWhole says whether a value is one expression and nothing else: it then keeps
// the type of its result. The line break that ends a block scalar counts nothing.
func IsWhole(text string, holes []Hole) bool {
	if len(holes) != 1 {
		return false
	}
	runes := []rune(text)
	before, after := string(runes[:holes[0].From]), string(runes[holes[0].From+holes[0].Width:])
	return before == "" && strings.Trim(after, "\n") == ""
}

// Fill writes results into the holes of a value, and ${{ for each $${{. A result
// is one that was compiled for Text; nothing (nil) writes nothing.
func Fill(text string, holes []Hole, results []any) string {
	var out strings.Builder
	runes := []rune(text)
	at := 0
	for i, h := range holes {
		out.WriteString(unescape(string(runes[at:h.From])))
		out.WriteString(format(results[i]))
		at = h.From + h.Width
	}
	out.WriteString(unescape(string(runes[at:])))
	return out.String()
}

func unescape(literal string) string { return strings.ReplaceAll(literal, "$"+opening, opening) }

func format(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}
