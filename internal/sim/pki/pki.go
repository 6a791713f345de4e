// Package pki makes the certificates of a simulated lab: an authority for each party that others trust, and what it
// issues to the servers on loopback and to clients. Keys are ECDSA P-256; everything is PEM.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
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

// life is how long certificates last: a simulated lab is not kept for longer.
const life = 90 * 24 * time.Hour

// Authority signs certificates.
type Authority struct {
	Pair
	cert *x509.Certificate
	key  crypto.Signer
}

// Pair is a certificate and its key.
type Pair struct{ Cert, Key []byte }

// New makes an authority of this name.
func New(name string) (*Authority, error) {
	template := template(name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage |= x509.KeyUsageCertSign
	a := &Authority{}
	var err error
	if a.key, a.Key, err = newKey(); err != nil {
		return nil, err
	}
	if a.Cert, err = sign(template, template, a.key.Public(), a.key); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(a.Cert)
	a.cert, err = x509.ParseCertificate(block.Bytes)
	return a, err
}

// Server issues a certificate to a server on loopback, which goes by these names too.
func (a *Authority) Server(name string, aliases ...string) (Pair, error) {
	template := template(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.DNSNames = append([]string{"localhost"}, aliases...)
	if net.ParseIP(name) == nil {
		template.DNSNames = append(template.DNSNames, name)
	}
	return a.issue(template)
}

// Client issues a certificate to a user of these groups, as Kubernetes reads them: common name and organizations.
func (a *Authority) Client(user string, groups ...string) (Pair, error) {
	template := template(user)
	template.Subject.Organization = groups
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(template)
}

func (a *Authority) issue(template *x509.Certificate) (Pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	cert, err := sign(template, a.cert, key.Public(), a.key)
	return Pair{Cert: cert, Key: keyPEM}, err
}

// TLS is the pair for a server of this process.
func (p Pair) TLS() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	return &pair, err
}

// Write writes NAME.crt and NAME.key below dir, for their owner alone, and gives their paths.
func (p Pair) Write(dir, name string) (cert, key string, err error) {
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for path, text := range map[string][]byte{cert: p.Cert, key: p.Key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", "", fmt.Errorf("writing the certificate %s: %w", name, err)
		}
	}
	return cert, key, nil
}

// NewKey makes a private key.
func NewKey() ([]byte, error) {
	_, text, err := newKey()
	return text, err
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a key: %w", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of %s: %w", template.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(life),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}
