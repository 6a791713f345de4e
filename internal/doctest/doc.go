// Package doctest holds the README and docs to what is so: every command in them
// is run, in the order they stand and against a simulated lab where they start
// one; what is shown below a command is compared with what it prints; every piece
// of a lab file is validated; every command, flag and link that the text names
// exists.
package doctest
