package metal3

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/metal3/ironic"
)

// powerless lets the BMC of the first host refuse all changes of power, where failure bmh-power was asked for: the
// emulated BMCs cannot.
func (o *operator) powerless(h *host, access ironic.Access) ironic.Access {
	if !o.world.Faults.On("bmh-power") {
		return access
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stuck == "" {
		o.stuck = h.node()
	}
	if o.stuck == h.node() && access.Transport == nil {
		access.Transport = obstinate{&http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: access.Insecure}}}
	}
	return access
}

// obstinate is a BMC that answers all but changes of power.
type obstinate struct{ bmc http.RoundTripper }

// RoundTrip refuses a reset as a BMC does whose server does not obey.
func (s obstinate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/Actions/ComputerSystem.Reset") {
		return s.bmc.RoundTrip(r)
	}
	const code = http.StatusInternalServerError
	body := `{"error":{"code":"Base.1.0.GeneralError","message":"The server does not respond to a change of its power state"}}`
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}
