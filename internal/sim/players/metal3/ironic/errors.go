package ironic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// Refusal is an answer of a BMC that says no.
type Refusal struct {
	Method, URL string
	Code        int
	ID, Message string // of the Redfish error in the body
}

func refusal(method, target string, code int, body resource) *Refusal {
	said := body.object("error")
	r := &Refusal{Method: method, URL: target, Code: code, ID: said.text("code"), Message: said.text("message")}
	if extended, ok := said["@Message.ExtendedInfo"].([]any); ok && r.Message == "" {
		for _, one := range extended {
			if info, ok := one.(map[string]any); ok {
				r.Message = resource(info).text("Message")
			}
		}
	}
	if r.ID == "" {
		r.ID = "unknown error"
	}
	return r
}

// Error is worded as Ironic's redfish library does.
func (r *Refusal) Error() string {
	if r.Code == 404 {
		return fmt.Sprintf("Resource %s not found", r.URL)
	}
	return strings.TrimSpace(fmt.Sprintf("HTTP %s %s returned code %d. %s: %s", r.Method, r.URL, r.Code, r.ID, r.Message)) +
		" Extended information: none"
}

// Kind says why a BMC could not be reached.
type Kind string

// Why a BMC could not be reached; each takes its own time until Ironic gives up.
const (
	Refused  Kind = "refused"
	NoName   Kind = "name"
	BadTLS   Kind = "tls"
	Silent   Kind = "silent" // it accepts and never answers
	OtherWay Kind = "other"
)

// Unreachable is a BMC that gave no answer at all.
type Unreachable struct {
	URL   string
	Cause error
}

// Kind tells the ways of not being reached apart.
func (u *Unreachable) Kind() Kind {
	var name *net.DNSError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(u.Cause, &name):
		return NoName
	case errors.Is(u.Cause, syscall.ECONNREFUSED):
		return Refused
	case errors.As(u.Cause, &record), errors.As(u.Cause, &unknown), errors.As(u.Cause, &hostname), errors.As(u.Cause, &invalid):
		return BadTLS
	case strings.Contains(u.Cause.Error(), "server gave HTTP response to HTTPS client"):
		return BadTLS
	case errors.Is(u.Cause, context.DeadlineExceeded):
		return Silent
	}
	return OtherWay
}

// Unwrap gives the error of the connection.
func (u *Unreachable) Unwrap() error { return u.Cause }

// Error is worded as Ironic's redfish library does.
func (u *Unreachable) Error() string {
	scheme, pool, host, port := "HTTP", "HTTPConnectionPool", "", "80"
	if at, err := url.Parse(u.URL); err == nil {
		host = at.Hostname()
		if at.Scheme == "https" {
			scheme, pool, port = "HTTPS", "HTTPSConnectionPool", "443"
		}
		if at.Port() != "" {
			port = at.Port()
		}
	}
	return fmt.Sprintf("Unable to connect to %s. Error: %s(host='%s', port=%s): Max retries exceeded with url: /redfish/v1/ (Caused by %s)",
		u.URL, pool, host, port, u.why(scheme, host))
}

func (u *Unreachable) why(scheme, host string) string {
	object := "<urllib3.connection." + scheme + "Connection object>"
	switch u.Kind() {
	case Refused:
		return fmt.Sprintf(`NewConnectionError("%s: Failed to establish a new connection: [Errno 111] Connection refused")`, object)
	case NoName:
		return fmt.Sprintf(`NameResolutionError("%s: Failed to resolve '%s' ([Errno -2] Name or service not known)")`, object, host)
	case BadTLS:
		return u.whyTLS()
	}
	return fmt.Sprintf(`NewConnectionError("%s: Failed to establish a new connection: %v")`, object, u.Cause)
}

func (u *Unreachable) whyTLS() string {
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	reason := ""
	switch {
	case errors.As(u.Cause, &hostname):
		reason = fmt.Sprintf("Hostname mismatch, certificate is not valid for '%s'.", hostname.Host)
	case errors.As(u.Cause, &invalid) && invalid.Reason == x509.Expired:
		reason = "certificate has expired"
	case errors.As(u.Cause, &unknown) && unknown.Cert != nil && unknown.Cert.Issuer.String() == unknown.Cert.Subject.String():
		reason = "self-signed certificate"
	case errors.As(u.Cause, &unknown), errors.As(u.Cause, &invalid):
		reason = "unable to get local issuer certificate"
	default:
		return `SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)'))`
	}
	return fmt.Sprintf(`SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: %s (_ssl.c:992)'))`, reason)
}

// PowerStateError words err as Ironic does when it could not read the power state of node.
func PowerStateError(node string, err error) string {
	var away *Unreachable
	if errors.As(err, &away) {
		return fmt.Sprintf("Failed to get power state for node %s. Error: Redfish connection failed for node %s: %v", node, node, away)
	}
	return fmt.Sprintf("Failed to get power state for node %s. Error: Redfish exception occurred. Error: %v", node, err)
}

// PowerChangeError words err as Ironic does when it could not change a node's power.
func PowerChangeError(on bool, err error) string {
	state := "power off"
	if on {
		state = "power on"
	}
	return fmt.Sprintf("Failed to change power state to '%[1]s' by '%[1]s': Redfish exception occurred. Error: %[2]v", state, err)
}

// failure is an error in Ironic's own words, which begin with a capital.
type failure struct {
	text  string
	cause error
}

// Error gives the words.
func (f *failure) Error() string { return f.text }

// Unwrap gives what brought it about.
func (f *failure) Unwrap() error { return f.cause }

// worded words an error as Ironic does; cause may be nil.
func worded(cause error, format string, values ...any) error {
	return &failure{text: fmt.Sprintf(format, values...), cause: cause}
}
