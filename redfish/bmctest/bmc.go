package bmctest

import (
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what the BMC is like. The zero value serves [Small] over plain http on 127.0.0.1 to anyone.
type Config struct {
	Tree     Tree
	Listen   string // host:port; default 127.0.0.1:0
	TLS      bool   // with a self-signed certificate for 127.0.0.1 and ::1
	Username string // with Password: asked for on everything but the root
	Password string

	Sessions     bool // advertise sessions and open them; Basic works all the same
	SessionLimit int  // 0: none

	Latency time.Duration // of every answer
	Patch   bool          // slots without InsertMedia take a PATCH, and every slot's Allow header says so
	NoFetch bool          // InsertMedia answers 204 and never fetches the image
	Quirks  Quirks
	Faults  []Fault

	Arrived func(Request) // called when a request has arrived, before it is answered; may be nil
}

// Request is one request that the BMC got.
type Request struct {
	Method string
	Path   string
	Auth   string // "", basic or session
	Body   string // as sent; not that of a login
	Status int    // of the answer; 0 where there was none
}

func (r Request) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %d %s", r.Method, r.Path, r.Status, r.Auth))
}

// BMC is a running BMC for tests. Its methods may be called from any goroutine.
type BMC struct {
	config Config
	server *httptest.Server
	quit   chan struct{} // closed by Close: lets hanging requests go

	mu          sync.Mutex
	tree        Tree
	requests    []Request
	sessions    map[string]string // path → token
	opened      int
	connections int
	faults      []Fault
	fetched     []string // URLs of images

	fetching sync.WaitGroup // of what goes on after its answer
}

// New starts a BMC. The caller must Close it.
func New(config Config) (*BMC, error) {
	if config.Tree == nil {
		config.Tree = Small()
	}
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	tree, err := config.Tree.copied()
	if err != nil {
		return nil, err
	}
	config.Quirks.shape(tree)
	b := &BMC{config: config, quit: make(chan struct{}), sessions: map[string]string{}, tree: tree, faults: slices.Clone(config.Faults)}
	if config.Sessions {
		b.tree.Set(Root, link(Sessions), "Links", "Sessions")
		b.tree[Sessions] = collection(Sessions, "Session")
	} else if links, ok := b.tree[Root]["Links"].(map[string]any); ok {
		delete(links, "Sessions")
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return nil, fmt.Errorf("starting a BMC for tests: %w", err)
	}
	b.server = httptest.NewUnstartedServer(b)
	b.server.Listener.Close()
	b.server.Listener = listener
	b.server.Config.ConnState = b.countConnection
	b.server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that refuse the certificate are no news
	if config.TLS {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	return b, nil
}

// Close stops the BMC and cuts what is under way.
func (b *BMC) Close() {
	close(b.quit)
	b.server.CloseClientConnections()
	b.server.Close()
	b.fetching.Wait()
}

// URL is the BMC's address for HTTP clients: http://127.0.0.1:4711.
func (b *BMC) URL() string {
	scheme := "http://"
	if b.config.TLS {
		scheme = "https://"
	}
	return scheme + b.server.Listener.Addr().String()
}

// Address is the BMC's address as a BareMetalHost takes it, for the system at this path.
func (b *BMC) Address(system string) string {
	return strings.Replace(strings.Replace(b.URL(), "http://", "redfish-virtualmedia+http://", 1), "https://", "redfish-virtualmedia://", 1) + system
}

// Certificate is the BMC's certificate, nil without TLS.
func (b *BMC) Certificate() *x509.Certificate { return b.server.Certificate() }

// Requests are those got so far, in their order.
func (b *BMC) Requests() []Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Count counts the requests got with this method and path; an empty one stands for any.
func (b *BMC) Count(method, path string) int {
	n := 0
	for _, r := range b.Requests() {
		if (method == "" || r.Method == method) && (path == "" || r.Path == path) {
			n++
		}
	}
	return n
}

// Refused counts the answers with status 401.
func (b *BMC) Refused() int {
	n := 0
	for _, r := range b.Requests() {
		if r.Status == http.StatusUnauthorized {
			n++
		}
	}
	return n
}

// Credentials counts the requests that carried a credential.
func (b *BMC) Credentials() int {
	n := 0
	for _, r := range b.Requests() {
		if r.Auth != "" {
			n++
		}
	}
	return n
}

// Sessions counts the sessions that are open, and all that were ever opened.
func (b *BMC) Sessions() (open, ever int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sessions), b.opened
}

// Connections counts the TCP connections accepted.
func (b *BMC) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connections
}

// Fetched lists the URLs of the images that the BMC has fetched.
func (b *BMC) Fetched() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.fetched)
}

// Property gives a property as it is now; nil where it is missing or null.
func (b *BMC) Property(path string, names ...string) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	var value any = b.tree[path]
	for _, name := range names {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// Resources are all resources as they are now: a copy.
func (b *BMC) Resources() Tree {
	b.mu.Lock()
	defer b.mu.Unlock()
	tree, err := b.tree.copied()
	if err != nil {
		panic(err) // a tree is made of JSON
	}
	return tree
}

// Break adds a fault to a running BMC.
func (b *BMC) Break(f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, f)
}

// Mend ends all faults.
func (b *BMC) Mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = nil
}

func (b *BMC) countConnection(_ net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connections++
}
