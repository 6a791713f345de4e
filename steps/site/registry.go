package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// registryAddress is host:port, as images and pull secrets name the registry; without a port where it is the usual one.
func (s Site) registryAddress() string {
	r := s.Facts.Registry
	if r.Port == 0 {
		return r.Host
	}
	return r.Host + ":" + strconv.Itoa(r.Port)
}

func askRegistry(ctx context.Context, s Site) finding {
	url := "https://" + s.registryAddress() + "/v2/"
	t, err := s.transport()
	if err != nil {
		return fail("", "%v", err)
	}
	defer t.CloseIdleConnections()
	status, err := getStatus(ctx, t, url)
	switch {
	case err != nil:
		return fail("", "GET %s: %s", url, reason(err))
	case status != http.StatusOK && status != http.StatusUnauthorized:
		return fail("check lab.registry.host and lab.registry.port", "GET %s: HTTP %d: this is no registry", url, status)
	}
	return pass("%s answers, its certificate is good", url)
}

func getStatus(ctx context.Context, t http.RoundTripper, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // the status is all that is asked for
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode, err
}

// login finds what the registry is logged in to with, and from where; anonymous where the pull secret has nothing for it.
func (s Site) login(ctx context.Context) (who authn.Authenticator, from string, err error) {
	if ref := s.Facts.Registry.Credentials; !ref.IsZero() {
		secret, err := s.Secret(ctx, ref)
		if err != nil {
			return nil, "", err
		}
		user, password, ok := strings.Cut(strings.TrimRight(secret.Reveal(), "\r\n"), ":")
		if !ok {
			return nil, "", fmt.Errorf("the secret in %s is not of the shape user:password", ref)
		}
		return &authn.Basic{Username: user, Password: password}, "lab.registry.credentials", nil
	}
	secret, err := s.Secret(ctx, s.Facts.PullSecret)
	if err != nil {
		return nil, "", err
	}
	var known struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if json.Unmarshal([]byte(secret.Reveal()), &known) != nil { // its text may show the secret
		return nil, "", fmt.Errorf("the pull secret in %s is not of the shape {\"auths\": {REGISTRY: {\"auth\": …}}}", s.Facts.PullSecret)
	}
	names := []string{s.registryAddress()}
	if p := s.Facts.Registry.Port; p == 0 || p == 443 {
		names = []string{s.Facts.Registry.Host, s.Facts.Registry.Host + ":443"}
	}
	for _, n := range names {
		if found, ok := known.Auths[n]; ok {
			return authn.FromConfig(found), "the pull secret", nil
		}
	}
	return authn.Anonymous, "no credential", nil
}

func askLogin(ctx context.Context, s Site) finding {
	who, from, t, err := s.visitor(ctx)
	if err != nil {
		return fail("", "%v", err)
	}
	defer t.CloseIdleConnections()
	registry, err := name.NewRegistry(s.registryAddress())
	if err != nil {
		return fail("correct lab.registry.host", "%v", err)
	}
	status := http.StatusUnauthorized
	logged, err := transport.NewWithContext(ctx, registry, who, t, nil) // where tokens are used, it gets one
	if err == nil {
		status, err = getStatus(ctx, logged, "https://"+s.registryAddress()+"/v2/")
	}
	var refused *transport.Error
	if errors.As(err, &refused) {
		status, err = refused.StatusCode, nil
	}
	switch {
	case err != nil:
		return fail("", "%s: %s", s.registryAddress(), reason(err))
	case status == http.StatusOK && who == authn.Anonymous:
		return pass("%s lets everybody in", s.registryAddress())
	case status == http.StatusOK:
		return pass("%s accepts %s", s.registryAddress(), from)
	case who == authn.Anonymous:
		return fail("podman login --authfile PULL_SECRET "+s.registryAddress()+", or give lab.registry.credentials", "%s asks for a credential, and the pull secret has none for it", s.registryAddress())
	}
	return fail("", "%s refuses %s: HTTP %d", s.registryAddress(), from, status)
}

func askRelease(ctx context.Context, s Site) finding {
	image := s.Facts.Release.Image
	places := s.mirrored(image)
	if len(places) == 0 {
		return fail("add the repository to lab.registry.mirrors", "no mirror of lab.registry.mirrors covers %s", image)
	}
	return s.held(ctx, places)
}

func askControlPlane(ctx context.Context, s Site) finding {
	return s.held(ctx, []string{s.Facts.Release.ControlPlaneImage})
}

// mirrored are the images that are asked for in the place of one.
func (s Site) mirrored(image string) []string {
	if strings.HasPrefix(image, s.registryAddress()+"/") {
		return []string{image}
	}
	var places []string
	for _, m := range s.Facts.Registry.Mirrors {
		rest, ok := strings.CutPrefix(image, strings.TrimSuffix(m.Source, "/"))
		if !ok || rest != "" && !strings.ContainsRune("/@:", rune(rest[0])) {
			continue
		}
		for _, to := range m.Mirrors {
			places = append(places, strings.TrimSuffix(to, "/")+rest)
		}
	}
	return places
}

// held says whether one of the images is there.
func (s Site) held(ctx context.Context, images []string) finding {
	who, _, t, err := s.visitor(ctx)
	if err != nil {
		return fail("", "%v", err)
	}
	defer t.CloseIdleConnections()
	var wrong []string
	for _, image := range images {
		ref, err := name.ParseReference(image)
		if err == nil {
			_, err = remote.Head(ref, remote.WithContext(ctx), remote.WithTransport(t), remote.WithAuth(s.only(ref, who)))
		}
		if err == nil {
			return pass("%s is there", image)
		}
		wrong = append(wrong, image+": "+absent(err))
	}
	return fail("", "%s", strings.Join(wrong, "; "))
}

// only gives the credential to the lab's own registry alone.
func (s Site) only(ref name.Reference, who authn.Authenticator) authn.Authenticator {
	if ref.Context().RegistryStr() == s.registryAddress() {
		return who
	}
	return authn.Anonymous
}

func absent(err error) string {
	var answered *transport.Error
	if !errors.As(err, &answered) {
		return reason(err)
	}
	if answered.StatusCode == http.StatusNotFound {
		return "it is not there (HTTP 404)"
	}
	return fmt.Sprintf("HTTP %d", answered.StatusCode)
}
