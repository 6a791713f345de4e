// Package sushy runs the emulated BMCs of the simulated lab: sushy-tools' emulator with its fake driver, which answers
// Redfish, remembers power and boot settings and fetches the image that is inserted, and boots nothing.
//
//	bmc, err := sushy.Start(ctx, sushy.Options{Dir: dir, User: "admin", Password: "secret", Systems: []sushy.System{{
//		UUID: "…", Name: "worker0", MAC: "52:54:00:00:00:01"}}})
//	defer bmc.Stop(context.Background())
//	address := "redfish-virtualmedia+" + bmc.SystemURL("worker0")
//
// One emulator has one user, certificate and feature set: a lab whose workers differ in these starts several.
// All it writes, the images that it fetches included, stands below Options.Dir.
package sushy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
)

// System is one emulated server.
type System struct {
	UUID  string
	Name  string
	MAC   string // of its first interface
	NICs  []NIC  // further interfaces
	IP    string // of its first interface; may be empty
	Power string // On or Off (default)
	Mode  string // boot mode: UEFI (default) or Legacy
}

// NIC is a further interface of a system.
type NIC struct{ MAC, IP string }

// Device is one virtual media slot.
type Device struct {
	Name       string
	MediaTypes []string // CD, DVD, Floppy, USBStick
}

// Options say what to start.
type Options struct {
	Dir      string      // state folder, made with mode 0700; one for each emulator
	Assets   proc.Assets // where the programs stand; the zero value looks for the checkout's bin/
	ListenIP string      // 127.0.0.1 (default) or ::1
	Systems  []System

	User, Password string // Basic authentication; no user: none is asked
	Certificate    string // file (PEM); with Key: https
	Key            string // file (PEM)

	FeatureSet string            // full (default), vmedia or minimum
	Devices    map[string]Device // virtual media slots of every system by id; default: Cd and Floppy

	// QuickPower lets a power change take effect at the next look. By default it takes 1 to 11 s, as sushy-tools has it.
	QuickPower bool

	ReadyIn time.Duration // how long starting may take; default 60 s
}

// Emulator is a running emulator.
type Emulator struct {
	options Options
	port    int
	process *proc.Process
}

// Start starts an emulator and returns when it answers. It runs until Stop, or until ctx is done.
func Start(ctx context.Context, o Options) (*Emulator, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("starting an emulated BMC: %w", err)
	}
	e := &Emulator{options: o}
	ready, cancel := context.WithTimeout(ctx, o.ReadyIn)
	defer cancel()
	if err := e.start(ctx, ready); err != nil {
		if e.process != nil {
			_ = e.process.Stop(context.WithoutCancel(ctx))
		}
		return nil, fmt.Errorf("starting an emulated BMC: %w", err)
	}
	return e, nil
}

func (o *Options) complete() error {
	if o.Dir == "" {
		return errors.New("no state folder was named")
	}
	if (o.Certificate == "") != (o.Key == "") {
		return errors.New("a certificate needs its key, and a key its certificate")
	}
	if o.ListenIP == "" {
		o.ListenIP = "127.0.0.1"
	}
	if o.ReadyIn == 0 {
		o.ReadyIn = time.Minute
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if o.Assets.Dir == "" {
		o.Assets, err = proc.FindAssets("")
	}
	return err
}

// start starts the emulator on a free port; where somebody was faster to take the port, on another one.
func (e *Emulator) start(life, ctx context.Context) error {
	python, err := e.options.Assets.Path("venv", "bin", "python3")
	if err != nil {
		return err
	}
	program, err := e.options.Assets.Path("venv", "bin", "sushy-emulator")
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		if e.port, err = proc.FreePort(e.options.ListenIP); err != nil {
			return err
		}
		config, err := e.options.write(e.port)
		if err != nil {
			return err
		}
		// By its interpreter, so that it works from a folder that was moved after its making.
		e.process, err = proc.Start(life, proc.Command{
			Name: "sushy-emulator", Path: python, Args: []string{"-B", program, "--config", config},
			Dir: e.options.Dir, Log: filepath.Join(e.options.Dir, "sushy-emulator.log"), Grace: time.Second,
			Env: []string{"HOME=" + e.options.Dir, "TMPDIR=" + filepath.Join(e.options.Dir, "images"), "PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1"},
		})
		if err != nil {
			return err
		}
		err = e.process.Await(ctx, e.answers)
		if err == nil || try == 3 || !strings.Contains(err.Error(), "in use") {
			return err
		}
	}
}

// answers asks for the service root, which needs no password.
func (e *Emulator) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+"/redfish/v1/", nil)
	if err != nil {
		return err
	}
	answer, err := e.client().Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", request.URL, answer.Status)
	}
	return nil
}

// URL is where the emulator answers, without a final slash: http://127.0.0.1:20443, https://[::1]:20443.
func (e *Emulator) URL() string {
	scheme := "http"
	if e.options.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(e.options.ListenIP, strconv.Itoa(e.port))
}

// SystemURL is the Redfish resource of a system by its name or UUID, or "" where there is none.
func (e *Emulator) SystemURL(name string) string {
	for _, s := range e.options.Systems {
		if s.Name == name || s.UUID == name {
			return e.URL() + "/redfish/v1/Systems/" + s.UUID
		}
	}
	return ""
}

// Done is closed when the emulator has ended; Err then says why, where it ended by itself.
func (e *Emulator) Done() <-chan struct{} { return e.process.Done() }

// Err says why the emulator ended by itself, and is nil while all is well.
func (e *Emulator) Err() error { return e.process.Err() }

// PID is the emulator's process id, for tests in which a BMC dies.
func (e *Emulator) PID() int { return e.process.PID() }

// Log is the file with the requests that it answered.
func (e *Emulator) Log() string { return e.process.Log() }

// Stop ends the emulator and leaves its folder.
func (e *Emulator) Stop(ctx context.Context) error {
	return e.process.Stop(ctx)
}

func mkdirs(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}
