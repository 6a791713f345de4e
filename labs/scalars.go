package labs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CIDR is an address with a prefix length, fd03::/48.
type CIDR struct{ netip.Prefix }

// UnmarshalText reads a CIDR.
func (c *CIDR) UnmarshalText(text []byte) error {
	p, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is no CIDR: expected an address with a prefix length, such as fd03::/48 or 10.132.0.0/14", text)
	}
	c.Prefix = p
	return nil
}

// MarshalText writes the CIDR as it is read.
func (c CIDR) MarshalText() ([]byte, error) {
	if !c.IsValid() {
		return nil, nil
	}
	return []byte(c.String()), nil
}

// MAC is a hardware address of six bytes, kept in lower case with colons.
type MAC string

// UnmarshalText reads a MAC address.
func (m *MAC) UnmarshalText(text []byte) error {
	hw, err := net.ParseMAC(string(text))
	if err != nil || len(hw) != 6 {
		return fmt.Errorf("%q is no MAC address: expected six bytes, such as 52:54:00:00:00:11", text)
	}
	*m = MAC(hw.String())
	return nil
}

// MarshalText writes the address in lower case with colons.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m), nil }

// Duration is a time span as Go writes it, 10m or 1h30m.
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration: expected a number with a unit, such as 90s, 10m or 1h30m", text)
	}
	if v < 0 {
		return fmt.Errorf("%q is negative: a duration counts forwards", text)
	}
	d.Duration = v
	return nil
}

// MarshalText writes the duration as it is read.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Path is a file on this machine. A relative one is relative to the file that
// names it, and ~/ is the home folder.
type Path string

// ResolveIn makes a relative path one below dir. The decoder calls it with the
// folder of the file that the path stands in.
func (p *Path) ResolveIn(dir string) {
	s := string(*p)
	switch {
	case s == "" || filepath.IsAbs(s):
	case s == "~" || strings.HasPrefix(s, "~/"):
		if home, err := os.UserHomeDir(); err == nil {
			*p = Path(filepath.Join(home, strings.TrimPrefix(s[1:], "/")))
		}
	default:
		*p = Path(filepath.Join(dir, s))
	}
}

// PEM is certificates: the text itself, or the file that holds it.
type PEM struct {
	File Path   `yaml:"file,omitempty" doc:"file that holds the certificates"`
	Text string `yaml:"text,omitempty" scalar:"true" doc:"the certificates themselves"`
}

// IsZero says whether none is given.
func (p PEM) IsZero() bool { return p == PEM{} }

// Read gives the certificates' text, always with a final newline.
func (p PEM) Read() (string, error) { return readText(p.File, p.Text) }

// PublicKey is an SSH public key: the key itself, or the file that holds it.
type PublicKey struct {
	File Path   `yaml:"file,omitempty" doc:"file that holds the key, id_ed25519.pub"`
	Text string `yaml:"text,omitempty" scalar:"true" doc:"the key itself, ssh-ed25519 AAAA…"`
}

// Read gives the key's line, with a final newline.
func (k PublicKey) Read() (string, error) { return readText(k.File, k.Text) }

func readText(file Path, text string) (string, error) {
	if file != "" {
		var err error
		if text, err = readLimited(string(file)); err != nil {
			return "", fmt.Errorf("%s: %w", file, plainly(err))
		}
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, nil
}

// SecretRef says where a secret is found. It is never the secret itself; just
// one of its fields is set.
type SecretRef struct {
	File    Path       `yaml:"file,omitempty" doc:"file that holds it"`
	Env     string     `yaml:"env,omitempty" doc:"environment variable that holds it"`
	Command []string   `yaml:"command,omitempty" doc:"command that prints it"`
	Secret  ClusterRef `yaml:"secret,omitempty" doc:"Secret of the management cluster that holds it"`
}

// ClusterRef names one key of a Secret in the management cluster.
type ClusterRef struct {
	Namespace string `yaml:"namespace" doc:"namespace of the Secret"`
	Name      string `yaml:"name" doc:"name of the Secret"`
	Key       string `yaml:"key" doc:"key in it"`
}

// RefersToSecret tells the decoder that a text in place of the reference may be
// the secret itself, and is not to be shown.
func (SecretRef) RefersToSecret() {}

// IsZero says whether no secret is named.
func (r SecretRef) IsZero() bool {
	return r.File == "" && r.Env == "" && len(r.Command) == 0 && r.Secret == ClusterRef{}
}

// String names the place, never the value. No two places have one name: the name
// is what a value is kept under.
func (r SecretRef) String() string {
	switch {
	case r.File != "":
		return "file " + string(r.File)
	case r.Env != "":
		return "variable " + r.Env
	case len(r.Command) > 0:
		return "command " + strings.Join(r.Command, " ")
	case r.Secret != ClusterRef{}:
		return "Secret " + r.Secret.Namespace + "/" + r.Secret.Name + " key " + r.Secret.Key
	}
	return "no secret"
}

// ErrNoSecret is the error of a reference that names no place.
var ErrNoSecret = errors.New("no file, env, command or secret is named")

// Secret is a secret's value. It prints as *** in every verb and encoding;
// Reveal gives the value to the one place that needs it.
type Secret struct{ value string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal gives the value.
func (s Secret) Reveal() string { return s.value }

const masked = "***"

// String hides the value.
func (s Secret) String() string { return masked }

// GoString hides the value.
func (s Secret) GoString() string { return masked }

// Format hides the value in every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }

// MarshalText hides the value in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }
