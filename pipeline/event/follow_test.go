package event

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A journal that is written byte by byte gives each event once, as soon as its
// line is whole.
func TestFollower(t *testing.T) {
	want := sample()
	b := written(t, want)
	var file bytes.Buffer
	f := NewFollower(&file)
	var got []Event
	for n := range b {
		file.WriteByte(b[n])
		if err := f.More(func(e Event) error { got = append(got, e); return nil }); err != nil {
			t.Fatal(err)
		}
		if whole := bytes.Count(b[:n+1], []byte("\n")); len(got) != whole {
			t.Fatalf("after %d bytes: %d events, want %d", n+1, len(got), whole)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("read (-written +read):\n%s", d)
	}
}

func TestFollowerErrors(t *testing.T) {
	whole := string(written(t, sample()))
	lines := strings.SplitAfter(whole, "\n")
	stop := errors.New("enough")
	for name, c := range map[string]struct {
		from io.Reader
		take error
		want string
	}{
		"later version": {from: strings.NewReader(strings.Replace(whole, `"version":1`, `"version":2`, 1)), want: "later version, 2"},
		"no journal":    {from: strings.NewReader("hello\n"), want: "first line is no run.started"},
		"a gap":         {from: strings.NewReader(lines[0] + lines[2]), want: "line 2 of the journal has the number 3"},
		"garbage":       {from: strings.NewReader(lines[0] + "{oops\n"), want: "line 2 of the journal is no event"},
		"who takes":     {from: strings.NewReader(whole), take: stop, want: "enough"},
		"the file":      {from: io.MultiReader(strings.NewReader(lines[0]), broken{}), want: "read the journal: input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewFollower(c.from).More(func(Event) error { return c.take })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("input/output error") }
