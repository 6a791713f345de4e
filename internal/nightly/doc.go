// Package nightly holds what docs/ci.md offers to a CI to what it says: the script
// of a night is run, as each end of labrun leaves it; the GitHub workflow and the
// Tekton task are checked against their published schemas, and run that very script.
package nightly
