package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
)

func (cp *ControlPlane) newHTTP() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cp.keys.ca.Cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{*cp.keys.ourselves}},
		ForceAttemptHTTP2: true,
	}}
}

// statusError is an answer that is no success.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

// ask sends one request and reads its answer.
func (cp *ControlPlane) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	answer, err := cp.open(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return io.ReadAll(answer)
}

// open sends one request and hands out its answer as it comes.
func (cp *ControlPlane) open(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, cp.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")
	request.Header.Set("User-Agent", "labsim")
	answer, err := cp.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
		return nil, &statusError{answer.StatusCode, fmt.Sprintf("%s %s: HTTP %d: %s", method, path, answer.StatusCode, said)}
	}
	return answer.Body, nil
}
