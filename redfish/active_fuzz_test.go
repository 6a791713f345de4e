package redfish

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labrun/labrun/redfish/imageserver"
)

// FuzzActiveStates reads any body as a slot and as a system. Nothing may panic, and what decides whether a host is left alone
// must not be talked into "empty" or "not set" by what the body does not say.
func FuzzActiveStates(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"Inserted":false,"Image":null}`, `{"Inserted":true,"Image":"` + leftover + `"}`, `{"Image":"None"}`, `{"Inserted":"no","Image":7}`,
		`{"Inserted":false,"Image":"","ConnectedVia":"Applet"}`, `{"Image":"boot.iso"}`, `{"Image":"/"}`,
		`{"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"Cd"}}`, `{"Boot":{"BootSourceOverrideEnabled":"Continuous","BootSourceOverrideTarget":null}}`, `{"Boot":[]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decode("/redfish/v1/Fuzz", http.Header{}, body)
		if err != nil {
			return
		}
		c := slot{r}.contents()
		inserted, saysInserted := r.body["Inserted"].(bool)
		image, saysImage := r.body["Image"].(string)
		_, hasImage := r.body["Image"]
		if c.empty() && (inserted || saysImage && image != "" && !strings.EqualFold(image, "None") || !saysInserted && !hasImage || r.body["ConnectedVia"] == "Applet") {
			t.Errorf("%s counts as empty", body)
		}
		if c.silent() && (saysInserted || saysImage) {
			t.Errorf("%s counts as saying nothing", body)
		}
		if c.shows(leftover) && (!saysImage || !strings.HasSuffix(leftover, image)) {
			t.Errorf("%s counts as showing the image", body)
		}
		if imageserver.Own(c.image) && c.image != image {
			t.Errorf("%s counts as labrun's own", body)
		}
		o := overrideOf(r)
		boot, _ := r.body["Boot"].(map[string]any)
		enabled, _ := boot["BootSourceOverrideEnabled"].(string)
		target, _ := boot["BootSourceOverrideTarget"].(string)
		if o.enabled != enabled || o.target != target || o.set() != (enabled != "" && enabled != "Disabled" && target != "" && target != "None" && target != "Hdd") {
			t.Errorf("%s counts as the override %s, set: %t", body, o, o.set())
		}
		if strings.ContainsAny(o.String(), "\n\x1b") {
			t.Errorf("%q is not fit for a terminal", o)
		}
	})
}
