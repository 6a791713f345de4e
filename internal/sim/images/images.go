// Package images serves what servers boot, over HTTP on loopback: the live medium of a release (web server),
// discovery images (assisted-service's image service) and boot images for BMCs (Ironic's own server).
//
//	GET /rhcos/NAME                     live ISO and rootfs
//	GET /images/INFRAENV/VERSION/ARCH   the discovery image of an InfraEnv
//	GET /redfish/boot-NODE.iso          what a BMC puts into its virtual drive
//
// All of it can be asked for in parts (Range).
package images

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labrun/labrun/internal/sim/players/machine"
	"github.com/labrun/labrun/internal/sim/proc"
)

// Server is a running web server. It is a world.ImageService and a world.BootServer.
type Server struct {
	root   string // http://[::1]:20080
	since  time.Time
	server *http.Server
	client *http.Client

	mu    sync.RWMutex
	files map[string][]byte // by path
}

// most bounds an image that is fetched to be served again.
const most = 64 << 20

// Start listens on a free port of ip.
func Start(ip string) (*Server, error) {
	var listener net.Listener
	var err error
	for range 3 {
		var port int
		if port, err = proc.FreePort(ip); err != nil {
			break
		}
		if listener, err = net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port))); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("starting the lab's web server: %w", err)
	}
	s := &Server{
		root: "http://" + listener.Addr().String(), since: time.Now(), files: map[string][]byte{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // Ironic's own default for image routes
		}},
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends with Stop
	return s, nil
}

// Stop ends it.
func (s *Server) Stop() error { return s.server.Close() }

// ServeHTTP serves the files, whole or in parts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	content, ok := s.files[r.URL.Path]
	s.mu.RUnlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", s.since, bytes.NewReader(content))
}

func (s *Server) put(path string, content []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = content
	return s.root + path
}

// RHCOS serves a stand-in for a live medium: some bytes that begin with its name. It gives the URL.
func (s *Server) RHCOS(name string) string {
	content := make([]byte, 1<<20)
	copy(content, name)
	return s.put("/rhcos/"+name, content)
}

// Discovery serves the discovery image of an InfraEnv.
func (s *Server) Discovery(infraEnvID, version, arch string) string {
	if version == "" {
		version = "latest"
	}
	return s.put(fmt.Sprintf("/images/%s/%s/%s.iso", infraEnvID, version, arch), machine.DiscoveryISO(infraEnvID))
}

// errFetch is what Ironic says of an image that it cannot have.
var errFetch = errors.New("image cannot be fetched")

// Serve fetches the image at url, HEAD first, and serves it to the node's BMC.
func (s *Server) Serve(ctx context.Context, url, node string) (string, error) {
	head, err := s.ask(ctx, http.MethodHead, url)
	if err != nil {
		return "", err
	}
	head.Body.Close()
	answer, err := s.ask(ctx, http.MethodGet, url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errFetch, err)
	}
	return s.put(bootPath(node), content), nil
}

// Remove ends the serving of a node's boot image.
func (s *Server) Remove(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, bootPath(node))
}

func bootPath(node string) string { return "/redfish/boot-" + node + ".iso" }

// ask words a refusal as Ironic does.
func (s *Server) ask(ctx context.Context, method, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFetch, err)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		//lint:ignore ST1005 Ironic's own words, as Metal3 passes them on
		return nil, fmt.Errorf("Got HTTP code %d instead of 200 in response to %s request.", answer.StatusCode, method)
	}
	return answer, nil
}
