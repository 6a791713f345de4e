// Package e2e holds the tests that run labrun on simulated labs, from the lab file
// to the hosted cluster: what a run builds, that the next one changes nothing, how
// failures are told, that labs on one hub do not meet, and that a run which was
// interrupted is continued.
package e2e
