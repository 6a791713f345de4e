package redfish_test

import (
	"context"
	"fmt"
	"time"

	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/redfish/bmctest"
)

// Prove that a BMC fetches what is put into its virtual drive. The second one says yes to everything and never fetches.
func ExampleActive() {
	for _, never := range []bool{false, true} {
		timeout := time.Minute
		if never {
			timeout = 100 * time.Millisecond
		}
		bmc, err := bmctest.New(bmctest.Config{NoFetch: never})
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
		report := redfish.Preflight(context.Background(), hosts, redfish.Options{Active: &redfish.Active{FetchTimeout: timeout}})[0]
		for _, c := range redfish.ActiveCatalogue() {
			fmt.Print(c.ID, " ", report.Check(c.ID).Status, "; ")
		}
		fmt.Println("inserted now:", bmc.Property(bmctest.Slot, "Inserted"))
	}
	// Output:
	// insert pass; inserted pass; boot-once pass; eject pass; inserted now: false
	// insert fail; inserted skip; boot-once skip; eject pass; inserted now: false
}
