package redfish_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/redfish/bmctest"
)

// What a check asks, and what to do where it fails.
func ExampleCatalogue() {
	for _, c := range redfish.Catalogue() {
		if c.ID == "link" {
			fmt.Println(c.Asks)
			fmt.Println("→", c.Remedy)
			fmt.Println("asked after", c.Needs)
		}
	}
	// Output:
	// the link of the interface with the boot MAC
	// → check cable and switch port
	// asked after [boot-mac]
}

// A report for machines.
func ExampleReport() {
	bmc, err := bmctest.New(bmctest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bmc.Close()

	hosts := []redfish.Host{{Name: "worker0", Address: bmc.Address(bmctest.System), Credentials: redfish.Credentials{Username: "admin"}}}
	report := redfish.Preflight(context.Background(), hosts, redfish.Options{})[0]
	text, err := json.MarshalIndent(report.Check("credentials"), "", "  ")
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "id": "credentials",
	//   "status": "fail",
	//   "seen": "the password is empty",
	//   "remedy": "correct the user and password of this host's BMC"
	// } <nil>
}
