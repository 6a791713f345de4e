package labs

import (
	"embed"
	"io/fs"
)

//go:embed steps/*.yaml
var stepFiles embed.FS

// exampleText is the template of the lab files.
//
//go:embed lab.yaml.tmpl
var exampleText string

// Steps are the step files that labs include as builtin:NAME, each NAME.yaml.
func Steps() fs.FS {
	sub, err := fs.Sub(stepFiles, "steps")
	if err != nil {
		panic(err) // the folder is embedded: its name is valid
	}
	return sub
}
