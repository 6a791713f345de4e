package bmctest_test

import (
	"fmt"
	"net/http"

	"github.com/labrun/labrun/redfish/bmctest"
)

// A BMC that is busy once, and whose only slot takes no CD.
func Example() {
	tree := bmctest.Small().Set(bmctest.Slot, []any{"Floppy"}, "MediaTypes")
	bmc, err := bmctest.New(bmctest.Config{
		Tree: tree, Username: "admin", Password: "sesame",
		Faults: []bmctest.Fault{bmctest.Busy(1, "0")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bmc.Close()

	for range 2 {
		request, err := http.NewRequest(http.MethodGet, bmc.URL()+bmctest.Slot, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		request.SetBasicAuth("admin", "sesame")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		answer.Body.Close()
	}
	for _, r := range bmc.Requests() {
		fmt.Println(r)
	}
	// Output:
	// GET /redfish/v1/Systems/1/VirtualMedia/Cd 503 basic
	// GET /redfish/v1/Systems/1/VirtualMedia/Cd 200 basic
}
