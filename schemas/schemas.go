// Package schemas holds the JSON schema of the lab file, for editors and for
// programs that write lab files. It is generated from the Go types that labrun
// itself reads a lab file with.
package schemas

import _ "embed"

// Lab is the schema of a lab file, JSON Schema draft 2020-12.
//
//go:embed lab.schema.json
var Lab []byte
