package bmctest

import (
	"crypto/tls"
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
)

// BMC is a running BMC for tests. Its methods may be called from any goroutine.
type BMC struct {
	config Config
	server *httptest.Server
	quit   chan struct{} // closed by Close: lets hanging requests go

	mu          sync.Mutex
	tree        Tree
	sessions    map[string]*session
	opened      int
	lock        lock
	connections int
	faults      []Fault
	fetched     []string // URLs of images

	record   record
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
	b := &BMC{config: config, quit: make(chan struct{}), sessions: map[string]*session{}, tree: tree, faults: slices.Clone(config.Faults)}
	b.advertise()
	if account := b.tree[Account]; account["UserName"] == smallUser && config.Username != "" {
		account["UserName"] = config.Username
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return nil, fmt.Errorf("starting a BMC for tests: %w", err)
	}
	if config.Silent {
		listener = &silence{Listener: listener, bmc: b}
	}
	b.server = httptest.NewUnstartedServer(b)
	b.server.Listener.Close()
	b.server.Listener = listener
	b.server.Config.ConnState = b.countConnection
	b.server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that refuse the certificate are no news
	if config.TLS {
		if config.Certificate != nil {
			b.server.TLS = &tls.Config{Certificates: []tls.Certificate{*config.Certificate}}
		}
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	return b, nil
}

// advertise makes the root say what the BMC can do, whatever the tree's says. A BMC of ExpandNone keeps a tree's own word:
// a crawl of a real one that says it can, and then does not, is a case of its own.
func (b *BMC) advertise() {
	root, ok := b.tree[Root]
	if !ok {
		return
	}
	if b.config.Sessions {
		b.tree.Set(Root, link(Sessions), "Links", "Sessions")
		b.tree[Sessions] = collection(Sessions, "Session")
	} else if links, ok := root["Links"].(map[string]any); ok {
		delete(links, "Sessions")
	}
	if b.config.Expand != ExpandNone {
		b.tree.Set(Root, map[string]any{"ExpandAll": true, "Levels": true, "Links": true, "NoLinks": true, "MaxLevels": maxLevels},
			"ProtocolFeaturesSupported", "ExpandQuery")
	}
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
	if state == http.StateNew {
		b.countOne()
	}
}

func (b *BMC) countOne() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connections++
}
