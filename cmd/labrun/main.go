// Command labrun builds the HyperShift lab that one YAML file describes.
package main

import (
	"context"
	"os"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
)

func main() {
	os.Exit(program.Main(context.Background(), os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}))
}
