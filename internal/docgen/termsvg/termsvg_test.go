package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got := parse("\x1b[1mcheck\x1b[0m    \x1b[32m✓\x1b[39m hub_info  \x1b[2m0.4s\x1b[22m\r\n\n\x1b[?25h  <a>\n\n")
	want := [][]run{
		{{0, "check", style{bold: true}}, {9, "✓", style{colour: "green"}}, {11, "hub_info", style{}}, {21, "0.4s", style{dim: true}}},
		nil,
		{{2, "<a>", style{}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestDraw(t *testing.T) {
	svg := draw("labrun lab.yaml --kubeconfig <k>", 80, parse("\x1b[31m✗\x1b[0m a < b"))
	for _, want := range []string{">✗</text>", `fill="#ff6b6b"`, "&lt; b</text>", "--kubeconfig &lt;k&gt;</text>", `x="20.0" y="57"`} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("%s is not in\n%s", want, svg)
		}
	}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("it is no XML: %v\n%s", err, svg)
		}
	}
}
