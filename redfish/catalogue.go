package redfish

import "slices"

// Catalogue lists the checks in the order in which they are asked and reported. A check comes after those it needs.
func Catalogue() []Check {
	return slices.Concat(reachChecks(), systemChecks(), mediaChecks(), imageChecks(), bootChecks(), accessChecks(), machineChecks())
}
