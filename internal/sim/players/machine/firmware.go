package machine

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/world"
)

// firmware is what a server knows of itself: its power, its drive, what it is to boot from.
type firmware struct {
	machine world.Machine
	client  *http.Client
}

func newFirmware(m world.Machine) *firmware {
	return &firmware{machine: m, client: &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // a virtual drive's VerifyCertificate is false
		},
	}}
}

// state is a server, as its own BMC has it.
type state struct {
	On       bool
	FromCD   bool   // the boot override names the virtual drive
	Inserted string // URL of the image in the drive, "" where it is empty
	Drive    string // path of the drive that holds it
}

type ref struct {
	ID string `json:"@odata.id"`
}

// look reads the state; the drives only where asked for.
func (f *firmware) look(ctx context.Context, drives bool) (state, error) {
	var system struct {
		PowerState string
		Boot       struct{ BootSourceOverrideTarget string }
		Media      ref `json:"VirtualMedia"`
		Links      struct{ ManagedBy []ref }
	}
	err := f.read(ctx, "/redfish/v1/Systems/"+f.machine.UUID, &system)
	if err != nil {
		return state{}, err
	}
	target := strings.ToLower(system.Boot.BootSourceOverrideTarget)
	now := state{On: system.PowerState == "On", FromCD: target == "cd" || target == "usbcd"}
	if !now.On || !now.FromCD || !drives {
		return now, nil
	}
	collections := []string{system.Media.ID}
	for _, manager := range system.Links.ManagedBy {
		if system.Media.ID != "" {
			break
		}
		var m struct {
			Media ref `json:"VirtualMedia"`
		}
		if err := f.read(ctx, manager.ID, &m); err != nil {
			return state{}, err
		}
		collections = append(collections, m.Media.ID)
	}
	now.Inserted, now.Drive, err = f.inserted(ctx, collections)
	return now, err
}

// inserted is the image in the first drive that holds one, and that drive's path.
func (f *firmware) inserted(ctx context.Context, collections []string) (image, path string, err error) {
	for _, collection := range collections {
		if collection == "" {
			continue
		}
		var slots struct{ Members []ref }
		if err := f.read(ctx, collection, &slots); err != nil {
			return "", "", err
		}
		for _, slot := range slots.Members {
			var drive struct {
				Inserted bool
				Image    string
			}
			if err := f.read(ctx, slot.ID, &drive); err != nil {
				return "", "", err
			}
			if drive.Inserted && drive.Image != "" {
				return drive.Image, slot.ID, nil
			}
		}
	}
	return "", "", nil
}

// eject empties a drive by the machine's own hand.
func (f *firmware) eject(ctx context.Context, drive string) error {
	url := strings.TrimSuffix(f.machine.BMC, "/") + drive + "/Actions/VirtualMedia.EjectMedia"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("emptying the drive of %s: %w", f.machine.Name, err)
	}
	request.SetBasicAuth(f.machine.User, f.machine.Password)
	request.Header.Set("Content-Type", "application/json")
	answer, err := f.client.Do(request)
	if err != nil {
		return fmt.Errorf("emptying the drive of %s: %w", f.machine.Name, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("emptying the drive of %s: HTTP %d", f.machine.Name, answer.StatusCode)
	}
	return nil
}

func (f *firmware) read(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(f.machine.BMC, "/")+path, nil)
	if err != nil {
		return fmt.Errorf("asking the BMC of %s: %w", f.machine.Name, err)
	}
	request.SetBasicAuth(f.machine.User, f.machine.Password)
	answer, err := f.client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the BMC of %s: %w", f.machine.Name, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the BMC of %s for %s: HTTP %d", f.machine.Name, path, answer.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 4<<20)).Decode(into); err != nil {
		return fmt.Errorf("reading %s of the BMC of %s: %w", path, f.machine.Name, err)
	}
	return nil
}

// boot fetches the image at url as the virtual drive does, and gives the InfraEnv's id that it carries.
func (f *firmware) boot(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("booting %s from %s: %w", f.machine.Name, url, err)
	}
	answer, err := f.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("booting %s from %s: %w", f.machine.Name, url, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("booting %s from %s: HTTP %d", f.machine.Name, url, answer.StatusCode)
	}
	image, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return "", fmt.Errorf("booting %s from %s: %w", f.machine.Name, url, err)
	}
	return InfraEnvID(image)
}
