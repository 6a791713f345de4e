package ironic

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Node is one server, as Ironic drives it.
type Node struct {
	UUID   string // Ironic's own, as its messages name the node
	Access Access

	// PowerTimeout bounds the wait for a power state that was asked for.
	PowerTimeout time.Duration
	// Poll is how often the power state is asked for meanwhile.
	Poll time.Duration
}

// Hardware is what a server says of itself when it is registered.
type Hardware struct {
	PoweredOn    bool
	Manufacturer string
	Model        string
	Serial       string
	MemoryMiB    int64
	CPUs         int64
	BIOS         string
}

// Register asks for the server's power state: the proof that address, user, password and system are right.
func (n Node) Register(ctx context.Context) (Hardware, error) {
	c := connect(n.Access)
	if err := c.open(ctx); err != nil {
		return Hardware{}, err
	}
	system, err := c.get(ctx, n.Access.System)
	if err != nil {
		return Hardware{}, err
	}
	memory, _ := system.object("MemorySummary")["TotalSystemMemoryGiB"].(float64)
	cpus, _ := system.object("ProcessorSummary")["Count"].(float64)
	return Hardware{
		PoweredOn:    system.text("PowerState") == "On",
		Manufacturer: system.text("Manufacturer"),
		Model:        system.text("Model"),
		Serial:       system.text("SerialNumber"),
		MemoryMiB:    int64(memory * 1024),
		CPUs:         int64(cpus),
		BIOS:         system.text("BiosVersion"),
	}, nil
}

// Power switches the server on or off, where it is not so already, and waits until it is.
func (n Node) Power(ctx context.Context, on bool) error {
	c := connect(n.Access)
	if err := c.open(ctx); err != nil {
		return err
	}
	return n.power(ctx, c, on)
}

// Deploy boots the server from the image at bootURL: off, insert, boot from CD once, on.
func (n Node) Deploy(ctx context.Context, bootURL string) error {
	c := connect(n.Access)
	if err := c.open(ctx); err != nil {
		return err
	}
	system, err := c.get(ctx, n.Access.System)
	if err != nil {
		return err
	}
	if system.text("PowerState") == "On" {
		if err := n.power(ctx, c, false); err != nil {
			return err
		}
	}
	if err := n.insert(ctx, c, system, bootURL); err != nil {
		return err
	}
	boot := map[string]any{"Boot": map[string]any{"BootSourceOverrideTarget": "Cd"}}
	if _, err := c.send(ctx, http.MethodPatch, n.Access.System, boot); err != nil {
		return worded(err, "Setting boot device to cdrom failed for node %s. Error: %v", n.UUID, err)
	}
	return n.power(ctx, c, true)
}

// Teardown switches the server off and takes the image out of its drive.
func (n Node) Teardown(ctx context.Context) error {
	c := connect(n.Access)
	if err := c.open(ctx); err != nil {
		return err
	}
	if err := n.power(ctx, c, false); err != nil {
		return err
	}
	system, err := c.get(ctx, n.Access.System)
	if err != nil {
		return err
	}
	drives, err := n.drives(ctx, c, system)
	if err != nil {
		return nil //nolint:nilerr // a server without a drive has nothing to eject
	}
	for _, drive := range drives {
		if inserted, _ := drive["Inserted"].(bool); !inserted {
			continue
		}
		if err := n.eject(ctx, c, drive); err != nil {
			return err
		}
	}
	return nil
}

func (n Node) power(ctx context.Context, c *connection, on bool) error {
	want, reset := "On", "On"
	if !on {
		want, reset = "Off", "ForceOff"
	}
	system, err := c.get(ctx, n.Access.System)
	if err != nil {
		return err
	}
	if system.text("PowerState") == want {
		return nil
	}
	target := system.object("Actions").object("#ComputerSystem.Reset").text("target")
	if target == "" {
		target = n.Access.System + "/Actions/ComputerSystem.Reset"
	}
	if _, err := c.send(ctx, http.MethodPost, target, map[string]any{"ResetType": reset}); err != nil {
		return worded(err, "Redfish set power state failed for node %s. Error: %v", n.UUID, err)
	}
	return n.reached(ctx, c, want)
}

// reached waits until the server's power state is want.
func (n Node) reached(ctx context.Context, c *connection, want string) error {
	ctx, cancel := context.WithTimeout(ctx, n.PowerTimeout)
	defer cancel()
	for {
		system, err := c.get(ctx, n.Access.System)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil && system.text("PowerState") == want {
			return nil
		}
		if err := wait(ctx, n.Poll); err != nil {
			return worded(err, "Timed out after %s waiting for power state %s of node %s", n.PowerTimeout, strings.ToLower(want), n.UUID)
		}
	}
}

// ErrNoDrive says that a server has no drive to boot from; its text is Ironic's.
var ErrNoDrive = worded(nil, "No suitable virtual media device found.")

// drives are the virtual drives that take a CD or DVD: the system's own first, then those of its managers.
func (n Node) drives(ctx context.Context, c *connection, system resource) ([]resource, error) {
	if collection := system.link("VirtualMedia"); collection != "" {
		found, err := n.slots(ctx, c, collection)
		if err == nil && len(found) > 0 {
			return found, nil
		}
	}
	managers := system.object("Links").members("ManagedBy")
	if len(managers) == 0 {
		return nil, &MissingAttribute{Attribute: "Links/ManagedBy", Resource: n.Access.System}
	}
	var found []resource
	for _, path := range managers {
		manager, err := c.get(ctx, path)
		if err != nil {
			return nil, err
		}
		if collection := manager.link("VirtualMedia"); collection != "" {
			slots, err := n.slots(ctx, c, collection)
			if err != nil {
				continue // a manager whose media are elsewhere
			}
			found = append(found, slots...)
		}
	}
	if len(found) == 0 {
		return nil, ErrNoDrive
	}
	return found, nil
}

func (n Node) slots(ctx context.Context, c *connection, collection string) ([]resource, error) {
	list, err := c.get(ctx, collection)
	if err != nil {
		return nil, err
	}
	var found []resource
	for _, path := range list.members("Members") {
		slot, err := c.get(ctx, path)
		if err != nil {
			return nil, err
		}
		types, stated := slot["MediaTypes"].([]any)
		if !stated || slices.Contains(types, any("CD")) || slices.Contains(types, any("DVD")) {
			found = append(found, slot)
		}
	}
	return found, nil
}

// MissingAttribute is a resource that lacks what Ironic reads of it.
type MissingAttribute struct{ Attribute, Resource string }

// Error is worded as Ironic's redfish library does.
func (m *MissingAttribute) Error() string {
	return fmt.Sprintf("The attribute %s is missing from the resource %s", m.Attribute, m.Resource)
}

func (n Node) insert(ctx context.Context, c *connection, system resource, image string) error {
	drives, err := n.drives(ctx, c, system)
	if err != nil {
		return err
	}
	var last error
	for _, drive := range drives {
		if inserted, _ := drive["Inserted"].(bool); inserted {
			if err := n.eject(ctx, c, drive); err != nil {
				last = err
				continue
			}
		}
		target := drive.object("Actions").object("#VirtualMedia.InsertMedia").text("target")
		if target == "" {
			target = drive.text("@odata.id") + "/Actions/VirtualMedia.InsertMedia"
		}
		if _, last = c.send(ctx, http.MethodPost, target, map[string]any{"Image": image}); last == nil {
			return nil
		}
	}
	return worded(last, "All virtual media mount attempts failed. Most recent error: Inserting virtual media into "+
		"VirtualMediaType.CD failed for node %s, moving to next virtual media device, if available. %v", n.UUID, last)
}

func (n Node) eject(ctx context.Context, c *connection, drive resource) error {
	target := drive.object("Actions").object("#VirtualMedia.EjectMedia").text("target")
	if target == "" {
		target = drive.text("@odata.id") + "/Actions/VirtualMedia.EjectMedia"
	}
	_, err := c.send(ctx, http.MethodPost, target, map[string]any{})
	return err
}
