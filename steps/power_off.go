package steps

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stmcginnis/gofish/schemas"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

const (
	powerEvery = 2 * time.Second  // how often a server is asked whether it is off
	powerTime  = 10 * time.Minute // of the step, where it has no limit
)

// Destroying lists the steps that take a lab apart.
func Destroying() []pipeline.Kind[*Env] {
	return append(destroy.Kinds[*Env](),
		waiting(pipeline.Use[BMCLogins]("destroy/bmc-logins", "Reads how the BMCs are reached, before that goes with the BareMetalHosts.", "")),
		waiting(pipeline.Use[Results]("destroy/results", "Removes the kubeconfig and the password file of the hosted cluster.", "")),
		waiting(pipeline.Use[PowerOff]("destroy/power-off", "Switches a server off whose BareMetalHost is gone, and ejects the lab's image, where Metal3 did not.", "")))
}

// PowerOff leaves a server as Metal3 would: off, and without the lab's image. A BMC
// that does not answer, or does not do it, is told; the inventory keeps the host until
// it does.
type PowerOff struct {
	Host destroy.HostOutput `yaml:"host" doc:"the host"`
}

// PowerOffOutputs is what was found and done.
type PowerOffOutputs struct {
	Seen string `yaml:"seen" doc:"one line"`
}

// Summary is that line.
func (o PowerOffOutputs) Summary() string { return o.Seen }

// Run asks the BMC, and changes what has to be changed.
func (s PowerOff) Run(ctx context.Context, env *Env) (PowerOffOutputs, error) {
	ref := hostRef(env.facts, s.Host.Name)
	host, err := s.access(ctx, env)
	if host == nil && err == nil {
		env.scope.Warn(event.Report{Title: "nobody knows how to reach the BMC of " + s.Host.Name + " any more: the lab file has no such worker, or another server under its name, and its BareMetalHost or the Secret beside it is gone",
			Next: "see that the server is off"})
		return PowerOffOutputs{"not known any more"}, kube.ForgetObject(ctx, env, ref)
	}
	var seen string
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, patience(ctx))
		defer cancel()
		seen, err = s.off(limited, env, *host)
	}
	switch {
	case ctx.Err() != nil:
		return PowerOffOutputs{}, errors.Join(err, ctx.Err())
	case err != nil && seen != "":
		env.scope.Warn(event.Report{Title: s.Host.Name + " is off, and the lab's image may be in its drive still: " + err.Error(), Next: s.next(env.facts)})
		return PowerOffOutputs{seen + ", its drives as they were: its BMC did not do it"}, nil
	case err != nil:
		env.scope.Warn(event.Report{Title: s.Host.Name + " could not be switched off by its BMC: " + err.Error(), Next: s.next(env.facts)})
		return PowerOffOutputs{"not switched off: its BMC did not do it"}, nil
	}
	return PowerOffOutputs{seen}, kube.ForgetObject(ctx, env, ref)
}

// patience is how long a BMC has, out of the step's time: one that never does what it
// should is told, and holds up nothing.
func patience(ctx context.Context) time.Duration {
	left := powerTime
	if until, bounded := ctx.Deadline(); bounded {
		left = time.Until(until)
	}
	return left * 3 / 4
}

// access is how the BMC is reached: as BMCLogins found, or as the lab file says. It is
// nil where neither is known.
func (s PowerOff) access(ctx context.Context, env *Env) (*redfish.Host, error) {
	if host := env.login(s.Host.Name); host != nil {
		return host, nil
	}
	if replaced(env.facts, s.Host) {
		return nil, nil
	}
	return workerBMC(ctx, env, s.Host.Name)
}

// next is what helps where a BMC does not do what it should: the pre-flight, where the
// lab file has the worker.
func (s PowerOff) next(f *labs.Facts) string {
	if !replaced(f, s.Host) && slices.ContainsFunc(f.Workers, func(w labs.Worker) bool { return w.Name == s.Host.Name }) {
		return "labrun preflight LAB --host " + s.Host.Name
	}
	return "mend the BMC " + s.Host.Address + " and run the same command again; where the server is lost: oc delete secret -n " + f.ControlPlaneNamespace() + " " + s.Host.Secret
}

// off switches the server off and ejects what is the lab's, and says what it found: with
// an error too, once the server is off.
func (s PowerOff) off(ctx context.Context, env *Env, host redfish.Host) (string, error) {
	service, err := redfish.Open(ctx, host)
	if err != nil {
		return "", err
	}
	defer func() { _ = service.Close(ctx) }()
	power, err := service.Power(ctx)
	if err != nil {
		return "", err
	}
	said := "off already"
	if power != schemas.OffPowerState {
		said = "switched off"
		err := env.scope.DoObservable(ctx, "power off", "server "+s.Host.Name, func(ctx context.Context) (bool, string, error) {
			return true, "", s.switchOff(ctx, env, service)
		})
		if err != nil {
			return "", err
		}
	}
	ejected, err := s.eject(ctx, env, service)
	return said + ejected, err
}

// eject takes the lab's images out of the drives, and says what it found in them.
func (s PowerOff) eject(ctx context.Context, env *Env, service *redfish.Service) (said string, err error) {
	media, err := service.Media(ctx)
	if errors.Is(err, redfish.ErrNoVirtualMedia) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, m := range media {
		switch {
		case m.Image == "" && !m.Inserted:
			continue
		case !ofLab(env.facts, m.Image):
			said += ", " + m.Image + " left in its drive"
			continue
		}
		err := env.scope.DoObservable(ctx, "eject", "server "+s.Host.Name+" "+m.Path, func(ctx context.Context) (bool, string, error) {
			err := service.EjectSlot(ctx, m.Path)
			return err == nil, "", err
		})
		if err != nil {
			return said, err
		}
		said += ", image ejected"
	}
	return said, nil
}

// ofLab says whether an image is one that Ironic or assisted-service serves: what a
// lab puts into a drive. The rest is somebody's own.
func ofLab(f *labs.Facts, image string) bool {
	u, err := url.Parse(image)
	if err != nil {
		return false
	}
	return strings.HasPrefix(u.Path, "/redfish/boot-") || strings.HasPrefix(u.Hostname(), "assisted-image-service-"+f.MCE.Namespace+".")
}

// switchOff asks for power off, and waits until the server is.
func (s PowerOff) switchOff(ctx context.Context, env *Env, service *redfish.Service) error {
	if err := service.Reset(ctx, schemas.ForceOffResetType); err != nil {
		return err
	}
	taken := time.Now()
	for {
		power, err := service.Power(ctx)
		if err != nil || power == schemas.OffPowerState {
			return err
		}
		env.scope.Progress(report("server "+s.Host.Name+" is being switched off", "seen", "PowerState "+string(power), "labrun preflight LAB --host "+s.Host.Name))
		timer := time.NewTimer(powerEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("it took ForceOff, and its PowerState is still %s %s later", power, time.Since(taken).Round(time.Second))
		case <-timer.C:
		}
	}
}
