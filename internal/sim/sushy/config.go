package sushy

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// write writes the emulator's configuration and its password file, and returns the former's path. The configuration
// is a Python program; its values are given as one JSON text, so that nothing in them is taken as Python.
func (o Options) write(port int) (string, error) {
	images, state := filepath.Join(o.Dir, "images"), filepath.Join(o.Dir, "state")
	if err := mkdirs(o.Dir, images, state); err != nil {
		return "", err
	}
	settings := map[string]any{
		"SUSHY_EMULATOR_FAKE_DRIVER":       true,
		"SUSHY_EMULATOR_FAKE_SYSTEMS":      o.fakeSystems(),
		"SUSHY_EMULATOR_LISTEN_IP":         o.ListenIP,
		"SUSHY_EMULATOR_LISTEN_PORT":       port,
		"SUSHY_EMULATOR_STATE_DIR":         state,
		"SUSHY_EMULATOR_VMEDIA_VERIFY_SSL": false,
	}
	if o.FeatureSet != "" {
		settings["SUSHY_EMULATOR_FEATURE_SET"] = o.FeatureSet
	}
	if o.Certificate != "" {
		settings["SUSHY_EMULATOR_SSL_CERT"], settings["SUSHY_EMULATOR_SSL_KEY"] = o.Certificate, o.Key
	}
	if o.Devices != nil {
		settings["SUSHY_EMULATOR_VMEDIA_DEVICES"] = o.devices()
	}
	if o.User != "" {
		file, err := o.writePasswords()
		if err != nil {
			return "", err
		}
		settings["SUSHY_EMULATOR_AUTH_FILE"] = file
	}
	return o.writeConfig(settings)
}

func (o Options) writeConfig(settings map[string]any) (string, error) {
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return "", err
	}
	values := filepath.Join(o.Dir, "sushy.json")
	if err := os.WriteFile(values, text, 0o600); err != nil {
		return "", err
	}
	program := fmt.Sprintf("import json\nwith open(%q) as f:\n    globals().update(json.load(f))\n", values)
	if o.QuickPower {
		program += quickPower
	}
	config := filepath.Join(o.Dir, "sushy.conf")
	return config, os.WriteFile(config, []byte(program), 0o600)
}

// quickPower takes the dice from the fake driver, and from it alone, that say how many seconds a power change takes.
const quickPower = `
from sushy_tools.emulator.resources.systems import fakedriver

class _NoDice:
    randint = staticmethod(lambda low, high: 0)

fakedriver.random = _NoDice
`

// writePasswords writes an htpasswd file. The emulator checks the password at every request: the lowest cost there is.
func (o Options) writePasswords() (string, error) {
	if strings.ContainsAny(o.User, ":\n") {
		return "", fmt.Errorf("the user %q holds a colon or a line end", o.User)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(o.Password), bcrypt.MinCost)
	if err != nil {
		return "", fmt.Errorf("hashing the password of %s: %w", o.User, err)
	}
	file := filepath.Join(o.Dir, "htpasswd")
	return file, os.WriteFile(file, []byte(o.User+":"+string(hash)+"\n"), 0o600)
}

func (o Options) fakeSystems() []map[string]any {
	systems := []map[string]any{}
	for _, s := range o.Systems {
		nics := []map[string]string{}
		for _, n := range append([]NIC{{s.MAC, s.IP}}, s.NICs...) {
			if n.MAC != "" {
				nics = append(nics, map[string]string{"mac": n.MAC, "ip": n.IP})
			}
		}
		systems = append(systems, map[string]any{
			"uuid": s.UUID, "name": s.Name, "nics": nics, "external_notifier": false,
			"power_state": or(s.Power, "Off"), "boot_mode": or(s.Mode, "UEFI"),
		})
	}
	return systems
}

func (o Options) devices() map[string]any {
	devices := map[string]any{}
	for id, d := range o.Devices {
		devices[id] = map[string]any{"Name": d.Name, "MediaTypes": d.MediaTypes}
	}
	return devices
}

// client speaks to the emulator alone, on loopback: whether its certificate is good is for others to judge.
func (e *Emulator) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
