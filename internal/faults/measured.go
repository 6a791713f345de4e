package faults

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Told is what labrun said of a fault, and when.
type Told struct {
	ID    string `json:"id"`
	Exit  int    `json:"exit"`
	Words string `json:"words"` // the lines about the fault
	Table string `json:"table"` // all that stood on stdout, where there was a table
	MS    int64  `json:"ms"`    // until labrun ended
}

//go:embed measured.json
var measured []byte

// Measured is what was told of each fault when it was last measured: go test ./internal/program -run TestFaults -update.
func Measured() (map[string]Told, error) {
	var all []Told
	if err := json.Unmarshal(measured, &all); err != nil {
		return nil, fmt.Errorf("reading what was measured of the faults: %w", err)
	}
	byID := map[string]Told{}
	for _, t := range all {
		byID[t.ID] = t
	}
	return byID, nil
}

var (
	port  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	times = regexp.MustCompile(`\b\d+(\.\d+)?m?s\b`)
)

// Same takes out of what labrun tells of a fault set up in dir what is another on every machine.
func Same(text, dir string) string {
	return port.ReplaceAllString(strings.ReplaceAll(text, dir, Dir), Host)
}

// Settled is what is told without its times, to be compared.
func (t Told) Settled() Told {
	t.MS = 0
	t.Words, t.Table = times.ReplaceAllString(t.Words, "TIME"), times.ReplaceAllString(t.Table, "TIME")
	return t
}
