package redfish

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stmcginnis/gofish/schemas"

	"github.com/labrun/labrun/redfish/bmctest"
)

// imageServer serves an image, and counts how often it was fetched.
func imageServer(t *testing.T) (url string, fetched *atomic.Int32) {
	t.Helper()
	fetched = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/boot.iso" {
			http.NotFound(w, r)
			return
		}
		fetched.Add(1)
		_, _ = w.Write([]byte("an image"))
	}))
	t.Cleanup(s.Close)
	return s.URL, fetched
}

func TestServiceBootsFromAnImage(t *testing.T) {
	images, fetched := imageServer(t)
	for _, test := range []struct {
		name   string
		config bmctest.Config
	}{
		{"basic, action", bmctest.Config{}},
		{"session, action, TLS", bmctest.Config{Sessions: true, TLS: true}},
		{"PATCH", bmctest.Config{Patch: true, Tree: bmctest.Small().Unset(bmctest.Slot, "Actions")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fetched.Store(0)
			b := start(t, test.config)
			boot(t, hostAt(b), images+"/boot.iso")
			if fetched.Load() != 1 {
				t.Errorf("the image was fetched %d times", fetched.Load())
			}
			if open, _ := b.Sessions(); open != 0 {
				t.Errorf("%d sessions left", open)
			}
		})
	}
}

// boot drives a BMC as Metal3 does: off, image in, boot once, on, off, image out. It fails the test where that is not seen.
func boot(t *testing.T, h Host, image string) {
	t.Helper()
	ctx := t.Context()
	s, err := Open(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	slot, err := s.InsertMedia(ctx, image)
	if err != nil {
		t.Fatal(err)
	}
	media, err := s.Media(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := false
	for _, m := range media {
		held = held || m.Path == slot.Path && m.Inserted && m.Image == image
	}
	if !held {
		t.Errorf("the image is not in %s: %+v", slot.Path, media)
	}
	if err := s.SetBootOnce(ctx, schemas.CdBootSource); err != nil {
		t.Fatal(err)
	}
	if system, err := s.System(ctx); err != nil || system.BootTarget != "Cd" {
		t.Errorf("the boot target is %q, %v", system.BootTarget, err)
	}
	if err := s.Reset(ctx, schemas.OnResetType); err != nil {
		t.Fatal(err)
	}
	if err := s.EjectMedia(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.EjectMedia(ctx); err != nil {
		t.Errorf("an empty slot: %v", err)
	}
	media, err = s.Media(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range media {
		if m.Inserted || m.Image != "" {
			t.Errorf("still in: %+v", m)
		}
	}
}

func TestServicePower(t *testing.T) {
	b := start(t, bmctest.Config{})
	s, err := Open(t.Context(), hostAt(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		reset schemas.ResetType
		state schemas.PowerState
	}{{schemas.OnResetType, schemas.OnPowerState}, {schemas.ForceOffResetType, schemas.OffPowerState}} {
		if err := s.Reset(t.Context(), step.reset); err != nil {
			t.Fatal(err)
		}
		if state, err := s.Power(t.Context()); err != nil || state != step.state {
			t.Errorf("after %s: %s, %v", step.reset, state, err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServiceErrorsSayWhatWasAnswered(t *testing.T) {
	images, _ := imageServer(t)
	for _, test := range []struct {
		name   string
		config bmctest.Config
		host   func(*Host)
		do     func(context.Context, *Service) error
		method string
		path   string
		status int
		text   string
	}{
		{"wrong password", bmctest.Config{}, func(h *Host) { h.Credentials.Password = "wrong" }, nil,
			"GET", bmctest.Systems, 401, "Incorrect username or password"},
		{"wrong password, session", bmctest.Config{Sessions: true}, func(h *Host) { h.Credentials.Password = "wrong" }, nil,
			"POST", bmctest.Sessions, 401, "Incorrect username or password"},
		{"wrong id", bmctest.Config{}, func(h *Host) { h.Address += "7" },
			func(ctx context.Context, s *Service) error { _, err := s.Power(ctx); return err },
			"GET", bmctest.System + "7", 404, "no resource"},
		{"image 404", bmctest.Config{}, func(*Host) {},
			func(ctx context.Context, s *Service) error {
				_, err := s.InsertMedia(ctx, images+"/nope.iso")
				return err
			},
			"POST", bmctest.Slot + "/Actions/VirtualMedia.InsertMedia", 400, "HTTP 404"},
		{"reset type", bmctest.Config{}, func(*Host) {},
			func(ctx context.Context, s *Service) error { return s.Reset(ctx, "Jump") },
			"POST", bmctest.System + "/Actions/ComputerSystem.Reset", 400, "Jump"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, test.config)
			h := hostAt(b)
			test.host(&h)
			s, err := Open(t.Context(), h)
			if test.do != nil {
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close(t.Context())
				err = test.do(t.Context(), s)
			}
			var e *RequestError
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *RequestError", err)
			}
			if e.Method != test.method || e.URL != b.URL()+test.path || e.StatusCode != test.status || !strings.Contains(e.Message, test.text) {
				t.Errorf("got %+v", e)
			}
			if test.status == 401 && b.Refused() != 1 {
				t.Errorf("%d refusals", b.Refused())
			}
			if strings.Contains(err.Error(), "wrong") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestServiceErrorsSayWhyThereWasNoAnswer(t *testing.T) {
	_, err := Open(t.Context(), Host{Address: "redfish-virtualmedia+http://" + closedPort(t) + bmctest.System, Credentials: Credentials{user, password}})
	var e *RequestError
	if !errors.As(err, &e) || e.StatusCode != 0 || !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasSuffix(err.Error(), "/redfish/v1/: connection refused") {
		t.Errorf("%v", err)
	}
	_, err = Open(t.Context(), Host{Address: "foo://192.0.2.1"})
	var bad *AddressError
	if !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
	noManager := bmctest.Small().Unset(bmctest.System, "VirtualMedia").Unset(bmctest.System, "Links")
	s, err := Open(t.Context(), hostAt(start(t, bmctest.Config{Tree: noManager})))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	_, err = s.Media(t.Context())
	if !errors.Is(err, ErrNoVirtualMedia) || !strings.Contains(err.Error(), "Links.ManagedBy is missing") {
		t.Errorf("%v", err)
	}
}

func TestServiceDeletesItsSessionAfterCancel(t *testing.T) {
	b := start(t, bmctest.Config{Sessions: true})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Open(ctx, hostAt(b))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if open, ever := b.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d sessions left of %d", open, ever)
	}
}

func TestServiceWhoseRootAsksForALogin(t *testing.T) {
	s, err := Open(t.Context(), hostAt(start(t, bmctest.Config{Faults: []bmctest.Fault{{Path: bmctest.Root, Status: 401}}})))
	if err != nil {
		t.Fatal(err)
	}
	if state, err := s.Power(t.Context()); err != nil || state != schemas.OffPowerState {
		t.Errorf("%s, %v", state, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
