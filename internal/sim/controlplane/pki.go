package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki is the certificate authority of one control plane and what was issued to start it. The API server trusts it
// for clients: a certificate's common name is the user, its organizations are the groups.
type pki struct {
	ca  authority
	dir string // ca.crt, server.crt, server.key, accounts.key
}

type authority struct {
	certPEM []byte
	cert    *x509.Certificate
	key     crypto.Signer
}

// life is how long certificates last: a simulated lab is not kept for longer.
const life = 90 * 24 * time.Hour

func newPKI(stateDir string) (*pki, error) {
	p := &pki{dir: filepath.Join(stateDir, "pki")}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	key, keyPEM := newKey()
	template := certificate("labrun simulated lab")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	p.ca = authority{cert: template, key: key}
	p.ca.certPEM = p.issue(template, key.Public())
	p.ca.cert = parse(p.ca.certPEM)

	serverKey, serverKeyPEM := newKey()
	server := certificate("kube-apiserver")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	_, accounts := newKey()
	for name, text := range map[string][]byte{
		"ca.crt": p.ca.certPEM, "ca.key": keyPEM, "accounts.key": accounts,
		"server.crt": p.issue(server, serverKey.Public()), "server.key": serverKeyPEM,
	} {
		if err := os.WriteFile(p.file(name), text, 0o600); err != nil {
			return nil, fmt.Errorf("writing the keys of the API server: %w", err)
		}
	}
	return p, nil
}

func (p *pki) file(name string) string { return filepath.Join(p.dir, name) }

// client issues a certificate to a user of these groups: certificate and key, PEM.
func (p *pki) client(user string, groups []string) (cert, key []byte) {
	signer, keyPEM := newKey()
	template := certificate(user)
	template.Subject.Organization = groups
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return p.issue(template, signer.Public()), keyPEM
}

func (p *pki) issue(template *x509.Certificate, public crypto.PublicKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca.cert, public, p.ca.key)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func certificate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	must(err)
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func newKey() (crypto.Signer, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	der, err := x509.MarshalECPrivateKey(key)
	must(err)
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

func parse(certPEM []byte) *x509.Certificate {
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	must(err)
	return cert
}

// must is for what fails only where this program is wrong: no input of anybody reaches these calls.
func must(err error) {
	if err != nil {
		panic("making a certificate: " + err.Error())
	}
}
