package steps

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stmcginnis/gofish/schemas"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/redfish/bmctest"
	"github.com/labrun/labrun/steps/destroy"
)

// leftOn is a BMC whose server was left on, with an image in its drive.
func leftOn(t *testing.T, image string) *bmctest.BMC {
	t.Helper()
	return leftOnWith(t, "right", image)
}

func leftOnWith(t *testing.T, password, image string) *bmctest.BMC {
	t.Helper()
	b, err := bmctest.New(bmctest.Config{TLS: true, Sessions: true, Username: "admin", Password: password, NoFetch: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	service, err := redfish.Open(t.Context(), redfish.Host{Address: b.Address(bmctest.System), DisableCertificateVerification: true,
		Credentials: redfish.Credentials{Username: "admin", Password: password}})
	if err != nil {
		t.Fatal(err)
	}
	if image != "" {
		if err := service.Reset(t.Context(), schemas.OnResetType); err != nil {
			t.Fatal(err)
		}
		if _, err := service.InsertMedia(t.Context(), image); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// What Metal3 left is switched off, and loses the lab's image; somebody else's stays
// in the drive. A server that is off is asked, and left alone.
func TestPowerOff(t *testing.T) {
	t.Setenv("RIGHT", "right")
	for _, c := range []struct {
		image, seen string
		effects     int
		left        any // in the drive
	}{
		{"https://hub:6183/redfish/boot-3c1f.iso", "switched off, image ejected", 2, nil},
		{"https://assisted-image-service-multicluster-engine.apps.hub/images/1.iso", "switched off, image ejected", 2, nil},
		{"http://rescue/memtest.iso", "switched off, http://rescue/memtest.iso left in its drive", 1, "http://rescue/memtest.iso"},
		{"", "off already", 0, nil},
	} {
		f := factsOf(t, ipv4)
		b := leftOn(t, c.image)
		f.Workers = workersAt("RIGHT", b)
		env, heard := anEnv(t, f, LabOptions{})
		s := PowerOff{Host: destroy.HostOutput{Name: "worker0"}}
		host, err := s.access(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := s.off(t.Context(), env, *host)
		if err != nil || seen != c.seen {
			t.Errorf("%s: %q, %v", c.image, seen, err)
		}
		if power, left := b.Property(bmctest.System, "PowerState"), b.Property(bmctest.Slot, "Image"); power != "Off" || left != c.left {
			t.Errorf("%s: the server is %v, with %v", c.image, power, left)
		}
		effects := 0
		for _, e := range heard.events {
			if e.Type == event.Done && e.Effect.Changed {
				effects++
			}
		}
		if effects != c.effects {
			t.Errorf("%s: %d effects, want %d", c.image, effects, c.effects)
		}
		if open, _ := b.Sessions(); open != 0 {
			t.Errorf("%s: %d sessions are open", c.image, open)
		}
	}
}

// A BMC that does not answer is told, and is no failure here: the inventory keeps the
// host, so that nothing is written to the cluster.
func TestPowerOffOfSilentBMC(t *testing.T) {
	t.Setenv("RIGHT", "right")
	f := factsOf(t, ipv4)
	b := leftOn(t, "")
	b.Break(bmctest.Fault{Kind: bmctest.Status, Status: 503})
	f.Workers = workersAt("RIGHT", b)
	env, heard := anEnv(t, f, LabOptions{Kubeconfig: "no-such-file"})
	out, err := PowerOff{Host: destroy.HostOutput{Name: "worker0"}}.Run(t.Context(), env)
	if err != nil || !strings.HasPrefix(out.Seen, "not switched off") {
		t.Errorf("%+v, %v", out, err)
	}
	if len(heard.events) != 1 || heard.events[0].Type != event.StepWarned || !strings.Contains(heard.events[0].Report.Title, "worker0 could not be switched off") {
		t.Errorf("told: %+v", heard.events)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	if out, err := (PowerOff{Host: destroy.HostOutput{Name: "worker0"}}).Run(interrupted, env); !errors.Is(err, context.Canceled) || len(heard.events) != 1 {
		t.Errorf("interrupted: %+v, %v, told %+v", out, err, heard.events[1:])
	}
	if host, err := (PowerOff{Host: destroy.HostOutput{Name: "gone"}}).access(t.Context(), env); host != nil || err != nil {
		t.Errorf("a host that nobody knows is reached at %+v, %v", host, err)
	}
}

// A BMC that takes what it is told and does not do it holds up nothing either: it is
// told within the step's time what was not done, and the inventory keeps the host.
func TestPowerOffOfBMCThatDoesNotDoIt(t *testing.T) {
	t.Setenv("RIGHT", "right")
	image := "https://hub:6183/redfish/boot-3c1f.iso"
	for _, c := range []struct {
		name        string
		fault       bmctest.Fault
		within      time.Duration
		seen, title string
	}{
		{"it stays on", bmctest.Fault{Kind: bmctest.Replace, Method: http.MethodGet, Path: bmctest.System, Property: []string{"PowerState"}, Value: "On"}, 6 * time.Second,
			"not switched off: its BMC did not do it", "worker0 could not be switched off by its BMC: it took ForceOff, and its PowerState is still On"},
		{"its drives are not to be seen", bmctest.Fault{Path: bmctest.Slot, Status: 500}, time.Minute,
			"switched off, its drives as they were: its BMC did not do it", "worker0 is off, and the lab's image may be in its drive still: "},
		{"it does not eject", bmctest.Fault{Method: http.MethodPost, Path: bmctest.Slot + "/*", Status: 500}, time.Minute,
			"switched off, its drives as they were: its BMC did not do it", "worker0 is off, and the lab's image may be in its drive still: "},
	} {
		f := factsOf(t, ipv4)
		b := leftOn(t, image)
		b.Break(c.fault)
		f.Workers = workersAt("RIGHT", b)
		env, heard := anEnv(t, f, LabOptions{Kubeconfig: "no-such-file"})
		ctx, cancel := context.WithTimeout(t.Context(), c.within)
		out, err := PowerOff{Host: destroy.HostOutput{Name: "worker0"}}.Run(ctx, env)
		if err != nil || out.Seen != c.seen {
			t.Errorf("%s: %+v, %v", c.name, out, err)
		}
		var told []string
		for _, e := range heard.events {
			if e.Type == event.StepWarned {
				told = append(told, e.Report.Title)
			}
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], c.title) {
			t.Errorf("%s: told %q", c.name, told)
		}
		if ctx.Err() != nil {
			t.Errorf("%s: it took all of the step's time", c.name)
		}
		cancel()
	}
}
