package main

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

// Every type of event is described and has an example, and the examples are a
// stream that labrun reads.
func TestEventsPage(t *testing.T) {
	page, err := eventsPage()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), eventSource, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, c := range eventTypes(file) {
		types = append(types, c.name)
		if c.carries == "" {
			t.Errorf("%s does not say what it carries", c.name)
		}
	}
	var stream bytes.Buffer
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, `{"seq":`) {
			stream.WriteString(line)
		}
	}
	lines := strings.SplitAfter(strings.TrimSpace(stream.String())+"\n", "\n")
	slices.SortFunc(lines, func(a, b string) int { return seqOf(a) - seqOf(b) })
	var told []string
	for e, err := range event.Read(strings.NewReader(strings.Join(lines, ""))) {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, string(e.Type))
	}
	slices.Sort(types)
	slices.Sort(told)
	if len(types) < 10 || !slices.Equal(types, told) {
		t.Errorf("types %v, examples of %v", types, told)
	}
	for name, d := range structsOf(file) {
		for _, row := range d.fields {
			if !strings.Contains(string(page), "| "+row[0]+" | ") {
				t.Errorf("%s.%s is not on the page", name, row[0])
			}
			if row[3] == "" && name != "Event" {
				t.Errorf("%s.%s has no comment that says what it is", name, row[0])
			}
		}
	}
}

func seqOf(line string) int {
	var e struct{ Seq int }
	if json.Unmarshal([]byte(line), &e) != nil {
		return 1 << 30 // the rest behind the last line
	}
	return e.Seq
}
