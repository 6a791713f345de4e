// Package traps holds, as tests, what every lab falls into sooner or later: one field is taken away or spoiled, and the
// run fails with a message that names the object, what its operator shows, and what to do.
//
//	go test ./internal/traps -v -run TestTraps | grep -A4 '^ *|'   # prints the table
//
// Each row is a real run: the shared step file, the pipeline, the built-in steps with their one engine of apply and
// watch, a real API server with the real definitions, and the simulated operators, which refuse what the real ones do.
package traps
