// Package admit serves validating webhooks as operators do: the API server asks them before it stores an object, so
// that what they refuse is refused at the request, in the operator's words:
//
//	admission webhook "multiclusterengines.multicluster.openshift.io" denied the request: invalid component config: …
//
// The server listens on loopback with a certificate of its own, made at start and kept in memory.
package admit

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	admission "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/labrun/labrun/internal/sim/pki"
)

// Request is what the API server is asked to do. Old is nil at a create, Object nil at a delete.
type Request struct {
	Operation   admission.Operation
	Old, Object *unstructured.Unstructured
}

// Judge refuses a request by an error, whose text the user reads.
type Judge func(ctx context.Context, r Request) error

// Hook is one validating webhook.
type Hook struct {
	Name       string // of webhook and configuration, as the real operator names it
	Group      string
	Version    string
	Resource   string // plural
	Operations []registration.OperationType
	Judge      Judge
}

// Server answers for hooks. It is a manager's Runnable.
type Server struct {
	hooks    map[string]Hook
	listener net.Listener
	ca       []byte
}

// Listen opens the server's port; requests wait until Start.
func Listen(hooks ...Hook) (*Server, error) {
	authority, err := pki.New("admission webhooks")
	if err != nil {
		return nil, err
	}
	pair, err := authority.Server("127.0.0.1")
	if err != nil {
		return nil, err
	}
	cert, err := pair.TLS()
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, fmt.Errorf("opening a port for admission webhooks: %w", err)
	}
	s := &Server{hooks: map[string]Hook{}, listener: listener, ca: authority.Cert}
	for _, h := range hooks {
		s.hooks["/"+h.Name] = h
	}
	return s, nil
}

// Start serves until ctx is done.
func (s *Server) Start(ctx context.Context) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admission webhooks: %w", err)
	}
	return nil
}

// ServeHTTP answers one AdmissionReview.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hook, known := s.hooks[r.URL.Path]
	if !known {
		http.NotFound(w, r)
		return
	}
	var review admission.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no AdmissionReview with a request", http.StatusBadRequest)
		return
	}
	answer := &admission.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if err := ask(r.Context(), hook, review.Request); err != nil {
		answer.Allowed = false
		answer.Result = &meta.Status{Status: meta.StatusFailure, Code: http.StatusForbidden, Reason: meta.StatusReasonForbidden, Message: err.Error()}
	}
	review.Request, review.Response = nil, answer
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		return // the API server went away: it has said so itself
	}
}

func ask(ctx context.Context, hook Hook, r *admission.AdmissionRequest) error {
	request := Request{Operation: r.Operation}
	for _, part := range []struct {
		raw []byte
		to  **unstructured.Unstructured
	}{{r.Object.Raw, &request.Object}, {r.OldObject.Raw, &request.Old}} {
		if len(part.raw) == 0 || string(part.raw) == "null" {
			continue
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(part.raw); err != nil {
			return err
		}
		*part.to = u
	}
	return hook.Judge(ctx, request)
}

// Register makes or renews the ValidatingWebhookConfiguration of the hook called name: from then on the API server asks.
func (s *Server) Register(ctx context.Context, c client.Client, name string) error {
	hook, known := s.hooks["/"+name]
	if !known {
		return fmt.Errorf("registering webhook %s: the server has none of this name", name)
	}
	want := s.configuration(hook)
	old := &registration.ValidatingWebhookConfiguration{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, old)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		return c.Create(ctx, want)
	}
	if len(old.Webhooks) == 1 && string(old.Webhooks[0].ClientConfig.CABundle) == string(s.ca) {
		return nil
	}
	old.Webhooks = want.Webhooks
	return c.Update(ctx, old)
}

// Unregister removes the configuration, as an operator that is uninstalled does.
func Unregister(ctx context.Context, c client.Client, name string) error {
	o := &registration.ValidatingWebhookConfiguration{ObjectMeta: meta.ObjectMeta{Name: name}}
	return client.IgnoreNotFound(c.Delete(ctx, o))
}

func (s *Server) configuration(h Hook) *registration.ValidatingWebhookConfiguration {
	url := "https://" + s.listener.Addr().String() + "/" + h.Name
	fail, none, wait := registration.Fail, registration.SideEffectClassNone, int32(10)
	return &registration.ValidatingWebhookConfiguration{
		ObjectMeta: meta.ObjectMeta{Name: h.Name},
		Webhooks: []registration.ValidatingWebhook{{
			Name:                    h.Name,
			ClientConfig:            registration.WebhookClientConfig{URL: &url, CABundle: s.ca},
			FailurePolicy:           &fail,
			SideEffects:             &none,
			TimeoutSeconds:          &wait,
			AdmissionReviewVersions: []string{"v1"},
			Rules: []registration.RuleWithOperations{{
				Operations: h.Operations,
				Rule:       registration.Rule{APIGroups: []string{h.Group}, APIVersions: []string{h.Version}, Resources: []string{h.Resource}},
			}},
		}},
	}
}
