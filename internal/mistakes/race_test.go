//go:build race

package mistakes

// slower is how many times as long the race detector makes things take.
const slower = 60
