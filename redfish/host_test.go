package redfish

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestCredentialsNeverPrint(t *testing.T) {
	h := Host{Name: "worker0", Credentials: Credentials{"operator", "sesame"}}
	texts := []string{h.Credentials.String(), h.Credentials.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, h.Credentials), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h), fmt.Sprintf(verb, []Host{h}))
	}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, string(encoded))
	for _, text := range texts {
		if strings.Contains(text, "sesame") || strings.Contains(text, "operator") || strings.Contains(text, fmt.Sprintf("%x", "sesame")) {
			t.Errorf("it shows: %s", text)
		}
	}
}
