package steps

import (
	"strings"
	"testing"

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
	if host, err := (PowerOff{Host: destroy.HostOutput{Name: "gone"}}).access(t.Context(), env); host != nil || err != nil {
		t.Errorf("a host that nobody knows is reached at %+v, %v", host, err)
	}
}
