package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app[E]) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "the JSON schema of a lab file, for editors",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &misuse{message: fmt.Sprintf("%s takes no argument, %q was given", cmd.CommandPath(), args[0]), hint: cmd.UseLine()}
		},
		RunE: func(*cobra.Command, []string) error {
			_, err := a.streams.Out.Write(a.program.LabSchema)
			return err
		},
	}
}
