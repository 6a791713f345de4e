package redfish_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/redfish/bmctest"
)

// Ask a BMC whose only virtual media slot is a floppy.
func ExamplePreflight() {
	tree := bmctest.Small().Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes")
	bmc, err := bmctest.New(bmctest.Config{Tree: tree, Username: "admin", Password: "sesame", Sessions: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bmc.Close()

	hosts := []redfish.Host{{
		Name:        "worker0",
		Address:     bmc.Address("/redfish/v1/Systems/1"),
		Credentials: redfish.Credentials{Username: "admin", Password: "sesame"},
	}}
	for _, report := range redfish.Preflight(context.Background(), hosts, redfish.Options{}) {
		fmt.Println(report.Name, report.Vendor, report.Model, report.Status)
		for _, c := range report.Checks {
			if c.Status == redfish.Fail {
				fmt.Printf("%s: %s\n→ %s\n", c.ID, c.Seen, c.Remedy)
			}
		}
	}
	// Output:
	// worker0 Test Small fail
	// media-type: the slots take only Floppy
	// → update the BMC's firmware, or enable its virtual CD
}

// An address that Metal3 takes for IPMI.
func ExampleParseAddress() {
	_, err := redfish.ParseAddress("https://[2001:db8::5]:8000/redfish/v1/Systems/1")
	fmt.Println(err)
	// Output:
	// BMC address "https://[2001:db8::5]:8000/redfish/v1/Systems/1": its scheme "https" names no BMC type: write redfish-virtualmedia://[2001:db8::5]:8000/redfish/v1/Systems/1
}

// Turn a host on.
func ExampleOpen() {
	bmc, err := bmctest.New(bmctest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bmc.Close()

	ctx := context.Background()
	service, err := redfish.Open(ctx, redfish.Host{Address: bmc.Address("/redfish/v1/Systems/1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close(ctx)
	if err := service.Reset(ctx, "On"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(service.Power(ctx))
	// Output: On <nil>
}

// isoHandler serves /boot.iso.
func isoHandler(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/boot.iso" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(make([]byte, 4096))
	})
}
