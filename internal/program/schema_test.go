package program

import (
	"bytes"
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/schemas"
)

// labrun schema writes the schema that is checked in, and nothing else.
func TestSchema(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"schema"}, cli.Streams{Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if !bytes.Equal(out.Bytes(), schemas.Lab) {
		t.Error("it is not schemas/lab.schema.json")
	}
}
