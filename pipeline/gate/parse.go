package gate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Bounds of one expression: far above what anybody writes, far below what the
// parser's recursion could not bear.
const (
	maxText  = 32 << 10 // bytes
	maxDepth = 200      // of brackets
	maxNodes = 5000
)

// parse reads an expression, without its types. config may be nil.
func parse(text string, config *conf.Config) (tree *parser.Tree, failed *Error) {
	defer func() {
		if r := recover(); r != nil {
			tree, failed = nil, whole(text, "cannot be read as an expression", "")
		}
	}()
	if strings.TrimSpace(text) == "" {
		return nil, whole(text, "an expression is missing", "")
	}
	if len(text) > maxText {
		return nil, at(text, 0, 1, fmt.Sprintf("an expression of %d bytes is too long: at most %d", len(text), maxText), "")
	}
	if from := tooDeep(text); from >= 0 {
		return nil, at(text, from, 1, fmt.Sprintf("brackets stand more than %d deep", maxDepth), "")
	}
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, syntaxError(text, err)
	}
	return tree, nil
}

// tooDeep gives the place of the bracket that goes too deep, -1 for none.
func tooDeep(text string) int {
	depth, place := 0, 0
	for _, r := range text {
		switch r {
		case '(', '[', '{':
			if depth++; depth > maxDepth {
				return place
			}
		case ')', ']', '}':
			depth--
		}
		place++
	}
	return -1
}

// at makes an error at a place, kept inside the text.
func at(text string, from, width int, message, hint string) *Error {
	length := utf8.RuneCountInString(text)
	from = max(0, min(from, length-1))
	width = max(1, min(width, length-from))
	return &Error{From: from, Width: width, Message: message, Hint: hint}
}

func whole(text, message, hint string) *Error {
	return at(text, 0, utf8.RuneCountInString(text), message, hint)
}

func atLocation(text string, l file.Location, message, hint string) *Error {
	return at(text, l.From, l.To-l.From, message, hint)
}

// quoteIt is the hint at what begins like a number and is none.
const quoteIt = "addresses, versions and sizes are strings: put them in quotes"

var (
	isNumber        = regexp.MustCompile(`^\.?[0-9][0-9.]*$`)
	unexpectedToken = regexp.MustCompile(`unexpected token (\w+)(?:\("((?s).*)"\))?`)
	unknownRune     = regexp.MustCompile(`unrecognized character: U\+[0-9A-F]+ '(.+)'`)
)

// syntaxError says in the user's words what the parser refused.
func syntaxError(text string, err error) *Error {
	var e *file.Error
	if !errors.As(err, &e) {
		return whole(text, "cannot be read as an expression", "")
	}
	message, hint := e.Message, ""
	length := utf8.RuneCountInString(text)
	if m := unexpectedToken.FindStringSubmatch(message); m != nil {
		if m[1] == "EOF" || e.From >= length {
			return at(text, length-1, 1, "the expression ends too early", "")
		}
		message, hint = unexpected(text, e, m[2])
	}
	switch {
	case strings.HasPrefix(message, "unexpected end of expression"):
		message = "the expression ends too early"
	case strings.HasPrefix(message, "literal not terminated"):
		message, hint = "a quote is not closed", ""
	case strings.HasPrefix(message, "invalid char escape"):
		message, hint = "an unknown escape: after \\ stands one of n, t, r, \\, a quote, x41 or u0041", "`in backquotes` nothing is an escape"
	case strings.HasPrefix(message, "unclosed comment"):
		message = "a comment /* is not closed"
	case strings.HasPrefix(message, "bad number syntax"):
		message = "not a number"
		hint = quoteIt
	case strings.HasPrefix(message, "expected name"):
		message = "after a dot stands a name"
	case strings.HasPrefix(message, "Operator ("):
		message = "?? does not stand beside another operator without brackets"
		hint = "(a ?? b) == c"
	case strings.Contains(message, "maximum allowed nodes"):
		message = fmt.Sprintf("the expression is too large: at most %d parts", maxNodes)
	}
	if m := unknownRune.FindStringSubmatch(message); m != nil {
		message, hint = fmt.Sprintf("%s has no meaning here", m[1]), hintOfRune(m[1])
	}
	return atLocation(text, e.Location, message, hint)
}

func unexpected(text string, e *file.Error, token string) (message, hint string) {
	runes := []rune(text)
	written := token
	if e.From >= 0 && e.To <= len(runes) && e.From < e.To {
		written = string(runes[e.From:e.To])
	}
	switch token {
	case "=":
		hint = "two values are compared with =="
	case "&":
		hint = "both must hold: &&"
	case "|", "||":
		hint = "one must hold: ||"
	case "AND", "And":
		hint = "write && or and"
	case "OR", "Or":
		hint = "write || or or"
	case "NOT", "Not":
		hint = "write ! or not"
	case "is", "eq", "equals":
		hint = "two values are compared with =="
	case "{":
		if e.From > 0 && runes[e.From-1] == '$' {
			hint = "within an expression there is no ${{ }}"
		}
	case ".":
		hint = "a member of an item, .name, stands within filter(), map(), any(), all() and the like"
	case "::":
		hint = quoteIt
	}
	if isNumber.MatchString(token) {
		hint = quoteIt
	}
	return fmt.Sprintf("%s is not expected here", written), hint
}

func hintOfRune(r string) string {
	switch r {
	case "$":
		return "within an expression there is no ${{ }}"
	case "“", "”", "‘", "’", "„":
		return "quotes are ' or \""
	case "–", "—":
		return "a minus is -"
	}
	return ""
}
