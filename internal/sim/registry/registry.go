// Package registry is the image registry of a simulated lab: a real one (its API is go-containerregistry's), in memory,
// on loopback, over TLS where it is given a certificate, and with a user and password.
package registry

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/labrun/labrun/internal/sim/proc"
)

// Options say what to start.
type Options struct {
	IP             string           // loopback address to listen on
	Certificate    *tls.Certificate // nil: plain HTTP, which clients take for loopback addresses only
	User, Password string
}

// Registry is a running registry.
type Registry struct {
	options Options
	port    int
	api     http.Handler
	server  *http.Server
	refuses atomic.Bool
}

// Start listens on a free port.
func Start(o Options) (*Registry, error) {
	r := &Registry{options: o, api: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	var listener net.Listener
	var err error
	for range 3 {
		if r.port, err = proc.FreePort(o.IP); err != nil {
			break
		}
		if listener, err = net.Listen("tcp", net.JoinHostPort(o.IP, strconv.Itoa(r.port))); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("starting the lab's registry: %w", err)
	}
	if o.Certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*o.Certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = r.server.Serve(listener) }() // ends with Stop
	return r, nil
}

// Port is where it listens.
func (r *Registry) Port() int { return r.port }

// Stop ends it.
func (r *Registry) Stop() error { return r.server.Close() }

// Refuse lets it refuse every login from now on, as where the user was removed.
func (r *Registry) Refuse() { r.refuses.Store(true) }

func (r *Registry) serve(w http.ResponseWriter, request *http.Request) {
	user, password, _ := request.BasicAuth()
	ok := subtle.ConstantTimeCompare([]byte(user), []byte(r.options.User))&subtle.ConstantTimeCompare([]byte(password), []byte(r.options.Password)) == 1
	if r.options.User != "" && !ok || r.refuses.Load() {
		w.Header().Set("Www-Authenticate", `Basic realm="simulated lab"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
		return
	}
	r.api.ServeHTTP(w, request)
}

// Push puts an image into a repository, past the login, and gives its digest.
func (r *Registry) Push(ctx context.Context, repository string, image v1.Image) (digest string, err error) {
	hash, err := image.Digest()
	if err != nil {
		return "", err
	}
	ref, err := name.NewDigest("localhost/" + strings.Trim(repository, "/") + "@" + hash.String())
	if err != nil {
		return "", fmt.Errorf("pushing an image to %s: %w", repository, err)
	}
	err = remote.Write(ref, image, remote.WithTransport(inside{r.api}), remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("pushing an image to %s: %w", repository, err)
	}
	return hash.String(), nil
}

// inside asks the registry itself, without network and login.
type inside struct{ api http.Handler }

// RoundTrip asks.
func (i inside) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil {
		request.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	i.api.ServeHTTP(recorder, request)
	answer := recorder.Result()
	answer.Request = request
	return answer, nil
}

// Image is a small image of an architecture ("amd64") with labels; the same ones give the same digest.
func Image(arch string, labels map[string]string) (v1.Image, error) {
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		Architecture: arch, OS: "linux",
		Config: v1.Config{Labels: labels},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, fmt.Errorf("making an image: %w", err)
	}
	return image, nil
}
