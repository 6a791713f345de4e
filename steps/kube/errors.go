package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// transient says that the same request may well succeed later: the server
// cannot be reached or is busy, or a webhook that it asks is still starting.
func transient(err error) bool {
	switch {
	case err == nil || errors.Is(err, context.Canceled) || distrusted(err):
		return false
	case errors.Is(err, errSilence):
		return true
	case apierrors.IsInternalError(err):
		// The server's own mistakes pass; an apply that does not fit the schema is told as one and does not.
		return !strings.Contains(err.Error(), "failed to create typed patch object")
	case apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err), apierrors.IsServiceUnavailable(err):
		return true
	}
	return unreachable(err) && !hopeless(err)
}

// hopeless says that the server cannot even be asked: it has no such name, or the
// program that the kubeconfig gets its token from is not there.
func hopeless(err error) bool {
	var name *net.DNSError
	return errors.As(err, &name) && name.IsNotFound || noPlugin(err)
}

// noPlugin says that a kubeconfig's program is missing. client-go keeps only the
// text of it.
func noPlugin(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || unreachable(err) && strings.Contains(err.Error(), "getting credentials: exec: executable")
}

// unreachable says that no server answered.
func unreachable(err error) bool {
	var sending *url.Error
	return errors.As(err, &sending)
}

// distrusted says that the server's certificate is not what the kubeconfig asks for.
func distrusted(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}

// explain makes of what the server answered a report: what was being done, to
// what, what it said, and what to do.
func explain(c *Cluster, doing, object, manager string, err error) error {
	if err == nil {
		return nil
	}
	var told event.Reporter
	if errors.As(err, &told) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	r := event.Report{Title: object + ": " + doing + " failed", Lines: []event.Line{{Label: "it said", Text: said(err)}}}
	switch {
	case apierrors.IsConflict(err) && len(conflicts(err)) > 0:
		return conflictReport(object, manager, err)
	case apierrors.IsUnauthorized(err):
		r.Code = string(trouble.ServerLogin)
		r.Next = "the API server " + c.Host() + " does not accept the kubeconfig's user: log in again, or name another kubeconfig"
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "admission webhook"):
		r.Code = string(trouble.ObjectRefused)
		r.Next = "a webhook of the cluster refuses it: mend what it names"
	case apierrors.IsForbidden(err):
		r.Code = string(trouble.ServerRights)
		r.Next = "give the kubeconfig's user this right on " + c.Host() + ", or name the kubeconfig of an administrator"
	case distrusted(err):
		r.Code = string(trouble.ServerUntrusted)
		r.Next = "the kubeconfig's certificate authority did not sign the certificate of " + c.Host() + ": fetch the kubeconfig again"
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), "namespaces"):
		r.Next = "make the namespace first, in an earlier step"
	case apierrors.IsInvalid(err):
		r.Code = string(trouble.ObjectRefused)
		r.Lines = causes(err, r.Lines)
		r.Next = "mend the named fields; where they are immutable, the object must be deleted and made again"
	case apierrors.IsBadRequest(err), apierrors.IsInternalError(err):
		r.Code = string(trouble.ObjectRefused)
		r.Next = "mend the named fields in the step's options or its patch"
	case noPlugin(err):
		r.Next = "install the program that the kubeconfig gets its token from, or name another kubeconfig"
	case unreachable(err):
		r.Code = string(trouble.ServerSilent)
		r.Next = "see that the API server " + c.Host() + " runs and can be reached from here, or name another kubeconfig"
	}
	return &pipeline.Report{Report: r, Cause: err}
}

// said is the server's own message without what client-go puts before it.
func said(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Message != "" {
		return status.Status().Message
	}
	return err.Error()
}

// causes adds a line for each field that the server refuses.
func causes(err error, lines []event.Line) []event.Line {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return lines
	}
	for _, c := range status.Status().Details.Causes {
		if c.Field != "" {
			lines = append(lines, event.Line{Label: "field", Text: c.Field + ": " + c.Message})
		}
	}
	return lines
}

// conflicts are the fields of an apply that another manager owns.
func conflicts(err error) []meta.StatusCause {
	var found []meta.StatusCause
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, c := range status.Status().Details.Causes {
			if c.Type == meta.CauseTypeFieldManagerConflict {
				found = append(found, c)
			}
		}
	}
	return found
}

// ownerOf reads the manager out of `conflict with "manager" using v1`.
func ownerOf(c meta.StatusCause) string {
	if parts := strings.SplitN(c.Message, `"`, 3); len(parts) == 3 {
		return parts[1]
	}
	return c.Message
}

func conflictReport(object, manager string, err error) error {
	r := event.Report{Code: string(trouble.FieldsOfOthers), Title: object + ": fields that " + manager + " applies belong to others"}
	owners := map[string]bool{}
	for _, c := range conflicts(err) {
		r.Lines = append(r.Lines, event.Line{Label: "field", Text: fmt.Sprintf("%s is %s's", strings.TrimPrefix(c.Field, "."), ownerOf(c))})
		owners[ownerOf(c)] = true
	}
	r.Next = "leave the field to its owner (patch: {FIELD: null}), or give it the owner's value"
	if len(owners) == 1 {
		for owner := range owners {
			if strings.HasPrefix(owner, "labrun/") {
				r.Next = "two steps or labs want different values of it: give both the same (the other is " + owner + "), or leave it to one (patch: {FIELD: null})"
			}
		}
	}
	return &pipeline.Report{Report: r, Cause: err}
}
