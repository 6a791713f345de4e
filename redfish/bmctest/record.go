package bmctest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request that the BMC got.
type Request struct {
	Method string
	Path   string // without trailing slash and query
	Query  string // as it came, without question mark
	Auth   string // "", basic or session
	Body   string // as sent; not that of a login
	Status int    // of the answer; 0 where there was none
}

func (r Request) String() string {
	path := r.Path
	if r.Query != "" {
		path += "?" + r.Query
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %d %s", r.Method, path, r.Status, r.Auth))
}

// record is what came in. It has a lock of its own: answers are noted while the BMC's state is held.
type record struct {
	mu       sync.Mutex
	requests []Request
	inFlight int
	most     int                   // in flight at once
	hung     map[int]chan struct{} // requests that get no answer; closed when the client has given them up
}

// noticing is how long the end of a connection may take to be seen.
const noticing = time.Second

// arrive notes a request and gives its number, from 0.
func (b *BMC) arrive(r *http.Request, path string) int {
	request := Request{Method: r.Method, Path: path, Query: r.URL.RawQuery, Auth: authKind(r), Body: bodyOf(r, path)}
	c := &b.record
	c.seeGivenUp()
	c.mu.Lock()
	at := len(c.requests)
	c.requests = append(c.requests, request)
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	c.mu.Unlock()
	if b.config.Arrived != nil {
		b.config.Arrived(request)
	}
	return at
}

func (c *record) answered(at, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[at].Status = status
}

func (c *record) leave(at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	if gone := c.hung[at]; gone != nil {
		close(gone)
		delete(c.hung, at)
	}
}

// hangs notes that a request gets no answer.
func (c *record) hangs(at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hung == nil {
		c.hung = map[int]chan struct{}{}
	}
	c.hung[at] = make(chan struct{})
}

// seeGivenUp lets those that hang leave, if the client has given them up: it may ask the next thing before the server
// sees that their connections are closed. One that it still waits for stays, and counts.
func (c *record) seeGivenUp() {
	c.mu.Lock()
	hung := slices.Collect(maps.Values(c.hung))
	c.mu.Unlock()
	for _, gone := range hung {
		select {
		case <-gone:
		case <-time.After(noticing):
		}
	}
}

// Requests are those got so far, in their order.
func (b *BMC) Requests() []Request {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	return slices.Clone(b.record.requests)
}

// MostInFlight is how many requests were under way at once, at most.
func (b *BMC) MostInFlight() int {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	return b.record.most
}

func (b *BMC) count(matches func(Request) bool) int {
	n := 0
	for _, r := range b.Requests() {
		if matches(r) {
			n++
		}
	}
	return n
}

// Count counts the requests got with this method and path; an empty one stands for any.
func (b *BMC) Count(method, path string) int {
	return b.count(func(r Request) bool { return (method == "" || r.Method == method) && (path == "" || r.Path == path) })
}

// Refused counts the answers with status 401.
func (b *BMC) Refused() int {
	return b.count(func(r Request) bool { return r.Status == http.StatusUnauthorized })
}

// Credentials counts the requests that carried a credential in a header. One for a new session has it in its body: count
// those by Count("POST", Sessions).
func (b *BMC) Credentials() int { return b.count(func(r Request) bool { return r.Auth != "" }) }

// Twice lists the GETs, with their queries, that were answered with 200 more than once.
func (b *BMC) Twice() []string {
	seen := map[string]int{}
	var out []string
	for _, r := range b.Requests() {
		if r.Method != http.MethodGet || r.Status != http.StatusOK {
			continue
		}
		key := r.Path + "?" + r.Query
		if seen[key]++; seen[key] == 2 {
			out = append(out, strings.TrimSuffix(key, "?"))
		}
	}
	return out
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
