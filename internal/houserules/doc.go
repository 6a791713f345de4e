// Package houserules holds the tests of how the house is built: which room may
// use which, how long a file may be, and what stands at package level.
package houserules
