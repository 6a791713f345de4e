package redfish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	serviceRoot  = "/redfish/v1/"
	mostBody     = 8 << 20 // bytes; the largest resource of a real BMC is some 100 KiB
	mostRedirect = 3

	// actionTimeout is how long a POST or PATCH may take: some BMCs download the image before they answer.
	actionTimeout = 2 * time.Minute
)

// conn speaks to one Redfish service: one request in flight, one authentication. It never follows a redirect to another
// host, and a link that leads there is not asked.
type conn struct {
	base        *url.URL
	dialer      *dialer
	client      *http.Client
	counter     *counter
	credentials Credentials
	timeout     time.Duration // of one request that reads
	now         func() time.Time

	mu       sync.Mutex      // one request in flight
	took     []time.Duration // how long each answer took, or until there was none
	login    login
	redirect *redirect // the last one met
	cache    map[string]answer
	expand   string // query by which the service gives a collection with its members; empty: it does not
}

// redirect is a 30x answer to a GET.
type redirect struct {
	from, to string
	foreign  bool
}

type answer struct {
	resource *resource
	err      error
}

// counter counts requests as they go out: also those that the transport sends again by itself, where a BMC has closed the
// connection that they were to go over.
type counter struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteHeaders: func() { c.n.Add(1) }}
	return c.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

func newConn(host Host, address Address, opts Options) (*conn, error) {
	base, err := url.Parse(address.URL())
	if err != nil {
		return nil, fmt.Errorf("the URL of the BMC cannot be read: %w", err)
	}
	d := &dialer{
		address: address, network: "tcp", resolver: opts.Resolver,
		roots: host.RootCAs, verify: !host.DisableCertificateVerification, handshake: opts.Timeout,
	}
	// A transport of its own, without a proxy: the BMC network is reached directly or not at all.
	transport := &http.Transport{
		DialContext: d.DialContext, DialTLSContext: d.DialContext,
		MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
	}
	c := &conn{base: base, dialer: d, counter: &counter{RoundTripper: transport}, credentials: host.Credentials, timeout: opts.Timeout, now: opts.Now}
	c.client = &http.Client{
		Transport:     c.counter,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// response is an answer of any kind, read to its end, or as far as it came where there is an error beside it.
type response struct {
	status int
	header http.Header
	body   []byte
}

// do sends one request and reads the whole answer. An answer that is no success comes back with a *RequestError.
func (c *conn) do(ctx context.Context, method, path string, payload any, headers map[string]string) (*response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(ctx, method, path, payload, headers)
}

func (c *conn) send(ctx context.Context, method, path string, payload any, headers map[string]string) (*response, error) {
	for hop := 0; ; hop++ {
		res, err := c.patiently(ctx, method, path, payload, headers)
		if err != nil || res.status < 300 {
			return res, err
		}
		if !follows(method, res) {
			if res.status == http.StatusUnauthorized && c.login.sends() {
				c.login.refused = true
			}
			return res, answered(method, c.base.String()+path, res.status, res.body)
		}
		next, err := c.redirected(path, res.header.Get("Location"))
		if err != nil || hop == mostRedirect {
			return res, &RequestError{Method: method, URL: c.base.String() + path, StatusCode: res.status,
				Message: "it redirects to " + printable(maskUserInfo(res.header.Get("Location"))), Err: errors.Join(ErrRedirect, err)}
		}
		path = next
	}
}

// follows says whether an answer is a redirect to go along with: a request that writes must stay what it is, which only
// 307 and 308 promise.
func follows(method string, res *response) bool {
	if res.status >= 400 || res.header.Get("Location") == "" {
		return false
	}
	return method == http.MethodGet || res.status == http.StatusTemporaryRedirect || res.status == http.StatusPermanentRedirect
}

// redirected notes a redirect and gives the path to ask next, if that is on the same service.
func (c *conn) redirected(from, location string) (string, error) {
	at, err := url.Parse(location)
	if err != nil {
		c.redirect = &redirect{from: from, to: printable(location), foreign: true}
		return "", fmt.Errorf("its target cannot be read")
	}
	asked := *c.base
	asked.Path = strings.SplitN(from, "?", 2)[0]
	next, err := localPath(c.base, asked.ResolveReference(at).String())
	c.redirect = &redirect{from: from, to: printable(maskUserInfo(location)), foreign: err != nil}
	return next, err
}

func (c *conn) once(ctx context.Context, method, path string, payload any, headers map[string]string) (*response, error) {
	target := c.base.String() + path
	fail := func(err error) (*response, error) {
		return nil, &RequestError{Method: method, URL: target, Err: unwrapURL(err)}
	}
	if c.login.refused {
		return fail(errRefused)
	}
	timeout := c.timeout
	if method == http.MethodPost || method == http.MethodPatch {
		timeout = actionTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if payload != nil {
		encoded, err := json.Marshal(payload)
		if err != nil {
			return fail(fmt.Errorf("the request's body cannot be encoded: %w", err))
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return fail(err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("OData-Version", "4.0")
	if payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	c.login.authorize(request, c.credentials)
	began := c.now()
	defer func() { c.took = append(c.took, c.now().Sub(began)) }()
	answer, err := c.client.Do(request)
	if err != nil {
		return fail(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, mostBody+1))
	if err == nil && len(content) > mostBody {
		err = fmt.Errorf("the answer is larger than %d MiB", mostBody>>20)
	}
	res := &response{answer.StatusCode, answer.Header, content}
	if err != nil && res.status < 300 { // a refusal whose words break off is a refusal all the same
		_, err = fail(err)
		return res, err
	}
	return res, nil
}

// get reads a resource, once: later calls give the same answer, good or bad, where the conn has a cache.
func (c *conn) get(ctx context.Context, link string) (*resource, error) {
	return c.known(ctx, link, c.read)
}

// known gives what is known of a link, or reads it.
func (c *conn) known(ctx context.Context, link string, read func(context.Context, string) (*resource, error)) (*resource, error) {
	path, err := localPath(c.base, link)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.cache[cacheKey(path)]; ok {
		return known.resource, known.err
	}
	r, err := read(ctx, path)
	// What one host's deadline cut off says nothing of the service; the next host may ask again.
	if c.cache != nil && !(err != nil && ctx.Err() != nil) {
		c.cache[cacheKey(path)] = answer{r, err}
	}
	return r, err
}

func cacheKey(path string) string { return strings.TrimSuffix(path, "/") }

func (c *conn) read(ctx context.Context, path string) (*resource, error) {
	res, err := c.send(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return nil, err
	}
	r, err := decode(path, res.header, res.body)
	if err != nil {
		return nil, &RequestError{Method: http.MethodGet, URL: c.base.String() + path, StatusCode: res.status, Message: err.Error()}
	}
	r.received = c.now()
	return r, nil
}

// unwrapURL takes off the *url.Error, which repeats method and URL.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// hangUp closes what is open.
func (c *conn) hangUp() {
	if spare := c.dialer.take(); spare != nil {
		spare.Close()
	}
	c.client.CloseIdleConnections()
}
