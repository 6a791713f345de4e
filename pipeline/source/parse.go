package source

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The limits of a file, beside MaxSize. The parser is quadratic in some of them.
const (
	maxDepth   = 100
	maxKeys    = 10_000  // of one mapping
	maxItems   = 20_000  // of one list
	maxAliased = 100_000 // nodes that aliases add
)

// Parse makes the tree of a YAML file. Everything wrong is told at once, but for
// a syntax error, of which there is one a file. An empty file is a Null node.
func Parse(name string, data []byte) (*Node, Diagnostics) {
	src := normalise(data)
	if found := checkBytes(name, data, src); found != nil {
		return nil, found
	}
	t := newText(name, src)
	tokens := lexer.Tokenize(src)
	if found := checkTokens(t, tokens); found != nil {
		return nil, found
	}
	file, err := parseTokens(tokens)
	if err != nil {
		return nil, Diagnostics{syntaxError(t, tokens, err)}
	}
	c := converter{text: t, anchors: map[string]*anchor{}}
	root := &Node{Kind: Null, Pos: Position{name, 1, 1}, Width: 1, text: t}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			root = c.node(doc.Body)
			break
		}
	}
	if len(c.found) > 0 {
		return nil, c.found.Sort()
	}
	return root, nil
}

// parseTokens turns a panic of the parser into an error: no file may end the
// program.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the file cannot be parsed")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// normalise drops a byte order mark and makes every line end \n: neither moves a
// line or a column.
func normalise(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if bytes.IndexByte(data, '\r') < 0 {
		return string(data)
	}
	s := strings.ReplaceAll(string(data), "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// checkBytes refuses what is no text: a file as it stands, and normalised.
func checkBytes(name string, data []byte, src string) Diagnostics {
	at := func(line, column int, message, hint string) Diagnostics {
		return Diagnostics{{Pos: Position{name, line, column}, Width: 1, Message: message, Hint: hint}}
	}
	if len(data) > MaxSize {
		return Diagnostics{{Pos: Position{File: name}, Message: fmt.Sprintf("is larger than %d MB", MaxSize>>20)}}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return at(1, 1, "the file is UTF-16", "save it as UTF-8")
	}
	line, column := 1, 1
	for rest := src; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return at(line, column, "the file is not valid UTF-8", "save it as UTF-8")
		case r == 0:
			return at(line, column, "the file holds a NUL character", "")
		case r < ' ' && r != '\n' && r != '\t' || r == 0x7f:
			return at(line, column, fmt.Sprintf("the file holds the control character %U", r), "")
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		rest = rest[size:]
	}
	return nil
}
