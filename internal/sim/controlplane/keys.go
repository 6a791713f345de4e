package controlplane

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"

	"github.com/labrun/labrun/internal/sim/pki"
)

// keys are the certificate authority of one control plane and what was issued to start it. The API server trusts it
// for clients: a certificate's common name is the user, its organizations are the groups.
type keys struct {
	ca        *pki.Authority
	dir       string // ca.crt, ca.key, server.crt, server.key, accounts.key
	ourselves *tls.Certificate
}

func newKeys(stateDir string) (*keys, error) {
	k := &keys{dir: filepath.Join(stateDir, "pki")}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if k.ca, err = pki.New("labrun simulated lab"); err != nil {
		return nil, err
	}
	server, err := k.ca.Server("kube-apiserver", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
	if err != nil {
		return nil, err
	}
	for name, pair := range map[string]pki.Pair{"ca": k.ca.Pair, "server": server} {
		if _, _, err := pair.Write(k.dir, name); err != nil {
			return nil, err
		}
	}
	accounts, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(k.file("accounts.key"), accounts, 0o600); err != nil {
		return nil, fmt.Errorf("writing the key of service accounts: %w", err)
	}
	client, err := k.ca.Client("labsim", "system:masters")
	if err != nil {
		return nil, err
	}
	k.ourselves, err = client.TLS()
	return k, err
}

func (k *keys) file(name string) string { return filepath.Join(k.dir, name) }

// client issues a certificate to a user of these groups. Nothing of it can fail but the machine's randomness.
func (k *keys) client(user string, groups []string) pki.Pair {
	pair, err := k.ca.Client(user, groups...)
	if err != nil {
		panic("issuing a certificate: " + err.Error())
	}
	return pair
}
