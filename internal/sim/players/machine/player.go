package machine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/labrun/labrun/internal/sim/world"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// Player plays the servers of World.Machines.
func Player() world.Player {
	return world.Player{
		Name:  "machine",
		Plays: "the servers of the rack: they boot what their BMC has in its drive, and their live image registers an Agent",
		Setup: setup,
	}
}

func setup(mgr ctrl.Manager, w *world.World) error {
	service := registry{client: mgr.GetClient(), reader: mgr.GetAPIReader(), cache: mgr.GetCache()}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		var running sync.WaitGroup
		for i, m := range w.Machines {
			running.Go(func() {
				s := &server{
					firmware: newFirmware(m), service: service, pace: w.Pace, log: w.Log.With("player", "machine", "machine", m.Name),
					hangs: i == 0 && w.Faults.On("agent-lost"), drops: i == 0 && w.Faults.On("bmh-media-lost"),
				}
				s.run(ctx)
			})
		}
		running.Wait()
		return nil
	}))
}

const poll = 400 * time.Millisecond

// server is one machine while it runs.
type server struct {
	firmware *firmware
	service  registry
	pace     world.Pace
	log      *slog.Logger
	hangs    bool // its agent registers, and is not heard of again
	drops    bool // its BMC loses what is in the virtual drive

	image    string // URL that was booted, "" where nothing runs
	infraEnv string // id in that image
	live     time.Time
	in       bool // its agent is registered and in touch
}

// run looks at the machine until ctx is done, more seldom while its BMC does not answer.
func (s *server) run(ctx context.Context) {
	away := backoff.NewExponentialBackOff()
	away.InitialInterval, away.MaxInterval = poll, 5*time.Second
	next, said := poll, ""
	for {
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		err := s.step(ctx)
		if err == nil {
			away.Reset()
			next, said = poll, ""
			continue
		}
		next = away.NextBackOff()
		if ctx.Err() == nil && said != err.Error() {
			said = err.Error()
			s.log.Info("machine does not run", "why", said)
		}
	}
}

// step looks once and does what follows.
func (s *server) step(ctx context.Context) error {
	now, err := s.firmware.look(ctx, s.image == "")
	if err != nil {
		return err
	}
	if !now.On {
		return s.stop(ctx)
	}
	if s.image == "" {
		if !now.FromCD || now.Inserted == "" {
			return nil // it runs from its disk, or from nothing
		}
		if s.drops {
			s.log.Info("the BMC drops its virtual drive's image: booting from disk, which is empty")
			return s.firmware.eject(ctx, now.Drive)
		}
		return s.start(ctx, now.Inserted)
	}
	if s.infraEnv == "" || time.Now().Before(s.live) {
		return nil
	}
	return s.report(ctx)
}

// start boots the image; the time that takes is waited for by later steps.
func (s *server) start(ctx context.Context, url string) error {
	id, err := s.firmware.boot(ctx, url)
	if err != nil {
		return err
	}
	s.image, s.infraEnv = url, id
	s.live = time.Now().Add(s.pace.Delay("machine.boot", 4*time.Minute))
	s.log.Info("booted from its virtual drive", "image", url, "infraenv", id)
	return nil
}

// stop notes that the machine was switched off.
func (s *server) stop(ctx context.Context) error {
	if s.image == "" {
		return nil
	}
	if s.in {
		if err := s.service.lost(ctx, s.firmware.machine.UUID); err != nil {
			return err
		}
	}
	s.image, s.infraEnv, s.in = "", "", false
	s.log.Info("switched off")
	return nil
}

// report registers the live image's agent, unless the machine was installed by it and rebooted into its disk.
func (s *server) report(ctx context.Context) error {
	contact := "true"
	if s.hangs {
		contact = "false"
	}
	known, err := s.service.agents(ctx, s.firmware.machine.UUID)
	if err != nil {
		return err
	}
	for i := range known {
		if installed(&known[i]) {
			return nil
		}
		if s.in && known[i].GetAnnotations()[Contact] == contact && known[i].GetDeletionTimestamp() == nil {
			return nil
		}
	}
	in, err := s.service.register(ctx, s.firmware.machine, s.infraEnv, contact)
	if err != nil {
		return err
	}
	if in && !s.in {
		s.log.Info("its agent registered")
	}
	s.in = in
	return nil
}
