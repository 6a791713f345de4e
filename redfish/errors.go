package redfish

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/stmcginnis/gofish/schemas"
)

// What a write needs and the BMC lacks. They are wrapped: ask with errors.Is.
var (
	ErrNoVirtualMedia = errors.New("the BMC has no virtual media")
	ErrNoCDSlot       = errors.New("no virtual media slot takes a CD or DVD")
	ErrRedirect       = errors.New("the BMC redirects to another host")
	errRefused        = errors.New("not asked again: the BMC refused this credential")
)

// RequestError is a request that a BMC did not answer with success. StatusCode is 0 where there was no answer; Err then says
// why (errors.Is with syscall.ECONNREFUSED, context.DeadlineExceeded and the like works).
type RequestError struct {
	Method     string
	URL        string // never with user info
	StatusCode int
	Code       string // the BMC's error code, such as Base.1.0.GeneralError
	Message    string // the BMC's own words, control characters taken out
	Err        error

	ids string // of the messages in the BMC's extended info, such as Base.1.8.SessionLimitExceeded
}

func (e *RequestError) Error() string {
	s := e.Method + " " + e.URL + ": "
	switch {
	case e.StatusCode == 0:
		return s + reason(e.Err)
	case e.Message != "":
		return s + fmt.Sprintf("HTTP %d: %s", e.StatusCode, e.Message)
	case e.Err != nil:
		return s + fmt.Sprintf("HTTP %d: %s", e.StatusCode, reason(e.Err))
	default:
		return s + fmt.Sprintf("HTTP %d %s", e.StatusCode, strings.ToLower(http.StatusText(e.StatusCode)))
	}
}

func (e *RequestError) Unwrap() error { return e.Err }

// answered makes a RequestError of an answer that is no success; gofish's error type stays reachable below it.
func answered(method, url string, status int, body []byte) *RequestError {
	out := &RequestError{Method: method, URL: url, StatusCode: status}
	if len(bytes.TrimSpace(body)) == 0 {
		return out // there are no words of the BMC's
	}
	var parsed *schemas.Error
	if err := schemas.ConstructError(status, body); errors.As(err, &parsed) {
		out.Code, out.Message, out.Err = printable(parsed.Code), printable(parsed.Message), err
		for _, info := range parsed.ExtendedInfos {
			out.ids += printable(info.MessageID) + " "
			if m := printable(info.Message); m != "" && !strings.Contains(out.Message, m) {
				out.Message = strings.TrimSpace(out.Message + " " + m)
			}
		}
	}
	return out
}

// statusOf is the HTTP status of an error, 0 where no answer came.
func statusOf(err error) int {
	var e *RequestError
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// reason says in a few words why there was no answer.
func reason(err error) string {
	var (
		dns   *net.DNSError
		noTLS tls.RecordHeaderError
		alert tls.AlertError
	)
	switch {
	case err == nil:
		return "no answer"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &dns):
		return dns.Error()
	case timedOut(err):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the BMC reset the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the BMC"
	case errors.As(err, &noTLS):
		return "no TLS on this port"
	case errors.As(err, &alert):
		return "the BMC ended the TLS handshake: " + alert.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the BMC closed the connection before its answer was complete"
	}
	return printable(err.Error())
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// mentions says whether the BMC's codes or words hold this text, whatever the case.
func (e *RequestError) mentions(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(strings.ToLower(e.Code+" "+e.ids), text) || strings.Contains(strings.ToLower(e.Message), text)
}
