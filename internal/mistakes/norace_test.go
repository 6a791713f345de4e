//go:build !race

package mistakes

// slower is 1 without the race detector, which race_test.go allows for.
const slower = 1
