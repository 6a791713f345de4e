package sim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/dns"
	"github.com/labrun/labrun/internal/sim/images"
	"github.com/labrun/labrun/internal/sim/pki"
	"github.com/labrun/labrun/internal/sim/registry"
	"github.com/labrun/labrun/internal/sim/world"
	"github.com/labrun/labrun/labs"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Lab is a running simulated lab.
type Lab struct {
	options Options
	facts   *labs.Facts
	ip      string // loopback address of the lab's family
	log     *slog.Logger
	logFile *os.File

	hub      *controlplane.ControlPlane
	names    *dns.Server
	web      *images.Server
	registry *registry.Registry
	racks    []*rack
	machines []world.Machine
	hosted   *hosted
	users    credentials
	release  release
	admin    []byte // kubeconfig
	values   []byte

	end     context.CancelFunc
	running sync.WaitGroup // players, and who starts them
	failed  chan error     // the first failure of a part that runs
	once    sync.Once
}

// credentials are the lab's own users.
type credentials struct {
	authority         *pki.Authority
	bmcPassword       string
	registryUser      string
	registryPassword  string
	bmcPasswordFile   string
	registryLoginFile string
	pullSecretFile    string
	authorityFile     string
}

// Quiet keeps the machinery of the players from logging by itself: what they say goes to their own log. A process calls
// it once, before it starts labs.
func Quiet() { ctrl.SetLogger(logr.Discard()) }

// Start starts a lab and returns when labrun can be run against it. It runs until Stop, or until ctx is done.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("starting a simulated lab: %w", err)
	}
	life, end := context.WithCancel(ctx)
	l := &Lab{options: o, facts: o.Facts, ip: "127.0.0.1", end: end, failed: make(chan error, 1)}
	if o.Facts.Stack != labs.IPv4 {
		l.ip = "::1"
	}
	if err := l.start(life); err != nil {
		_ = l.Stop(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("starting the simulated lab %s: %w", o.Facts.Name, err)
	}
	return l, nil
}

// start brings up the servers beside the cluster first: what they are called is needed by all else.
func (l *Lab) start(life context.Context) error {
	for _, part := range []func(context.Context) error{l.openLog, l.makeUsers, l.startServers, l.publishRelease, l.startClusterAndBMCs, l.play} {
		if err := part(life); err != nil {
			return err
		}
	}
	l.admin = l.hub.Kubeconfig()
	return l.makeValues()
}

func (l *Lab) openLog(context.Context) error {
	if l.log = l.options.Log; l.log != nil {
		return nil
	}
	var err error
	l.logFile, err = os.OpenFile(filepath.Join(l.options.Dir, "players.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l.log = slog.New(slog.NewTextHandler(l.logFile, nil))
	return nil
}

func (l *Lab) makeUsers(context.Context) error {
	u := &l.users
	var err error
	if u.authority, err = pki.New("simulated lab " + l.facts.Name); err != nil {
		return err
	}
	u.bmcPassword, u.registryUser, u.registryPassword = rand.Text(), "labsim", rand.Text()
	u.bmcPasswordFile = filepath.Join(l.options.Dir, "bmc-password")
	u.registryLoginFile = filepath.Join(l.options.Dir, "registry-login")
	u.authorityFile = filepath.Join(l.options.Dir, "ca.crt")
	u.pullSecretFile = filepath.Join(l.options.Dir, "pull-secret.json")
	for file, text := range map[string]string{
		u.bmcPasswordFile:   u.bmcPassword,
		u.registryLoginFile: u.registryUser + ":" + u.registryPassword,
		u.authorityFile:     string(u.authority.Cert),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) startServers(context.Context) error {
	var err error
	if hub := l.options.Hub; hub != nil {
		l.names = hub.names
	} else if l.names, err = dns.Start(l.ip); err != nil {
		return err
	}
	if l.web, err = images.Start(l.ip); err != nil {
		return err
	}
	return nil
}

// Kubeconfig is an administrator's of the management cluster (YAML).
func (l *Lab) Kubeconfig() []byte { return l.admin }

// Values overrides the facts of the lab file that cannot be the simulated lab's own (YAML, for labrun --values).
func (l *Lab) Values() []byte { return l.values }

// Hub is the management cluster. It logs all writes: see its method Writes. The players write as user "labsim".
func (l *Lab) Hub() *controlplane.ControlPlane { return l.hub }

// Dir is the state folder.
func (l *Lab) Dir() string { return l.options.Dir }

// DNS is where the lab's name server answers, host:port.
func (l *Lab) DNS() string { return l.names.Address() }

// Names is the lab's name server, for tests in which a name is wrong.
func (l *Lab) Names() *dns.Server { return l.names }

// Machines are the servers of the rack.
func (l *Lab) Machines() []world.Machine { return l.machines }

// Failed gives the first error of a part that ended by itself.
func (l *Lab) Failed() <-chan error { return l.failed }

func (l *Lab) fail(err error) {
	if err == nil {
		return
	}
	select {
	case l.failed <- err:
	default:
	}
}

// Stop ends the lab, players first, and leaves its folder. A lab whose hub others have joined is stopped after them.
func (l *Lab) Stop(ctx context.Context) error {
	var errs []error
	l.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		l.end()
		l.running.Wait()
		if l.hosted != nil && l.options.Hub == nil {
			errs = append(errs, l.hosted.stop(ctx))
		}
		errs = append(errs, l.stopPrograms(ctx), l.stopServers())
		if l.logFile != nil {
			errs = append(errs, l.logFile.Close())
		}
	})
	return errors.Join(errs...)
}

// stopPrograms ends what was started as a program, side by side. That the context ended them before is no error.
func (l *Lab) stopPrograms(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, len(l.racks)+1)
	for i, r := range l.racks {
		if r.bmc != nil {
			all.Go(func() { errs[i] = r.bmc.Stop(ctx) })
		}
	}
	if l.hub != nil && l.options.Hub == nil {
		all.Go(func() { errs[len(l.racks)] = l.hub.Stop(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (l *Lab) stopServers() error {
	var errs []error
	if l.registry != nil {
		errs = append(errs, l.registry.Stop())
	}
	if l.web != nil {
		errs = append(errs, l.web.Stop())
	}
	if l.names != nil && l.options.Hub == nil {
		errs = append(errs, l.names.Stop())
	}
	return errors.Join(errs...)
}
