package site

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// transport connects as the lab's nodes do: names are asked of the lab's server, of the system's resolver where that does not
// know them, and the registry's CA is trusted beside the system's. Close its idle connections after use.
func (s Site) transport() (*http.Transport, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	pool.AppendCertsFromPEM([]byte(s.Facts.Registry.CA.Text))
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: s.dial, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}, nil
}

// visitor is what the registry is asked with: a credential, from where it is, and a
// transport that trusts the lab's CA, whose idle connections must be closed.
func (s Site) visitor(ctx context.Context) (who authn.Authenticator, from string, t *http.Transport, err error) {
	if who, from, err = s.login(ctx); err != nil {
		return nil, "", nil, err
	}
	t, err = s.transport()
	return who, from, t, err
}

// dial tries the addresses of a name one after the other.
func (s Site) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := s.lookup(ctx, host)
	if err != nil {
		return d.DialContext(ctx, network, address)
	}
	for _, a := range found {
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// Served is how a URL answers a request for its first byte.
type Served struct {
	Ranges bool  // with just that byte
	Length int64 // of the whole in bytes; -1 where it is not stated
}

// FirstByte asks for the first byte of a URL, as the programs that fetch images in parts do.
func FirstByte(ctx context.Context, client *http.Client, url string) (Served, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Served{}, err
	}
	req.Header.Set("Range", "bytes=0-0")
	resp, err := client.Do(req)
	if err != nil {
		return Served{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // one byte was read, nothing can be lost
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		return Served{}, fmt.Errorf("the server answered %s", resp.Status)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		return Served{}, fmt.Errorf("the server answered %s without a byte: %w", resp.Status, err)
	}
	if resp.StatusCode == http.StatusOK {
		return Served{Length: resp.ContentLength}, nil
	}
	return Served{Ranges: true, Length: wholeLength(resp.Header.Get("Content-Range"))}, nil
}

// wholeLength reads the length out of "bytes 0-0/1234"; -1 where it is not stated.
func wholeLength(contentRange string) int64 {
	_, text, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// reason is the shortest text that says why nothing answered.
func reason(err error) string {
	var timeout net.Error
	var sending *url.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return untrusted.Err.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF) && errors.As(err, &sending):
		return "the connection was closed without an answer"
	case errors.As(err, &sending): // the URL is told already
		return reason(sending.Err)
	}
	return printable(err.Error())
}
