package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline/source"
)

func (a *app[E]) root() *cobra.Command {
	var o runFlags
	root := &cobra.Command{
		Use:   "labrun LAB | labrun COMMAND",
		Short: "builds a HyperShift lab on bare metal from one YAML file",
		Long: `labrun builds the lab that one YAML file describes, from a management cluster to a
hosted cluster whose workers have joined. labrun LAB is the same as labrun run LAB.

` + exitTable,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if !looksLikeFile(args[0]) {
				return a.unknownCommand(cmd, args[0])
			}
			if len(args) > 1 {
				return &misuse{message: fmt.Sprintf("one lab at a time: %s and %s were given", args[0], args[1]), hint: "labrun run LAB"}
			}
			if err := o.selectFlags.check(cmd); err != nil {
				return err
			}
			return a.run(cmd.Context(), args[0], o)
		},
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	o.register(root)
	a.unattended(root, &o.longest)
	root.SetHelpCommand(a.helpCommand())
	root.AddCommand(a.runCommand(), a.planCommand(), a.validateCommand(), a.renderCommand(), a.statusCommand(), a.waitCommand(),
		a.stepsCommand(), a.explainCommand(), a.graphCommand(), a.versionCommand())
	if a.program.Init != nil {
		root.AddCommand(a.initCommand())
	}
	if a.program.LabSchema != nil {
		root.AddCommand(a.schemaCommand())
	}
	if a.program.Preflight != nil {
		root.AddCommand(a.preflightCommand())
	}
	if a.program.Kubeconfig != nil {
		root.AddCommand(a.kubeconfigCommand())
	}
	if a.program.Destroy != nil {
		root.AddCommand(a.destroyCommand(), a.rebuildCommand())
	}
	for _, c := range append(root.Commands(), root) {
		c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
			return &misuse{message: err.Error(), hint: flagHint(cmd, err.Error())}
		})
	}
	return root
}

// looksLikeFile tells a lab file from a mistyped command.
func looksLikeFile(arg string) bool {
	if strings.ContainsAny(arg, "/.") {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}

func (a *app[E]) unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	hint := source.DidYouMean(name, names)
	if hint == "" {
		hint = "labrun --help lists the commands"
	}
	return &misuse{message: fmt.Sprintf("there is no command %q, and no file of that name", name), hint: hint}
}

// flagHint names the flag that was meant.
func flagHint(cmd *cobra.Command, message string) string {
	_, name, ok := strings.Cut(message, "unknown flag: --")
	if !ok {
		return cmd.CommandPath() + " --help lists the flags"
	}
	var names []string
	for _, word := range strings.Fields(cmd.LocalFlags().FlagUsages()) {
		if flag, ok := strings.CutPrefix(word, "--"); ok {
			names = append(names, flag)
		}
	}
	if near := source.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean --%s?", near)
	}
	return cmd.CommandPath() + " --help lists the flags"
}

// oneLab says that a command takes just one lab file.
func oneLab(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &misuse{message: fmt.Sprintf("%s takes one lab file, %d were given", cmd.CommandPath(), len(args)), hint: cmd.UseLine()}
}

func (a *app[E]) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "what labrun, or one of its commands, does",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func (a *app[E]) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "the version of labrun",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &misuse{message: fmt.Sprintf("%s takes no argument, %q was given", cmd.CommandPath(), args[0]), hint: cmd.UseLine()}
		},
		RunE: func(*cobra.Command, []string) error {
			if output == "json" {
				return writeJSON(a.streams.Out, map[string]string{"version": a.program.Version})
			}
			_, err := fmt.Fprintln(a.streams.Out, "labrun "+a.program.Version)
			return err
		},
	}
	outputFlag(cmd, &output, "text", "json")
	return cmd
}
