package source

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// syntaxError tells the parser's error in words of the file's author, with a
// hint where an expression is the likely cause.
func syntaxError(t *text, tokens token.Tokens, err error) Diagnostic {
	d := Diagnostic{Pos: Position{File: t.name, Line: 1, Column: 1}, Width: 1}
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		d.Message = err.Error() // of a syntax error it takes seconds: it shows the source, in colours
		return d
	}
	tk := syntax.Token
	d.Pos, d.Width, d.Message = t.position(tk), firstLineWidth(tk), syntax.Message
	line := t.line(d.Pos.Line)
	if tag := tagOnLine(tokens, tk); tag != nil {
		d.Pos, d.Width = t.position(tag), firstLineWidth(tag)
		d.Message, d.Hint = tagMessage(tag.Value), tagHint(tag.Value)
		return d
	}
	switch {
	case afterDollar(line, d.Pos.Column):
		d.Pos.Column, d.Width = d.Pos.Column-1, 3
		d.Message = "an expression inside { } or [ ] needs quotes"
		d.Hint = `write {name: "${{ … }}"}`
	case longQuote(tokens, tk) != nil:
		quote := longQuote(tokens, tk)
		d.Message, d.Hint = fmt.Sprintf("the text in quotes that begins here ends in line %d only", d.Pos.Line), "close the quote in its own line"
		d.Pos, d.Width = t.position(quote), firstLineWidth(quote)
	case strings.Contains(syntax.Message, "must be specified") && openBracket(tokens, tk) != nil:
		open := openBracket(tokens, tk)
		d.Related = []Related{{d.Pos, "another line begins here instead"}}
		d.Pos, d.Width = t.position(open), 1
		d.Message, d.Hint = fmt.Sprintf("the %s that stands here is not closed", open.Value), "close it, or put a text that holds [ ] { } or , in quotes"
	case strings.Contains(syntax.Message, "must be specified"):
		d.Hint = "put a text that holds [ ] { } or , in quotes"
	case strings.Contains(syntax.Message, "mapping value is not allowed"):
		if colon := colonAfter(tokens, tk); colon != nil {
			d.Pos, d.Width = t.position(colon), 1
		}
		d.Message = `": " begins a mapping, and none may begin here`
		d.Hint = "mend the indentation, or put a text that holds \": \" in quotes"
	case strings.Contains(syntax.Message, "value is not allowed in this context"), strings.Contains(syntax.Message, "non-map value"):
		misplaced(&d, line)
	case strings.Contains(syntax.Message, "tab character"), strings.Contains(syntax.Message, "found character '\t'"):
		before, _, _ := strings.Cut(line, "\t")
		d.Pos.Column, d.Width = len([]rune(before))+1, 1
		d.Message, d.Hint = "a tab may not stand before a key", "write a blank"
		if strings.TrimSpace(before) == "" {
			d.Message, d.Hint = "a tab indents this line", "indent with blanks"
		}
	case strings.Contains(syntax.Message, "could not find end character"):
		d.Message = "the closing quote is missing"
	case strings.Contains(syntax.Message, "reserved character"):
		d.Hint = "put the text in quotes"
	case strings.Contains(syntax.Message, "directive"):
		d.Message, d.Hint = "a text must not begin with %", "put it in quotes"
	}
	return d
}

// afterDollar says whether the { of ${{ stands at a column.
func afterDollar(line string, column int) bool {
	runes := []rune(line)
	return column >= 2 && column < len(runes) && runes[column-2] == '$' && runes[column-1] == '{'
}

// tagOnLine gives the tag before an error on its line.
func tagOnLine(tokens token.Tokens, at *token.Token) *token.Token {
	for _, tk := range tokens {
		if tk.Type == token.TagType && tk.Position.Line == at.Position.Line && tk.Position.Column <= at.Position.Column {
			return tk
		}
		if tk.Position.Line > at.Position.Line {
			break
		}
	}
	return nil
}

// colonAfter gives the colon that the parser stumbled over: the second of two
// in one value.
func colonAfter(tokens token.Tokens, at *token.Token) *token.Token {
	for i, tk := range tokens {
		if tk != at && (tk.Position.Line != at.Position.Line || tk.Position.Column != at.Position.Column || tk.Type != at.Type) {
			continue
		}
		for _, next := range tokens[i:] {
			if next.Type == token.MappingValueType {
				return next
			}
		}
	}
	return nil
}

func tagMessage(tag string) string {
	return "YAML reads " + strings.TrimSuffix(tag, ":") + " as a tag, and a file has none"
}

func tagHint(tag string) string {
	if strings.HasPrefix(tag, "!!") {
		return "leave the tag out, and quote a text that looks like a number"
	}
	return `put an expression that begins with ! in quotes: "!lab.disconnected"`
}
