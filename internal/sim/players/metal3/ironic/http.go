// Package ironic is as much of Ironic's redfish driver as the simulated Metal3 needs: it asks a BMC for a server's
// power, puts an image into its virtual drive, boots from it and takes it out again, in the order in which
// Ironic 32 was seen to do it, and words what goes wrong as Ironic does.
//
//	GET  /redfish/v1/                                   without credentials
//	POST /redfish/v1/SessionService/Sessions            tried though not advertised; 401 or 404, then Basic
//	POST …/ComputerSystem.Reset {"ResetType":"ForceOff"}  only if it was on
//	POST …/VirtualMedia.InsertMedia {"Image": …}
//	PATCH Systems/U {"Boot":{"BootSourceOverrideTarget":"Cd"}}
//	POST …/ComputerSystem.Reset {"ResetType":"On"}
package ironic

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Access says where a BMC is and who asks, as a BareMetalHost and its Secret say it.
type Access struct {
	Root     string // scheme://host:port, IPv6 in brackets
	System   string // "/redfish/v1/Systems/U"
	User     string
	Password string
	Insecure bool // spec.bmc.disableCertificateVerification

	// Transport, where set, carries the requests in place of the network.
	Transport http.RoundTripper
}

// resource is a Redfish resource, as it was answered.
type resource map[string]any

// object is a property of r that is an object; nil where there is none.
func (r resource) object(name string) resource {
	o, _ := r[name].(map[string]any)
	return o
}

// text is a property of r that is a string.
func (r resource) text(name string) string {
	s, _ := r[name].(string)
	return s
}

// link is the path that a property of r refers to.
func (r resource) link(name string) string { return r.object(name).text("@odata.id") }

// members are the paths that a collection, or a list of links, refers to.
func (r resource) members(name string) []string {
	var paths []string
	list, _ := r[name].([]any)
	for _, m := range list {
		if o, ok := m.(map[string]any); ok {
			paths = append(paths, resource(o).text("@odata.id"))
		}
	}
	return paths
}

// connection asks one BMC. It is used by one goroutine at a time.
type connection struct {
	access Access
	client *http.Client
	token  string // of a session, "" with Basic
	basic  bool
}

func connect(a Access) *connection {
	transport := a.Transport
	if transport == nil {
		transport = &http.Transport{
			DisableKeepAlives: true, // emulated BMCs close each connection
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: a.Insecure},
		}
	}
	return &connection{access: a, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open asks for the service and for a session; where there are no sessions, Basic is used from then on. A refused
// user is not seen here but by the first resource that is asked for, as with the real one.
func (c *connection) open(ctx context.Context) error {
	if _, err := c.send(ctx, http.MethodGet, "/redfish/v1/", nil); err != nil {
		return err
	}
	who := map[string]any{"UserName": c.access.User, "Password": c.access.Password}
	answer, err := c.raw(ctx, http.MethodPost, "/redfish/v1/SessionService/Sessions", who)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 == 2 {
		c.token = answer.Header.Get("X-Auth-Token")
	}
	c.basic = c.token == ""
	return nil
}

func (c *connection) get(ctx context.Context, path string) (resource, error) {
	return c.send(ctx, http.MethodGet, path, nil)
}

// send asks and decodes; an answer of 400 and more is an error of type *Refusal.
func (c *connection) send(ctx context.Context, method, path string, body any) (resource, error) {
	answer, err := c.raw(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return nil, &Unreachable{URL: c.access.Root + "/redfish/v1/", Cause: err}
	}
	var got resource
	decodeErr := json.Unmarshal(raw, &got)
	if answer.StatusCode >= 300 {
		return nil, refusal(method, c.access.Root+path, answer.StatusCode, got)
	}
	if method == http.MethodGet && decodeErr != nil {
		return nil, fmt.Errorf("resource %s is no JSON: %w", c.access.Root+path, decodeErr)
	}
	return got, nil
}

func (c *connection) raw(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("writing the body for %s: %w", path, err)
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.access.Root, "/")+path, reader)
	if err != nil {
		return nil, fmt.Errorf("asking the BMC at %s: %w", c.access.Root, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.token != "":
		request.Header.Set("X-Auth-Token", c.token)
	case c.basic:
		request.SetBasicAuth(c.access.User, c.access.Password)
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, &Unreachable{URL: c.access.Root + "/redfish/v1/", Cause: err}
	}
	return answer, nil
}

// wait is a pause that ends with its context.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
