package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/labrun/labrun/internal/sim"
	"github.com/spf13/cobra"
)

// downLimit is how long a lab may take to end before its process is killed; all that it started dies with it.
const downLimit = 40 * time.Second

func downCommand() *cobra.Command {
	var stateDir string
	var keep bool
	c := &cobra.Command{
		Use:     "down [LAB]",
		Short:   "end a lab and remove its state folder",
		Example: "  labsim down labs/ipv6-disconnected.yaml\n  labsim down ipv6-disconnected",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := stateDir
			switch {
			case dir == "" && len(args) == 0:
				return fmt.Errorf("name the lab, or its --state-dir: %w", errUsage)
			case dir == "":
				name, err := labName(args[0])
				if err != nil {
					return err
				}
				dir = filepath.Join(defaultRoot(), name)
			}
			return down(c.Context(), dir, keep, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&stateDir, "state-dir", "", "state folder that the lab was started with")
	c.Flags().BoolVar(&keep, "keep", false, "keep the state folder with its logs")
	return c
}

// labName is the name of a lab that was given as such, or as its file.
func labName(arg string) (string, error) {
	if !strings.ContainsAny(arg, "/.") {
		return arg, nil
	}
	var said bytes.Buffer
	lab, err := load(arg, nil, nil, &said)
	if lab.name != "" {
		return lab.name, nil // its other mistakes are none of down's
	}
	return "", fmt.Errorf("reading the name of the lab in %s: %w\n%s", arg, err, said.String())
}

// down ends the lab of a state folder. One whose labsim was killed has nothing left to end: its folder is removed.
func down(ctx context.Context, dir string, keep bool, out io.Writer) error {
	if !ours(dir) {
		return fmt.Errorf("no simulated lab has its state in %s: labsim status lists those that run", dir)
	}
	r, err := read(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if keep {
		if err := os.WriteFile(filepath.Join(dir, keepFile), nil, 0o600); err != nil {
			return err
		}
	}
	if r.running() {
		if err := end(ctx, r); err != nil {
			return err
		}
	}
	remove(r.Written) // of one that was killed
	if !keep && ours(dir) {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%s is down\n", r.Name)
	return nil
}

// end asks the process to end, and kills it after a while. It is held by a handle, so that no other process is meant
// where its id has gone to another one.
func end(ctx context.Context, r record) error {
	process, err := os.FindProcess(r.PID)
	if err != nil {
		return err
	}
	defer func() { _ = process.Release() }()
	if !r.running() { // it ended while the handle was opened
		return nil
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return ignoreDone(err)
	}
	ctx, cancel := context.WithTimeout(ctx, downLimit)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond) // a process that is not a child can only be looked at
	defer tick.Stop()
	for r.running() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = process.Kill()
			return fmt.Errorf("process %d of the simulated lab %s did not end within %v and was killed: run labsim down again", r.PID, r.Name, downLimit)
		}
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

func statusCommand() *cobra.Command {
	var stateDir string
	c := &cobra.Command{
		Use:   "status",
		Short: "list the labs that run",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			dirs := []string{stateDir}
			if stateDir == "" {
				var err error
				if dirs, err = filepath.Glob(filepath.Join(defaultRoot(), "*")); err != nil {
					return err
				}
			}
			return status(dirs, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&stateDir, "state-dir", "", "state folder that a lab was started with")
	return c
}

func status(dirs []string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	found := 0
	for _, dir := range dirs {
		r, err := read(dir)
		if err != nil {
			continue
		}
		found++
		state := "ready"
		switch {
		case !r.running():
			state = "killed: " + downOf(r.Name, dir)
		case r.API == "":
			state = "starting"
		}
		fmt.Fprintf(table, "%s\t%s\tprocess %d\tsince %s\t%s\t%s\n", r.Name, state, r.PID, r.Since.Format(time.TimeOnly), r.API, dir)
	}
	if found == 0 {
		fmt.Fprintln(out, "no simulated lab runs")
	}
	return table.Flush()
}

func failuresCommand() *cobra.Command {
	return listing("failures", "list what --fail takes", func() [][2]string {
		var all [][2]string
		for _, f := range sim.Failures() {
			all = append(all, [2]string{f.Name, f.Does})
		}
		return all
	})
}

func delaysCommand() *cobra.Command {
	return listing("delays", "list what --delay takes, with how long the real stage lasts", func() [][2]string {
		var all [][2]string
		for _, d := range sim.Delays() {
			all = append(all, [2]string{d.Name, fmt.Sprintf("%s\t%s", d.Real, d.What)})
		}
		return all
	})
}

func playersCommand() *cobra.Command {
	return listing("players", "list what --without takes: the simulated operators", func() [][2]string {
		var all [][2]string
		for _, p := range sim.Players() {
			all = append(all, [2]string{p.Name, p.Plays})
		}
		return all
	})
}

func listing(use, short string, rows func() [][2]string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, r := range rows() {
				fmt.Fprintf(table, "%s\t%s\n", r[0], r[1])
			}
			return table.Flush()
		},
	}
}
