package kube

import (
	"net/http"
	"sync"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Requests counts what was asked of a cluster. An apply that changed nothing counts
// as a write: the server alone knows whether it was.
type Requests struct {
	Reads, Watches, DryRuns, Writes int
	ByVerb                          map[string]int // GET, WATCH, DRY RUN, POST, PUT, PATCH, DELETE
}

// counter counts requests as they leave.
type counter struct {
	mu   sync.Mutex
	verb map[string]int
}

func newCounter() *counter { return &counter{verb: map[string]int{}} }

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return &counted{counter: c, next: next}
}

func (c *counter) count(r *http.Request) {
	verb, query := r.Method, r.URL.Query()
	switch {
	case query.Get("watch") == "true" || query.Get("watch") == "1":
		verb = "WATCH"
	case query.Has("dryRun"):
		verb = "DRY RUN"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verb[verb]++
}

func (c *counter) total() Requests {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := Requests{ByVerb: map[string]int{}}
	for verb, n := range c.verb {
		sum.ByVerb[verb] = n
		switch verb {
		case http.MethodGet, http.MethodHead, http.MethodOptions:
			sum.Reads += n
		case "WATCH":
			sum.Watches += n
		case "DRY RUN":
			sum.DryRuns += n
		default:
			sum.Writes += n
		}
	}
	return sum
}

type counted struct {
	counter *counter
	next    http.RoundTripper
}

// RoundTrip counts the request and sends it on.
func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.counter.count(r)
	return c.next.RoundTrip(r)
}

// CloseIdleConnections closes those of the transport below.
func (c *counted) CloseIdleConnections() { utilnet.CloseIdleConnectionsFor(c.next) }

// WrappedRoundTripper gives the transport below, for client-go.
func (c *counted) WrappedRoundTripper() http.RoundTripper { return c.next }
