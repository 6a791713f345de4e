package redfish

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"time"
)

// connectTimeout is how long a TCP connect may take.
const connectTimeout = 5 * time.Second

// dialer opens the connections to one BMC. The one that the tcp and tls checks open is kept and handed to the first request:
// BMCs have few sockets, and some count connections.
type dialer struct {
	address   Address
	network   string // tcp, tcp4 or tcp6
	resolver  *net.Resolver
	roots     *x509.CertPool
	verify    bool
	handshake time.Duration

	mu    sync.Mutex
	spare net.Conn
	peer  *tls.ConnectionState // of the last handshake, good or bad
}

// errCertificate marks a certificate that was refused; the cause is wrapped beside it.
var errCertificate = errors.New("the BMC's certificate is not accepted")

func (d *dialer) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	plain := net.Dialer{Resolver: d.resolver}
	return plain.DialContext(ctx, d.network, d.address.Endpoint())
}

// DialContext serves http.Transport for both schemes: over https it gives a connection whose handshake is done and whose
// certificate is judged, so that no request is written before that.
func (d *dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	conn := d.take()
	if conn == nil {
		var err error
		if conn, err = d.connect(ctx); err != nil {
			return nil, err
		}
	}
	if d.address.Scheme != "https" {
		return conn, nil
	}
	if done, ok := conn.(*tls.Conn); ok {
		return done, nil
	}
	return d.secure(ctx, conn)
}

// secure does the TLS handshake. The chain is verified here and not by package tls, because with verification off the
// certificate is to be looked at all the same.
func (d *dialer) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.handshake)
	defer cancel()
	secured := tls.Client(conn, &tls.Config{
		ServerName: d.address.Host, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}, CipherSuites: cipherSuites(),
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	state := secured.ConnectionState()
	d.mu.Lock()
	d.peer = &state
	d.mu.Unlock()
	if d.verify {
		if err := d.judge(&state, time.Now()); err != nil {
			secured.Close()
			return nil, errors.Join(errCertificate, err)
		}
	}
	return secured, nil
}

// cipherSuites are Go's own, and two of RSA key exchange that OpenSSL, and so Ironic, still offers: older BMCs have no others.
func cipherSuites() []uint16 {
	var ids []uint16
	for _, suite := range tls.CipherSuites() {
		ids = append(ids, suite.ID)
	}
	return append(ids, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384)
}

// judge verifies chain, name and dates of a certificate at a point in time.
func (d *dialer) judge(state *tls.ConnectionState, now time.Time) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the BMC sent no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: d.roots, Intermediates: between, DNSName: d.address.Host, CurrentTime: now,
	})
	return err
}

func (d *dialer) keep(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spare = conn
}

func (d *dialer) take() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	conn := d.spare
	d.spare = nil
	return conn
}

func (d *dialer) state() *tls.ConnectionState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peer
}
