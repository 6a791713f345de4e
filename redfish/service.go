package redfish

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/stmcginnis/gofish/schemas"
)

// Service is an open connection to a host's BMC that may write. Its methods are safe for use by one goroutine at a time.
// Errors of requests are *RequestError, of missing properties *PropertyError; sentinels are named at the methods.
type Service struct {
	conn   *conn
	root   *resource
	system string // path; empty until the only system is known
}

// System is what a ComputerSystem says of itself; a field is empty where the BMC does not say.
type System struct {
	Path         string
	Name         string
	UUID         string
	Manufacturer string
	Model        string
	PowerState   schemas.PowerState
	BootTarget   string // BootSourceOverrideTarget
	BootEnabled  string // BootSourceOverrideEnabled: Once, Continuous or Disabled
}

// Medium is one virtual media slot.
type Medium struct {
	Path       string
	MediaTypes []string // CD, DVD, Floppy, USBStick; empty where the BMC does not say
	Inserted   bool
	Image      string // URL; empty where there is none
}

// Open reads the service root and authenticates: with a session where the BMC advertises them, else with Basic. A wrong
// password costs exactly one attempt, and nothing is sent with it afterwards. The caller must Close the service, which
// deletes the session.
func Open(ctx context.Context, host Host) (*Service, error) {
	address, err := ParseAddress(host.Address)
	if err != nil {
		return nil, err
	}
	c, err := newConn(host, address, Options{}.withDefaults())
	if err != nil {
		return nil, err
	}
	s := &Service{conn: c, system: address.System}
	if s.root, err = c.get(ctx, serviceRoot); statusOf(err) == http.StatusUnauthorized {
		s.root, err = &resource{path: serviceRoot}, nil // against the standard, but it happens: Basic then
	}
	if err == nil {
		err = c.authenticate(ctx, s.root).err
	}
	if err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// Close deletes the session, also where ctx is cancelled already, and closes the connection.
func (s *Service) Close(ctx context.Context) error { return s.conn.logout(ctx) }

// System reads the host's system: the one that the address names, or the only one.
func (s *Service) System(ctx context.Context) (System, error) {
	r, err := s.readSystem(ctx)
	if err != nil {
		return System{}, err
	}
	return System{
		Path: r.path, Name: orEmpty(r.text("Name")), UUID: orEmpty(r.text("UUID")),
		Manufacturer: orEmpty(r.text("Manufacturer")), Model: orEmpty(r.text("Model")),
		PowerState:  schemas.PowerState(orEmpty(r.text("PowerState"))),
		BootTarget:  orEmpty(r.text("Boot", "BootSourceOverrideTarget")),
		BootEnabled: orEmpty(r.text("Boot", "BootSourceOverrideEnabled")),
	}, nil
}

// Power reads the system's PowerState: On, Off, PoweringOn or PoweringOff.
func (s *Service) Power(ctx context.Context) (schemas.PowerState, error) {
	r, err := s.readSystem(ctx)
	if err != nil {
		return "", err
	}
	state, err := r.text("PowerState")
	return schemas.PowerState(state), err
}

// Reset asks for a power change, such as schemas.OnResetType or schemas.ForceOffResetType. It returns when the BMC has
// accepted; the change may take seconds more.
func (s *Service) Reset(ctx context.Context, kind schemas.ResetType) error {
	r, err := s.readSystem(ctx)
	if err != nil {
		return err
	}
	target, err := r.text("Actions", "#ComputerSystem.Reset", "target")
	if err != nil {
		return err
	}
	return s.post(ctx, target, map[string]any{"ResetType": kind})
}

// SetBootOnce makes the next boot one from the target, such as "Cd".
func (s *Service) SetBootOnce(ctx context.Context, target schemas.BootSource) error {
	r, err := s.readSystem(ctx)
	if err != nil {
		return err
	}
	return s.patch(ctx, r, struct{ Boot schemas.Boot }{schemas.Boot{
		BootSourceOverrideTarget:  target,
		BootSourceOverrideEnabled: schemas.OnceBootSourceOverrideEnabled,
	}})
}

// Media lists the virtual media slots in the order of their paths: those of the system, or, where it links to none, of its
// Managers. The error is ErrNoVirtualMedia (and names the missing property) where neither has any.
func (s *Service) Media(ctx context.Context) ([]Medium, error) {
	m, err := s.readMedia(ctx)
	if err != nil {
		return nil, err
	}
	var out []Medium
	for _, slot := range m.slots {
		out = append(out, slot.medium())
	}
	return out, nil
}

// InsertMedia puts the image at this URL into the first slot that takes a CD or DVD: by the action, else by PATCH. It gives
// the slot. ErrNoVirtualMedia and ErrNoCDSlot say what the BMC lacks.
func (s *Service) InsertMedia(ctx context.Context, image string) (Medium, error) {
	disc, err := s.disc(ctx)
	if err != nil {
		return Medium{}, err
	}
	if target, missing := disc.text("Actions", "#VirtualMedia.InsertMedia", "target"); missing == nil {
		err = s.post(ctx, target, map[string]any{"Image": image})
	} else {
		err = s.patch(ctx, disc.resource, map[string]any{"Image": image, "Inserted": true})
	}
	return disc.medium(), err
}

// EjectMedia empties every slot that takes a CD or DVD and has something in it. An empty BMC is no error.
func (s *Service) EjectMedia(ctx context.Context) error {
	return s.eject(ctx, func(slot) bool { return true })
}

// EjectSlot empties the slot of this path, as Media gives it, where it takes a CD or DVD and has something in it.
func (s *Service) EjectSlot(ctx context.Context, path string) error {
	return s.eject(ctx, func(disc slot) bool { return disc.path == path })
}

func (s *Service) eject(ctx context.Context, which func(slot) bool) error {
	m, err := s.readMedia(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, disc := range m.discs() {
		if held := disc.medium(); !which(disc) || !held.Inserted && held.Image == "" {
			continue
		}
		if target, missing := disc.text("Actions", "#VirtualMedia.EjectMedia", "target"); missing == nil {
			errs = append(errs, s.post(ctx, target, map[string]any{}))
		} else {
			errs = append(errs, s.patch(ctx, disc.resource, map[string]any{"Image": nil, "Inserted": false}))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) readSystem(ctx context.Context) (*resource, error) {
	if s.system == "" {
		link, err := s.root.link("Systems")
		if err != nil {
			return nil, err
		}
		collection, err := s.conn.get(ctx, link)
		if err != nil {
			return nil, err
		}
		members, err := collection.links("Members")
		if err != nil {
			return nil, err
		}
		if len(members) != 1 {
			return nil, fmt.Errorf("the address names no system, and the BMC has %d: %s", len(members), listed(members))
		}
		s.system = members[0]
	}
	return s.conn.get(ctx, s.system)
}

func (s *Service) readMedia(ctx context.Context) (media, error) {
	system, err := s.readSystem(ctx)
	if err != nil {
		return media{}, err
	}
	m, err := findMedia(ctx, s.conn, system)
	if err == nil && len(m.slots) == 0 {
		err = m.err
	}
	return m, err
}

func (s *Service) disc(ctx context.Context) (slot, error) {
	m, err := s.readMedia(ctx)
	if err != nil {
		return slot{}, err
	}
	if discs := m.discs(); len(discs) > 0 {
		return discs[0], nil
	}
	return slot{}, fmt.Errorf("%s: %w", m.where, ErrNoCDSlot)
}

func (s *Service) post(ctx context.Context, link string, payload any) error {
	path, err := localPath(s.conn.base, link)
	if err != nil {
		return err
	}
	_, err = s.conn.do(ctx, http.MethodPost, path, payload, nil)
	return err
}

// patch changes a resource on the version that was read, where the BMC gives one.
func (s *Service) patch(ctx context.Context, r *resource, payload any) error {
	headers := map[string]string{}
	if tag := r.header.Get("ETag"); tag != "" {
		headers["If-Match"] = tag
	}
	_, err := s.conn.do(ctx, http.MethodPatch, r.path, payload, headers)
	if statusOf(err) == http.StatusPreconditionFailed && len(headers) > 0 {
		// Some BMCs give weak tags, which If-Match never matches, or a new one with each answer.
		_, err = s.conn.do(ctx, http.MethodPatch, r.path, payload, nil)
	}
	return err
}

func (s slot) medium() Medium {
	out := Medium{Path: s.path}
	out.MediaTypes, _ = s.texts("MediaTypes")
	out.Inserted, _ = s.flag("Inserted")
	if image, err := s.text("Image"); err == nil && image != "None" {
		out.Image = image
	}
	return out
}
