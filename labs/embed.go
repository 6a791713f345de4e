package labs

import "embed"

// Steps are the step files that labs include as builtin:NAME, in the folder steps.
//
//go:embed steps/*.yaml
var Steps embed.FS
