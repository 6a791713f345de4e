package bmctest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// spoil does what was asked, and spoils the answer on its way.
func (b *BMC) spoil(w http.ResponseWriter, r *http.Request, path string, f Fault) {
	good := httptest.NewRecorder()
	b.answer(good, r, path)
	body := good.Body.Bytes()
	if f.Kind == Replace {
		body = replaced(body, f.Property, f.Value)
	}
	for name, values := range good.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(good.Code)
	switch f.Kind {
	case HalfBody:
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		drop(w, false)
	case Trickle:
		for i := range body {
			b.wait(r, f.Delay)
			if r.Context().Err() != nil {
				return
			}
			_, _ = w.Write(body[i : i+1])
			_ = http.NewResponseController(w).Flush()
		}
	default:
		_, _ = w.Write(body)
	}
}

// replaced is a JSON body with one property changed; the body itself where it has no such place.
func replaced(body []byte, names []string, value any) []byte {
	object := map[string]any{}
	if err := json.Unmarshal(body, &object); err != nil || len(names) == 0 {
		return body
	}
	Tree{"": object}.Set("", value, names...)
	out, err := json.Marshal(object)
	if err != nil {
		return body
	}
	return out
}
