package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline/source"
)

// NewLab is what a lab file to begin with is asked for.
type NewLab struct {
	Stack        string // address families, in the words of the lab file
	Disconnected bool
	Name         string // "" for one that says stack and connection
	WorkersFile  string // CSV of the workers, "" for none
	Workers      []byte // what is in it
}

// newLabFlags are the flags of init.
type newLabFlags struct {
	NewLab
	file  string // that is written, "" and - for stdout
	force bool
}

func (a *app[E]) initCommand() *cobra.Command {
	var f newLabFlags
	cmd := &cobra.Command{
		Use:   "init --stack ipv4|ipv6|dual",
		Short: "a lab file to begin with, every fact commented",
		Long: `Writes a lab file in which CHANGE stands where a lab of your own differs for sure.
It is valid as it is; what it says of hardware is of nobody's rack.

--from-csv puts your workers into it. The file's first line names the columns, in any
order: name, mac (of the interface that boots), bmc (host, or the whole address), user,
and if need be password (env:NAME or file:PATH, never the password itself; without it
env:BMC_PASSWORD) and disk (the device that is installed to).`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &misuse{message: fmt.Sprintf("%s takes no argument, %q was given", cmd.CommandPath(), args[0]), hint: "-o " + shellescape.Quote(args[0]) + " writes a file of that name"}
		},
		RunE: func(*cobra.Command, []string) error { return a.init(f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Stack, "stack", "", "address families of the lab: ipv4, ipv6 or dual")
	flags.BoolVar(&f.Disconnected, "disconnected", false, "the lab has no way to the internet, and a registry of its own")
	flags.StringVar(&f.Name, "name", "", "name of the lab and its hosted cluster")
	flags.StringVar(&f.WorkersFile, "from-csv", "", "a CSV `FILE` of the workers")
	flags.StringVarP(&f.file, "output", "o", "", "the `FILE` that is written, instead of stdout")
	flags.BoolVar(&f.force, "force", false, "overwrite a file that is there")
	return cmd
}

func (a *app[E]) init(f newLabFlags) error {
	switch {
	case f.Stack == "":
		return &misuse{message: "labrun init needs the lab's address families", hint: "--stack ipv4, --stack ipv6 or --stack dual"}
	case f.force && f.toStdout():
		return &misuse{message: "--force overwrites a file, and none is named", hint: "-o FILE names it"}
	}
	if f.WorkersFile != "" {
		var (
			files source.Files
			found source.Diagnostics
		)
		if f.Workers, found = files.Read(f.WorkersFile); len(found) > 0 {
			return &invalid{found, &files}
		}
	}
	text, found, err := a.program.Init(f.NewLab)
	switch {
	case err != nil:
		return &misuse{message: err.Error()}
	case len(found) > 0:
		_ = found.Render(a.streams.Err, nil)
		fmt.Fprintf(a.streams.Err, "%s: %s, no lab file was written\n", f.WorkersFile, count(len(found), "mistake"))
		return ends(exitUsage)
	case f.toStdout():
		_, err = a.streams.Out.Write(text)
		return err
	}
	if err := f.write(text); err != nil {
		return err
	}
	name := shellescape.Quote(f.file)
	fmt.Fprintf(a.streams.Err, "%s is written: change what is marked CHANGE, then labrun validate %s\n", f.file, name)
	return nil
}

func (f *newLabFlags) toStdout() bool { return f.file == "" || f.file == "-" }

// write writes the file, over one that is there where that is asked for only.
func (f *newLabFlags) write(text []byte) error {
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if f.force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(f.file, how, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &misuse{message: f.file + " is there already, and stays as it is", hint: "--force overwrites it; -o names another file"}
	}
	if err != nil {
		return fmt.Errorf("write the lab file: %w", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the lab file: %w; what %s holds is not whole", err, f.file)
	}
	return nil
}
