package destroy

import (
	"embed"
	"io/fs"
)

//go:embed destroy.yaml orphans.yaml
var files embed.FS

// The pipelines, each a file of Files.
const (
	Whole   = "destroy" // the lab, or its later phases
	Orphans = "orphans" // what the inventory has and the lab file no more
)

// Files are the pipelines, each NAME.yaml.
func Files() fs.FS { return files }
