package source

// Files keeps the texts of the files that were read, for the lines under
// diagnostics.
type Files struct {
	texts map[string][]string
}
