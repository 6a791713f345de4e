package sim

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/internal/sim/world"
	"golang.org/x/crypto/bcrypt"
)

// rack is one emulated Redfish service and the workers behind it: those that share scheme and user, and what
// virtual drives they have.
type rack struct {
	user    string
	tls     bool
	floppy  bool // their BMCs take floppies only, as failure no-virtual-cd asks
	dir     string
	workers []int // index in Facts.Workers
	systems []sushy.System
	bmc     *sushy.Emulator
}

// scheme takes a Metal3 address apart: redfish-virtualmedia+https.
func scheme(address string) (kind string, tls bool, id string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return "", false, "", fmt.Errorf("BMC address %q cannot be emulated: expected redfish-virtualmedia+https://HOST/redfish/v1/Systems/ID", address)
	}
	parts := strings.Split(strings.TrimSuffix(u.Path, "/"), "/")
	return u.Scheme, !strings.HasSuffix(u.Scheme, "+http"), parts[len(parts)-1], nil
}

// plan groups the workers into racks and says what machine each of them is.
func (l *Lab) plan() error {
	for i, w := range l.facts.Workers {
		_, tls, id, err := scheme(w.BMC.Address)
		if err != nil {
			return err
		}
		if _, err := uuid.Parse(id); err != nil { // of a vendor whose servers all have the same id
			id = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(w.Name+"."+l.facts.Name+"."+l.facts.Domain)).String()
		}
		ips := l.addresses(i)
		floppy := i == len(l.facts.Workers)-1 && l.options.faults().On("no-virtual-cd")
		r := l.rackFor(w.BMC.Credentials.Username, tls, floppy)
		r.workers = append(r.workers, i)
		r.systems = append(r.systems, sushy.System{UUID: id, Name: w.Name, MAC: string(w.BootMAC), Mode: mode(w.BootMode)})
		l.machines = append(l.machines, world.Machine{
			Name: w.Name, UUID: id, MAC: string(w.BootMAC), Insecure: true,
			User: w.BMC.Credentials.Username, Password: l.users.bmcPassword,
			IPs: ips, Cores: 16, MemoryGB: 32, DiskGB: []int64{214, 214},
		})
		l.machines[i].NVMe = i == 0 && l.options.faults().On("root-device-hints")
		if l.options.Server != nil {
			l.options.Server(&l.machines[len(l.machines)-1])
		}
	}
	return nil
}

func (l *Lab) rackFor(user string, tls, floppy bool) *rack {
	for _, r := range l.racks {
		if r.user == user && r.tls == tls && r.floppy == floppy {
			return r
		}
	}
	r := &rack{user: user, tls: tls, floppy: floppy, dir: filepath.Join(l.options.Dir, fmt.Sprintf("bmc%d", len(l.racks)))}
	l.racks = append(l.racks, r)
	return r
}

func mode(boot string) string {
	if boot == "legacy" {
		return "Legacy"
	}
	return "UEFI"
}

// addresses are a worker's static ones, or such as DHCP would give: from the 32nd of each machine network.
func (l *Lab) addresses(i int) []string {
	var list []string
	for _, a := range l.facts.Workers[i].Network.Addresses {
		list = append(list, a.String())
	}
	if len(list) > 0 {
		return list
	}
	for _, n := range l.facts.Networks.Machine {
		if !n.IsValid() {
			continue
		}
		list = append(list, netip.PrefixFrom(nth(n.Prefix, 32+i), n.Bits()).String())
	}
	return list
}

// startRack starts one rack's emulator.
func (l *Lab) startRack(ctx context.Context, r *rack) error {
	o := sushy.Options{
		Dir: r.dir, Assets: l.options.Assets, ListenIP: l.ip, Systems: r.systems,
		User: r.user, Password: l.users.bmcPassword, QuickPower: !l.options.RealPower,
	}
	if r.floppy {
		o.Devices = map[string]sushy.Device{"Floppy": {Name: "Virtual Floppy", MediaTypes: []string{"Floppy", "USBStick"}}}
	}
	if r.tls {
		if err := os.MkdirAll(r.dir, 0o700); err != nil {
			return err
		}
		pair, err := l.users.authority.Server("bmc")
		if err != nil {
			return err
		}
		if o.Certificate, o.Key, err = pair.Write(r.dir, "bmc"); err != nil {
			return err
		}
	}
	bmc, err := sushy.Start(ctx, o)
	if err != nil {
		return err
	}
	r.bmc = bmc
	for _, i := range r.workers {
		l.machines[i].BMC = bmc.URL()
	}
	return nil
}

// address is where a worker's BMC is reached here, in Metal3's form.
func (l *Lab) address(i int) string {
	kind, _, _, _ := scheme(l.facts.Workers[i].BMC.Address)
	m := l.machines[i]
	_, at, _ := strings.Cut(m.BMC, "://")
	return kind + "://" + at + "/redfish/v1/Systems/" + m.UUID
}

// breakBMC changes the password of the BMC at root. The emulator reads its password file at each request.
func (l *Lab) breakBMC(_ context.Context, root string) error {
	for _, r := range l.racks {
		if r.bmc.URL() != root {
			continue
		}
		hash, err := bcrypt.GenerateFromPassword([]byte("changed"), bcrypt.MinCost)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(r.dir, "htpasswd"), []byte(r.user+":"+string(hash)+"\n"), 0o600)
	}
	return fmt.Errorf("breaking the BMC at %s: this lab has none there", root)
}
