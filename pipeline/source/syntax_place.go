package source

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// The parser stumbles where it can go on no longer, which may be far behind the
// mistake. What follows finds the place that is to be mended.

// longQuote gives the text in quotes that began on an earlier line and ends on
// the line of an error: its own closing quote is missing, and that of another
// text was taken for it.
func longQuote(tokens token.Tokens, at *token.Token) *token.Token {
	var last *token.Token
	for _, tk := range tokens {
		if tk.Position.Line > at.Position.Line {
			break
		}
		quoted := tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
		if quoted && tk.Position.Line < at.Position.Line && tk.Position.Line+strings.Count(strings.TrimSpace(tk.Origin), "\n") >= at.Position.Line {
			last = tk
		}
	}
	return last
}

// openBracket gives the [ or { before an error that nothing closes; nil where it
// stands on the error's own line, which shows it.
func openBracket(tokens token.Tokens, at *token.Token) *token.Token {
	var open []*token.Token
	for _, tk := range tokens {
		if tk == at || tk.Position.Line > at.Position.Line {
			break
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			open = append(open, tk)
		case token.SequenceEndType, token.MappingEndType:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 || open[len(open)-1].Position.Line == at.Position.Line {
		return nil
	}
	return open[len(open)-1]
}

// misplaced tells of a line that fits none above it.
func misplaced(d *Diagnostic, line string) {
	trimmed := strings.TrimSpace(line)
	name, value, colon := strings.Cut(trimmed, ":")
	switch {
	case strings.HasPrefix(trimmed, "-") && !strings.HasPrefix(trimmed, "- ") && trimmed != "-":
		d.Message, d.Hint = "this is no item of a list", "write a blank behind the -: - "+strings.TrimLeft(trimmed, "-")
	case colon && value != "" && value[0] != ' ' && !strings.ContainsAny(name, " \"'[{"):
		d.Message, d.Hint = "this is no key with a value", fmt.Sprintf("write a blank behind the colon: %s: %s", name, value)
	default:
		d.Message, d.Hint = "this line fits none of those above it", "mend its indentation, or that of the line above"
	}
}
