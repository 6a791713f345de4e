package labs

import (
	"embed"
	"io/fs"
)

//go:embed steps/*.yaml
var stepFiles embed.FS

// Steps are the step files that labs include as builtin:NAME, each NAME.yaml.
func Steps() fs.FS {
	sub, err := fs.Sub(stepFiles, "steps")
	if err != nil {
		panic(err) // the folder is embedded: its name is valid
	}
	return sub
}
