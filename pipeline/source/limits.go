package source

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// frame is one open mapping or sequence while the tokens are counted.
type frame struct {
	column int // of its keys; 0 for a flow one
	keys   int
	items  int
}

// checkTokens bounds depth and keys before the parser sees the tokens, and
// refuses a second document.
func checkTokens(t *text, tokens token.Tokens) Diagnostics {
	var (
		frames           []frame
		content, closed  bool
		directives, head bool
	)
	refuse := func(tk *token.Token, message, hint string) Diagnostics {
		return Diagnostics{{Pos: t.position(tk), Width: 1, Message: message, Hint: hint}}
	}
	for i, tk := range tokens {
		switch tk.Type {
		case token.CommentType:
			continue
		case token.DirectiveType:
			directives = true
		case token.DocumentHeaderType:
			if head || content && !directives {
				return refuse(tk, "a second document begins here", "a file holds one document")
			}
			head = true
			continue
		case token.DocumentEndType:
			closed = true
			continue
		case token.SequenceStartType, token.MappingStartType:
			frames = append(frames, frame{})
		case token.SequenceEndType, token.MappingEndType:
			if len(frames) > 0 && frames[len(frames)-1].column == 0 {
				frames = frames[:len(frames)-1]
			}
		case token.SequenceEntryType:
			frames = enter(frames, tk.Position.Column)
			top := &frames[len(frames)-1]
			if top.items++; top.items > maxItems {
				return refuse(tk, fmt.Sprintf("a list has more than %d items", maxItems), "")
			}
		case token.CollectEntryType:
			if len(frames) > 0 {
				top := &frames[len(frames)-1]
				if top.items++; top.items > maxItems {
					return refuse(tk, fmt.Sprintf("a list has more than %d items", maxItems), "")
				}
			}
		case token.DoubleQuoteType:
			if strings.Contains(strings.TrimLeft(tk.Origin, " \t\n"), "\t") { // the lexer loses what follows it
				d := refuse(tk, "a tab stands in this text", `write \t in its place`)
				d[0].Width = firstLineWidth(tk)
				return d
			}
		case token.MappingValueType:
			column := tk.Position.Column
			if i > 0 && tokens[i-1].Position.Line == tk.Position.Line {
				column = tokens[i-1].Position.Column
			}
			frames = enter(frames, column)
			top := &frames[len(frames)-1]
			top.keys++
			if top.keys > maxKeys {
				return refuse(tk, fmt.Sprintf("a mapping has more than %d keys", maxKeys), "")
			}
		}
		if closed {
			return refuse(tk, "a second document begins here", "a file holds one document")
		}
		content = true
		if len(frames) > maxDepth {
			return refuse(tk, fmt.Sprintf("lists and mappings are nested more than %d deep", maxDepth), "")
		}
	}
	return nil
}

// enter opens or continues the block collection at a column; within a flow one
// it changes nothing.
func enter(frames []frame, column int) []frame {
	for n := len(frames); n > 0 && frames[n-1].column > column; n = len(frames) {
		frames = frames[:n-1]
	}
	if n := len(frames); n > 0 && (frames[n-1].column == 0 || frames[n-1].column == column) {
		return frames
	}
	return append(frames, frame{column: column})
}
