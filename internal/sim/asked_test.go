package sim

import (
	"slices"
	"strings"
	"testing"
)

// TestAccessLog reads requests as an emulator logs them: what is not answered with 200 is in colours.
func TestAccessLog(t *testing.T) {
	const at = "127.0.0.1 - - [26/Nov/2026 08:02:22] "
	got, err := accessLog(strings.NewReader(
		" * Running on http://127.0.0.1:8000\n"+
			at+"\"GET /redfish/v1/Systems HTTP/1.1\" 200 -\n"+
			at+"\"\x1b[35m\x1b[1mPOST /redfish/v1/Systems/1/VirtualMedia/Cd/Actions/VirtualMedia.InsertMedia HTTP/1.1\x1b[0m\" 204 -\n"+
			at+"\"\x1b[33mGET /redfish/v1/Systems/2 HTTP/1.1\x1b[0m\" 404 -\n"), 3)
	want := []BMCRequest{
		{3, "GET", "/redfish/v1/Systems", "200"},
		{3, "POST", "/redfish/v1/Systems/1/VirtualMedia/Cd/Actions/VirtualMedia.InsertMedia", "204"},
		{3, "GET", "/redfish/v1/Systems/2", "404"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got[0].Write() || !got[1].Write() || got[2].Write() {
		t.Errorf("the writes are not told: %v", got)
	}
}
