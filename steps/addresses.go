package steps

import (
	"errors"
	"fmt"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
)

// wrongAddresses checks the BMCs' addresses when the lab file is loaded: what one
// is, Metal3 says, which labs does not know.
func wrongAddresses(f *labs.Facts) []labs.Problem {
	var problems []labs.Problem
	for i, w := range f.Workers {
		_, err := redfish.ParseAddress(w.BMC.Address)
		var wrong *redfish.AddressError
		if !errors.As(err, &wrong) {
			continue
		}
		problems = append(problems, labs.Problem{
			Path:    fmt.Sprintf("workers[%d].bmc.address", i),
			Message: fmt.Sprintf("%q is no address of %s's BMC: %s", wrong.Address, w.Name, wrong.Problem),
			Hint:    wrong.Remedy(),
		})
	}
	return problems
}
