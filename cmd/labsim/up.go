package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/spf13/cobra"
)

// up is the command that starts a lab.
type up struct {
	lab                string
	kubeconfig, values string
	valuesIn, set      []string
	speed              float64
	delays             []string
	without, fail      []string
	stateDir           string
	realPower          bool
	detach, keep       bool
	readyFD            int // set by the parent of a detached one: what it is told goes there

	out, errors io.Writer
}

func upCommand() *cobra.Command {
	u := &up{}
	c := &cobra.Command{
		Use:   "up LAB",
		Short: "start the lab of a lab file, and write the kubeconfig and the values to run labrun with",
		Example: `  labsim up labs/ipv6-disconnected.yaml --kubeconfig /tmp/k --values /tmp/v
  labrun labs/ipv6-disconnected.yaml --kubeconfig /tmp/k --values /tmp/v`,
		Args: exactly(1, "one lab file"),
		RunE: func(c *cobra.Command, args []string) error {
			u.lab, u.out, u.errors = args[0], c.OutOrStdout(), c.ErrOrStderr()
			if u.kubeconfig == "" || u.values == "" {
				return fmt.Errorf("--kubeconfig and --values name the files to write: %w", errUsage)
			}
			if u.detach {
				return u.background(c.Context())
			}
			return u.run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&u.kubeconfig, "kubeconfig", "", "file to write: the management cluster's kubeconfig")
	f.StringVar(&u.values, "values", "", "file to write: the facts that are otherwise here, for labrun --values")
	f.StringArrayVar(&u.valuesIn, "values-in", nil, "file with facts to put on top of the lab file's, as labrun --values")
	f.StringArrayVar(&u.set, "set", nil, "fact to put on top of those, as labrun --set: lab.release.version=4.20.4")
	f.Float64Var(&u.speed, "speed", sim.DefaultSpeed, "how many times faster than real operators")
	f.StringArrayVar(&u.delays, "delay", nil, "NAME=DURATION: how long a stage lasts (labsim delays)")
	f.StringArrayVar(&u.without, "without", nil, "player to leave out (labsim players)")
	f.StringArrayVar(&u.fail, "fail", nil, "failure to play (labsim failures)")
	f.StringVar(&u.stateDir, "state-dir", "", "state folder; default: "+filepath.Join(defaultRoot(), "NAME"))
	f.BoolVar(&u.realPower, "real-power", false, "let a power change take 1 to 11 s, as sushy-tools has it")
	f.BoolVar(&u.detach, "detach", false, "return once the lab is ready; labsim down ends it")
	f.BoolVar(&u.keep, "keep", false, "keep the state folder with its logs at the end")
	f.IntVar(&u.readyFD, "ready-fd", 0, "")
	_ = f.MarkHidden("ready-fd")
	return c
}

// run starts the lab and stays until the context is done.
func (u *up) run(ctx context.Context) (err error) {
	started := time.Now()
	tell := u.report()
	defer func() { err = tell.failed(err) }()
	lab, err := load(u.lab, u.valuesIn, u.set, u.errors)
	if err != nil {
		return err
	}
	delays, err := parseDelays(u.delays)
	if err != nil {
		return err
	}
	assets, err := programs()
	if err != nil {
		return err
	}
	state, err := hold(u.dir(lab.name), lab.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.release(u.keep)) }()
	sim.Quiet()
	running, err := sim.Start(ctx, sim.Options{
		Facts: lab.facts, Dir: state.dir, Speed: u.speed, Delays: delays,
		Without: u.without, Fail: u.fail, RealPower: u.realPower, Assets: assets,
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	defer func() { err = errors.Join(err, stop(running)) }()
	written := u.files(running)
	defer written.remove()
	if err := written.write(); err != nil {
		return err
	}
	command := u.command()
	if err := state.write(record{
		Name: lab.name, PID: os.Getpid(), Started: startOf(os.Getpid()), Since: started,
		API: running.Hub().URL(), Written: written.digests(), Command: command,
	}); err != nil {
		return err
	}
	tell.ready(describe(lab, running, time.Since(started), command, u.end(lab.name)))
	select {
	case <-ctx.Done():
		return nil
	case err := <-running.Failed():
		return fmt.Errorf("a part of the simulated lab has failed: %w", err)
	}
}

// programs are those beside labsim itself, where it stands in the folder that `make bin` fills; else in the checkout's.
func programs() (proc.Assets, error) {
	if self, err := os.Executable(); err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(self), "crds")); err == nil {
			return proc.FindAssets(filepath.Dir(self))
		}
	}
	return proc.FindAssets("")
}

func stop(lab *sim.Lab) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return lab.Stop(ctx)
}

func (u *up) dir(name string) string {
	if u.stateDir != "" {
		return u.stateDir
	}
	return filepath.Join(defaultRoot(), name)
}

func parseDelays(list []string) (map[string]time.Duration, error) {
	delays := map[string]time.Duration{}
	for _, one := range list {
		name, text, ok := strings.Cut(one, "=")
		d, err := time.ParseDuration(text)
		if !ok || err != nil {
			return nil, fmt.Errorf("--delay %s: expected NAME=DURATION, such as machine.boot=5s: %w", one, errUsage)
		}
		delays[name] = d
	}
	return delays, nil
}

// files are what a lab writes for its user, by absolute path.
type files map[string][]byte

func (u *up) files(lab *sim.Lab) files {
	return files{absolute(u.kubeconfig): lab.Kubeconfig(), absolute(u.values): lab.Values()}
}

// write writes them for their owner alone, whatever stood there before.
func (f files) write() error {
	for path, text := range f {
		if err := renameio.WriteFile(path, text, 0o600, renameio.IgnoreUmask()); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

func (f files) digests() map[string]string {
	digests := map[string]string{}
	for path, text := range f {
		digests[path] = digest(text)
	}
	return digests
}

func (f files) remove() { remove(f.digests()) }

// remove takes away files that have still the content of this digest: somebody may have written another there since.
func remove(written map[string]string) {
	for path, was := range written {
		if now, err := os.ReadFile(path); err == nil && digest(now) == was {
			_ = os.Remove(path)
		}
	}
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// command is what to type next.
func (u *up) command() string {
	parts := []string{"labrun", u.lab}
	for _, v := range u.valuesIn {
		parts = append(parts, "--values", v)
	}
	for _, s := range u.set {
		parts = append(parts, "--set", quote(s))
	}
	return strings.Join(append(parts, "--kubeconfig", u.kubeconfig, "--values", u.values), " ")
}

// end is what ends the lab.
func (u *up) end(name string) string {
	if u.readyFD == 0 {
		return "Ctrl-C"
	}
	return downOf(name, u.dir(name))
}

// downOf is the command that ends the lab of a state folder.
func downOf(name, dir string) string {
	if dir == filepath.Join(defaultRoot(), name) {
		return "labsim down " + name
	}
	return "labsim down --state-dir " + quote(absolute(dir))
}

func quote(s string) string {
	if strings.ContainsAny(s, " '\"$&|;<>()*?[]{}\\`!#~") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
