package progress

import (
	"encoding/json"
	"io"

	"github.com/labrun/labrun/pipeline/event"
)

// JSON is the sink that writes the event stream itself, a line an event.
type JSON struct{ enc *json.Encoder }

// NewJSON makes one.
func NewJSON(out io.Writer) *JSON {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return &JSON{enc}
}

// Take writes the event. It has no error: a reader that went away does not stop
// a run.
func (j *JSON) Take(e event.Event) error {
	_ = j.enc.Encode(e)
	return nil
}
