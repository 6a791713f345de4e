package redfish

import (
	"crypto/x509"
	"fmt"
)

// Host is one server to ask about.
type Host struct {
	Name        string
	Address     string // as in a BareMetalHost's spec.bmc.address
	BootMAC     string // any common notation; empty: not asked about
	Credentials Credentials

	// DisableCertificateVerification as in a BareMetalHost: a bad certificate is then a warning.
	DisableCertificateVerification bool
	RootCAs                        *x509.CertPool // nil: the system's

	BootMode string // UEFI, UEFISecureBoot or legacy; empty: not asked about

	// Managed says that the host already has its BareMetalHost of this lab. It is powered on and has Image in its drive:
	// both are right there.
	Managed bool

	Image     string // URL that the BMC will really fetch; empty: Options.Image
	ImageFrom string // one phrase: how that is known, or that it is assumed; shown beside it

	Minimum   Minimum // what the lab asks of the machine
	NeedsDisk bool    // the lab installs on a disk: rootDeviceHints are given
}

// Minimum is what a machine must have; zero: not asked about.
type Minimum struct {
	Cores     int // processors as an operating system counts them: threads, where the BMC states those
	MemoryGiB int
}

// Credentials of a BMC. They print as ***, whatever the verb, and marshal to JSON as "***".
type Credentials struct {
	Username string
	Password string
}

const masked = "***"

// String hides both parts.
func (Credentials) String() string { return masked }

// GoString hides both parts.
func (Credentials) GoString() string { return masked }

// Format hides both parts for every verb.
func (Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, masked) }

// MarshalJSON hides both parts.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalText hides both parts (YAML, XML and map keys ask for text).
func (Credentials) MarshalText() ([]byte, error) { return []byte(masked), nil }
