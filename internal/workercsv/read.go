// Package workercsv reads the workers of a lab from a CSV file, such as a
// spreadsheet or an inventory exports. Whatever it does not understand it tells
// with line and column, all at once, and guesses nothing. What stands in a cell is
// never told: where columns are mixed up, any cell may hold a password.
package workercsv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
)

// Read gives the workers of a CSV file, or what is wrong with it. Cells are
// separated by commas, semicolons or tabs; the first line names the columns.
func Read(file string, data []byte) ([]labs.ExampleWorker, source.Diagnostics) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := &reader{file: file, lines: strings.Split(string(data), "\n"), seen: map[string]source.Position{}}
	if at := notText(data); at >= 0 {
		line := bytes.Count(data[:at], []byte("\n")) + 1
		r.fail(r.place(line, at-bytes.LastIndexByte(data[:at], '\n')), "save it as CSV in UTF-8", "this is no text in UTF-8")
		return nil, r.found
	}
	records := r.records(data)
	if len(records) == 0 {
		r.fail(r.place(1, 1), headingHint, "there is no line that names the columns")
		return nil, r.found.Sort()
	}
	var workers []labs.ExampleWorker
	if r.head(records[0]) {
		for _, cells := range records[1:] {
			workers = append(workers, r.worker(cells))
		}
		if len(workers) == 0 && len(r.found) == 0 {
			r.fail(records[0][0].at, "a line for each", "there is no worker below the first line")
		}
	}
	if len(r.found) > 0 {
		return nil, r.found.Sort()
	}
	return workers, nil
}

// notText is where data ceases to be UTF-8, -1 where it is.
func notText(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 || r == 0 {
			return at
		}
		at += size
	}
	return -1
}

// reader reads one file.
type reader struct {
	file    string
	lines   []string
	columns []column                   // by their place in a line
	seen    map[string]source.Position // what no two workers share, with its column's name
	found   source.Diagnostics
}

// cell is one cell without the white space around it.
type cell struct {
	text string
	at   source.Position
}

func (r *reader) fail(at source.Position, hint, format string, args ...any) {
	r.found = append(r.found, source.Diagnostic{Pos: at, Message: fmt.Sprintf(format, args...), Hint: hint, Private: true})
}

// place makes of a column in bytes, from 1, one in characters.
func (r *reader) place(line, column int) source.Position {
	text := ""
	if line <= len(r.lines) {
		text = r.lines[line-1]
	}
	before := text[:min(max(column-1, 0), len(text))]
	return source.Position{File: r.file, Line: line, Column: utf8.RuneCountInString(before) + 1}
}

// records are the lines that hold anything; those that begin with # do not count.
func (r *reader) records(data []byte) [][]cell {
	in := csv.NewReader(bytes.NewReader(data))
	in.Comma = r.separator()
	in.Comment = '#'
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = in.Comma != '\t' // it would take the tabs of empty cells
	var all [][]cell
	for {
		fields, err := in.Read()
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			r.fail(r.place(bad.Line, bad.Column), `a cell with quotes in it is written "a ""quoted"" cell"`, "a quote stands where none can")
			continue
		case err != nil: // the end: there is no other error of a text in memory
			return all
		}
		cells, blank := make([]cell, len(fields)), true
		for i, text := range fields {
			cells[i] = cell{strings.TrimSpace(text), r.place(in.FieldPos(i))}
			blank = blank && cells[i].text == ""
		}
		if !blank {
			all = append(all, cells)
		}
	}
}

// separator is what stands most in the line that names the columns.
func (r *reader) separator() rune {
	for _, line := range r.lines {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		best := ','
		for _, other := range ";\t" {
			if strings.Count(line, string(other)) > strings.Count(line, string(best)) {
				best = other
			}
		}
		return best
	}
	return ','
}

// worker reads one line.
func (r *reader) worker(cells []cell) labs.ExampleWorker {
	w := labs.ExampleWorker{Password: labs.ExampleSecret{Kind: "env", Name: "BMC_PASSWORD"}}
	for i, c := range cells {
		switch {
		case i >= len(r.columns) && c.text != "":
			r.fail(c.at, "quotes hold a cell together that has the separator in it", "the first line names no column for this cell")
		case i >= len(r.columns) || r.columns[i].read == nil:
		case strings.ContainsFunc(c.text, unicode.IsControl):
			r.fail(c.at, "", "%s: there is a line break or another control character in it", r.columns[i].name)
		default:
			r.read(&w, r.columns[i], c)
		}
	}
	for i := len(cells); i < len(r.columns); i++ {
		if r.columns[i].required {
			r.fail(cells[len(cells)-1].at, "", "%s: the line ends before it", r.columns[i].name)
		}
	}
	return w
}

func (r *reader) read(w *labs.ExampleWorker, col column, c cell) {
	if c.text == "" {
		if col.required {
			r.fail(c.at, "", "%s: it is empty", col.name)
		}
		return
	}
	value, wrong := col.read(w, c.text)
	if wrong.what != "" {
		r.fail(c.at, wrong.hint, "%s: %s", col.name, wrong.what)
		return
	}
	if !col.unique {
		return
	}
	key := col.name + " " + value
	if first, again := r.seen[key]; again {
		r.fail(c.at, "", "%s: it is the same as in line %d", col.name, first.Line)
		return
	}
	r.seen[key] = c.at
}
