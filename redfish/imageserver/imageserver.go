// Package imageserver serves one image to BMCs, and sees who fetches it.
//
// Each host gets a URL of its own that cannot be guessed, so that a fetch of it is that host's BMC. The URLs are plain http:
// the image holds no secret, and many BMCs trust no certificate.
//
//	server, err := imageserver.Listen(ctx, "192.0.2.10", image)
//	defer server.Close()
//	offer := server.Offer()
//	defer offer.Withdraw()
//	… insert offer.URL …
//	fetch, err := offer.Wait(ctx)
package imageserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	prefix = "/labrun-preflight/"
	file   = "/boot.iso" // some BMCs take only names that end so
)

// own is the form of the paths that this package makes: rand.Text between prefix and file.
var own = regexp.MustCompile(`^` + prefix + `[A-Z2-7]{26}` + file + `$`)

// Own says whether a URL is one that this package makes, in this process or another one.
func Own(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && u.Host != "" && u.RawQuery == "" && own.MatchString(u.Path)
}

// Server serves the image until it is closed.
type Server struct {
	image  []byte
	born   time.Time
	base   string
	server *http.Server
	done   chan struct{} // closed when Serve has returned

	mu     sync.Mutex
	offers map[string]*Offer // by path
}

// Fetch is one request for an offered image.
type Fetch struct {
	Time      time.Time
	Source    string // address and port that asked
	Method    string // GET or HEAD
	Range     string // the header as sent; empty: the whole image
	UserAgent string
	Bytes     int64 // of the image that were sent
}

// Listen serves the image on this address, a host or host:port (without a port on a free one), IPv6 with brackets or, without
// a port, bare. It refuses link-local and unspecified addresses: no BMC could use the URL. The caller must Close the server.
func Listen(ctx context.Context, address string, image []byte) (*Server, error) {
	endpoint, err := Endpoint(address)
	if err != nil {
		return nil, fmt.Errorf("serving an image: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", endpoint)
	if err != nil {
		return nil, fmt.Errorf("serving an image: %w", err)
	}
	host, _, _ := net.SplitHostPort(endpoint) // a name stays a name: the BMC resolves it
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s := &Server{
		image: image, born: time.Now(), base: "http://" + net.JoinHostPort(host, port),
		done: make(chan struct{}), offers: map[string]*Offer{},
	}
	s.server = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // what strangers send is no news
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // it ends by Close
	}()
	return s, nil
}

// Endpoint gives host:port to listen on; port 0 where the address has none.
func Endpoint(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), "0"
	}
	bare, _, zone := strings.Cut(host, "%")
	ip := net.ParseIP(bare)
	_, portErr := strconv.ParseUint(port, 10, 16)
	switch {
	case portErr != nil || host == "" || ip == nil && strings.ContainsAny(host, ":/[] "):
		return "", fmt.Errorf("%q is no host or host:port", address)
	case ip != nil && ip.IsUnspecified():
		return "", fmt.Errorf("%s is every address and none that a BMC could fetch from", host)
	case zone, ip != nil && ip.IsLinkLocalUnicast():
		return "", fmt.Errorf("%s is link-local: no BMC could fetch from it", host)
	}
	return net.JoinHostPort(host, port), nil
}

// Close stops serving and cuts what is under way.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

// Offer makes a new URL for the image.
func (s *Server) Offer() *Offer {
	path := prefix + rand.Text() + file
	o := &Offer{URL: s.base + path, server: s, path: path, fetched: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offers[path] = o
	return o
}

// ServeHTTP answers GET and HEAD, with ranges, of the URLs on offer, and notes them.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	offer := s.offers[r.URL.Path]
	s.mu.Unlock()
	if offer == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	counted := &counter{ResponseWriter: w}
	f := Fetch{Time: time.Now(), Source: r.RemoteAddr, Method: r.Method, Range: r.Header.Get("Range"), UserAgent: r.UserAgent()}
	http.ServeContent(counted, r, "boot.iso", s.born, bytes.NewReader(s.image))
	f.Bytes = counted.image
	offer.note(f)
}

// counter counts the bytes of the image that were sent; the text of a refusal is none.
type counter struct {
	http.ResponseWriter
	refused bool
	image   int64
}

func (c *counter) WriteHeader(status int) {
	c.refused = status != http.StatusOK && status != http.StatusPartialContent
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	if !c.refused {
		c.image += int64(n)
	}
	return n, err
}

// Offer is the image under one URL.
type Offer struct {
	URL string

	server *Server
	path   string

	mu      sync.Mutex
	fetches []Fetch
	fetched chan struct{} // closed once a GET got some of the image
	done    bool
}

func (o *Offer) note(f Fetch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fetches = append(o.fetches, f)
	if f.Bytes > 0 && !o.done {
		o.done = true
		close(o.fetched)
	}
}

// Fetches are the requests so far, in their order.
func (o *Offer) Fetches() []Fetch {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.fetches)
}

// Wait returns when some of the image was fetched, and gives the first such request; the error is that of ctx.
func (o *Offer) Wait(ctx context.Context) (Fetch, error) {
	select {
	case <-o.fetched:
	case <-ctx.Done():
	}
	all := o.Fetches()
	if i := slices.IndexFunc(all, func(f Fetch) bool { return f.Bytes > 0 }); i >= 0 {
		return all[i], nil
	}
	return Fetch{}, ctx.Err()
}

// Withdraw makes the URL a 404.
func (o *Offer) Withdraw() {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	delete(o.server.offers, o.path)
}
