package pipeline

import (
	"strings"
	"testing"
)

// What is wrong with an override is told at its own line, with the place of the
// step that it changes.
func TestOverrideNamesStep(t *testing.T) {
	for _, override := range []string{
		"with: {size: big}", "with: {sise: 3}", "when: lab.disconected", "timeout: soon", "needs: [aa]", "retry: {attempts: none}",
		"with: {patch: {x: \"${{ lab.y }}\"}}",
	} {
		_, found := Load(testRequest(write(t, head+"include: [builtin:shared]\noverride: {b: {"+override+"}}\n")))
		if len(found) == 0 {
			t.Errorf("%s: nothing was found", override)
			continue
		}
		ok := false
		for _, d := range found {
			named := len(d.Related) > 0 && strings.HasPrefix(d.Related[len(d.Related)-1].Pos.String(), "builtin:shared:")
			ok = ok || d.Pos.Line == 5 && named
		}
		if !ok {
			t.Errorf("%s: %v", override, found)
		}
	}
}
