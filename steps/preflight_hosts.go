package steps

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
)

// What assisted-service asks of a worker at least.
const (
	leastCores     = 2
	leastMemoryGiB = 8
)

// host is what is asked of one worker's BMC.
func (s Preflight) host(ctx context.Context, l *Lab, w labs.Worker, roots *x509.CertPool) (redfish.Host, error) {
	password, err := l.Secret(ctx, w.BMC.Credentials.Password)
	if err != nil {
		return redfish.Host{}, fmt.Errorf("BMC of %s: %w", w.Name, err)
	}
	return redfish.Host{
		Name: w.Name, Address: w.BMC.Address, BootMAC: string(w.BootMAC), BootMode: w.BootMode,
		Credentials:                    redfish.Credentials{Username: w.BMC.Credentials.Username, Password: strings.TrimRight(password.Reveal(), "\r\n")},
		DisableCertificateVerification: w.BMC.DisableCertificateVerification,
		RootCAs:                        roots,
		Managed:                        slices.Contains(s.Managed, w.Name),
		Image:                          bootImage(s.Server, s.Image, w.BMC.Address, s.IDs[w.Name]),
		ImageFrom:                      s.Server.From,
		Minimum:                        redfish.Minimum{Cores: leastCores, MemoryGiB: leastMemoryGiB},
		NeedsDisk:                      w.RootDeviceHints != (labs.RootDeviceHints{}),
	}, nil
}

// trustedPool is the system's certificates and the lab's own.
func trustedPool(pem string) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM([]byte(pem))
	return pool
}

// lookupNetwork is the family in which a BMC's name must resolve.
func lookupNetwork(stack labs.Stack) string {
	switch stack {
	case labs.IPv4:
		return "ip4"
	case labs.IPv6:
		return "ip6"
	}
	return "ip"
}

// count adds to the requests that a run tells at its end.
func (l *Lab) count(reports []redfish.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range reports {
		l.redfish += r.Requests
	}
}
