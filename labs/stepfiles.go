package labs

import (
	"io/fs"
	"strings"
)

// StepFiles are the names of the embedded step files, as builtin:NAME names them.
func StepFiles() []string {
	paths, err := fs.Glob(Steps(), "*.yaml")
	if err != nil {
		panic(err) // the pattern is right
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(path, ".yaml")
	}
	return paths
}
