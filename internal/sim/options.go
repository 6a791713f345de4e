package sim

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/labrun/labrun/internal/sim/world"
	"github.com/labrun/labrun/labs"
)

// DefaultSpeed makes the hour and a half that a real lab takes some twenty seconds.
const DefaultSpeed = 300

// Options say what to start.
type Options struct {
	Facts *labs.Facts // of the lab that is simulated; it needs Name
	Dir   string      // state folder, made with mode 0700; one for each lab

	Speed     float64                  // how many times faster than real operators; default DefaultSpeed
	Delays    map[string]time.Duration // stages that last as long as said here: see Delays
	Without   []string                 // players that are left out: see Players
	Fail      []string                 // failures: see Failures
	RealPower bool                     // power changes take 1 to 11 s, as sushy-tools has it

	// Hub is a running lab whose management cluster this one joins, with the players there. The other lab's
	// name server, image service and Ironic serve both. It must stay for as long as this one. Its Speed,
	// Delays, Without and Fail hold.
	Hub *Lab

	// Server may change a server of the rack before it is built: a test's, with too little memory or without disks.
	Server func(*world.Machine)

	Seed   openshift.SeedOptions // of the hub, where it is to be another one than the facts ask for
	Assets proc.Assets           // where the programs stand; the zero value looks for the checkout's bin/
	Log    *slog.Logger          // of the players; default: the file players.log in Dir
}

func (o *Options) complete() error {
	if o.Facts == nil || o.Facts.Name == "" {
		return errors.New("no lab was named")
	}
	if o.Dir == "" {
		return errors.New("no state folder was named")
	}
	if o.Speed < 0 {
		return fmt.Errorf("speed %v: time goes forwards", o.Speed)
	}
	if o.Speed == 0 {
		o.Speed = DefaultSpeed
	}
	if err := o.known(); err != nil {
		return err
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if o.Assets.Dir == "" {
		if o.Assets, err = proc.FindAssets(""); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(o.Dir, 0o700)
}

// known refuses names that nothing goes by.
func (o *Options) known() error {
	var players, failures, delays []string
	for _, p := range Players() {
		players = append(players, p.Name)
	}
	for _, f := range Failures() {
		failures = append(failures, f.Name)
	}
	for _, d := range Delays() {
		delays = append(delays, d.Name)
	}
	for _, name := range o.Without {
		if !slices.Contains(players, name) {
			return fmt.Errorf("there is no player %q to leave out; there are %s", name, strings.Join(players, ", "))
		}
	}
	for _, name := range o.Fail {
		if !slices.Contains(failures, name) {
			return fmt.Errorf("there is no failure %q; there are %s", name, strings.Join(failures, ", "))
		}
	}
	for name, d := range o.Delays {
		if !slices.Contains(delays, name) {
			return fmt.Errorf("there is no delay %q: `labsim delays` lists them", name)
		}
		if d < 0 {
			return fmt.Errorf("delay %s=%v: time goes forwards", name, d)
		}
	}
	return nil
}

func (o *Options) pace() world.Pace { return world.Pace{Speed: o.Speed, Delays: o.Delays} }

func (o *Options) faults() world.Faults {
	on := world.Faults{}
	for _, name := range o.Fail {
		on[name] = true
	}
	return on
}
