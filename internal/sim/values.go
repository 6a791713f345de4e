package sim

import (
	"fmt"
	"strings"

	"github.com/labrun/labrun/labs"
	"sigs.k8s.io/yaml"
)

// makeValues writes down what the lab file must say otherwise to be run against this lab.
func (l *Lab) makeValues() error {
	f := l.facts
	lab := map[string]any{
		"dns":         map[string]any{"server": l.names.Address()},
		"pull_secret": file(l.users.pullSecretFile, f.PullSecret),
		"ssh_key":     sshKey(f.SSHKey),
		"release":     l.releaseValues(),
		"workers":     l.workerValues(),
		"preflight":   map[string]any{"checks": preflightValues()},
	}
	if lab["ssh_key"] == nil {
		delete(lab, "ssh_key")
	}
	if f.Disconnected {
		lab["registry"] = l.registryValues()
	}
	text, err := yaml.Marshal(map[string]any{"lab": lab})
	if err != nil {
		return fmt.Errorf("writing the values: %w", err)
	}
	l.values = append([]byte("# What the simulated lab "+f.Name+" has otherwise than its lab file says.\n"), text...)
	return nil
}

// file is a reference to a secret's file, in place of the lab file's reference.
func file(path string, inPlaceOf labs.SecretRef) map[string]any {
	ref := map[string]any{"file": path}
	for other, set := range map[string]bool{"env": inPlaceOf.Env != "", "command": len(inPlaceOf.Command) > 0, "secret": inPlaceOf.Secret != labs.ClusterRef{}} {
		if set {
			ref[other] = nil
		}
	}
	return ref
}

// sshKey is a public key of nobody's, where the lab file's is in a file that another machine may lack.
func sshKey(k labs.PublicKey) any {
	if k.File == "" {
		return nil
	}
	return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAaNoIPZQMnTDTvyAssshjos4kcmDslnMmBMYzek33mg simulated"
}

func (l *Lab) releaseValues() map[string]any {
	release := map[string]any{
		"image": l.release.image,
		"rhcos": map[string]any{"live_iso": l.release.iso, "rootfs": l.release.rootfs},
	}
	if l.release.controlPlane != "" {
		release["control_plane_operator_image"] = l.release.controlPlane
	}
	return release
}

func (l *Lab) registryValues() map[string]any {
	values := map[string]any{
		"port":    l.registry.Port(),
		"ca":      string(l.users.authority.Cert),
		"mirrors": mirrorValues(l.release.mirrors),
	}
	if !l.facts.Registry.Credentials.IsZero() {
		values["credentials"] = file(l.users.registryLoginFile, l.facts.Registry.Credentials)
	}
	return values
}

func mirrorValues(mirrors []labs.Mirror) []any {
	var all []any
	for _, m := range mirrors {
		all = append(all, map[string]any{"source": m.Source, "mirrors": m.Mirrors})
	}
	return all
}

// preflightValues turn off what an emulated BMC cannot be asked.
func preflightValues() map[string]any {
	ignore := func(reason string) any { return map[string]any{"severity": "ignore", "reason": reason} }
	return map[string]any{
		"tls":       ignore("nobody whom this machine trusts signs for an emulated BMC"),
		"privilege": ignore("an emulated BMC has no accounts with roles"),
		"licence":   ignore("an emulated BMC needs no licence"),
	}
}

// workerValues are merged by name. A certificate that the lab file wants verified cannot be: nobody whom this machine
// trusts signs for an emulated BMC.
func (l *Lab) workerValues() []any {
	var all []any
	for i, w := range l.facts.Workers {
		bmc := map[string]any{
			"address":     l.address(i),
			"credentials": map[string]any{"password": file(l.users.bmcPasswordFile, w.BMC.Credentials.Password)},
		}
		if !w.BMC.DisableCertificateVerification {
			bmc["disable_certificate_verification"] = true
		}
		worker := map[string]any{"name": w.Name, "bmc": bmc}
		if h := w.RootDeviceHints; h != (labs.RootDeviceHints{}) && !strings.HasPrefix(h.DeviceName, "/dev/sd") {
			worker["root_device_hints"] = disk(h)
		} else if l.machines[i].NVMe && h.DeviceName == "" {
			worker["root_device_hints"] = disk(h)
		}
		all = append(all, worker)
	}
	return all
}

// disk names the simulated server's first disk in place of the lab file's hints.
func disk(h labs.RootDeviceHints) map[string]any {
	hints := map[string]any{"device_name": "/dev/sda"}
	for other, set := range map[string]bool{
		"serial_number": h.SerialNumber != "", "wwn": h.WWN != "", "model": h.Model != "", "vendor": h.Vendor != "", "hctl": h.HCTL != "",
	} {
		if set {
			hints[other] = nil
		}
	}
	return hints
}
