package sim

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/labrun/labrun/internal/sim/world"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// play starts the players. Those whose kinds are not there yet start when they are.
func (l *Lab) play(life context.Context) error {
	w := l.world()
	for _, p := range Players() {
		if !l.without(p.Name) {
			w.Playing = append(w.Playing, p.Name)
		}
	}
	if l.options.Hub == nil {
		var err error
		if l.hosted, err = newHosted(life, l); err != nil {
			return err
		}
		w.Hosted = l.hosted.api
	}
	arrivals := newArrivals()
	var started []<-chan struct{}
	for _, p := range Players() {
		if l.without(p.Name) || (l.options.Hub != nil && p.Name != machines) {
			continue
		}
		if len(p.Kinds) > 0 {
			l.running.Go(func() { l.playLater(life, p, w, arrivals) })
			continue
		}
		mgr, err := l.setUp(p, w)
		if err != nil {
			return err
		}
		started = append(started, mgr.Elected())
		l.running.Go(func() { l.run(life, p.Name, mgr) })
	}
	watcher, err := l.watchDefinitions(arrivals)
	if err != nil {
		return err
	}
	started = append(started, watcher.Elected())
	l.running.Go(func() { l.run(life, "definitions", watcher) })
	return l.awaitStart(life, started)
}

// startLimit is how long the players may take to start on a busy machine.
const startLimit = 3 * time.Minute

// awaitStart waits until the players that could start have.
func (l *Lab) awaitStart(ctx context.Context, started []<-chan struct{}) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	for _, one := range started {
		select {
		case <-one:
		case err := <-l.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("the players did not start within %s", startLimit)
		}
	}
	return nil
}

func (l *Lab) playLater(life context.Context, p Player, w *world.World, there *arrivals) {
	for _, kind := range p.Kinds {
		if !there.await(life, kind) {
			return
		}
	}
	mgr, err := l.setUp(p, w)
	if err != nil {
		l.fail(err)
		return
	}
	l.run(life, p.Name, mgr)
}

func (l *Lab) setUp(p Player, w *world.World) (manager.Manager, error) {
	mgr, err := l.manager()
	if err != nil {
		return nil, fmt.Errorf("starting player %s: %w", p.Name, err)
	}
	if err := p.Setup(mgr, w); err != nil {
		return nil, fmt.Errorf("starting player %s: %w", p.Name, err)
	}
	return mgr, nil
}

// manager is one player's own: a player that cannot start, or waits for its kinds, holds up no other.
func (l *Lab) manager() (manager.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	again, patience := true, 5*time.Second
	return ctrl.NewManager(l.player(), ctrl.Options{
		Scheme: scheme, Logger: logr.FromSlogHandler(loud{l.log.Handler()}),
		Metrics:                 metrics.Options{BindAddress: "0"},
		Controller:              config.Controller{SkipNameValidation: &again},
		GracefulShutdownTimeout: &patience,
	})
}

func (l *Lab) run(life context.Context, name string, mgr manager.Manager) {
	err := mgr.Start(life)
	switch {
	case life.Err() != nil:
	case err == nil:
		l.fail(fmt.Errorf("player %s: %w", name, errEnded))
	default:
		l.fail(fmt.Errorf("player %s: %w", name, err))
	}
}

// world is what the players share of this lab.
func (l *Lab) world() *world.World {
	w := &world.World{
		Hub: l.player(), Log: l.log, Pace: l.options.pace(), Faults: l.options.faults(),
		Machines: l.machines, Images: l.web, Ironic: l.web, BreakBMC: l.breakBMC, BreakRegistry: l.registry.Refuse, DNS: l.names.Address(),
	}
	if hub := l.options.Hub; hub != nil {
		w.Pace = hub.options.pace()
	}
	if l.facts.Disconnected {
		w.Registry = l.release.registry
	}
	return w
}

// loud lets warnings and errors of the players' machinery through, and not that it starts and stops.
type loud struct{ slog.Handler }

// Enabled says which records are handled.
func (loud) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// WithAttrs keeps the limit.
func (h loud) WithAttrs(attrs []slog.Attr) slog.Handler { return loud{h.Handler.WithAttrs(attrs)} }

// WithGroup keeps the limit.
func (h loud) WithGroup(name string) slog.Handler { return loud{h.Handler.WithGroup(name)} }
