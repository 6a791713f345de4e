package site

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/pki"
	"github.com/labrun/labrun/internal/sim/registry"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
)

const source = "quay.io/openshift-release-dev/ocp-release"

// aRegistry is a site with a real registry that holds the release, over TLS and with a login.
func aRegistry(t *testing.T) (s Site, asked *[]string) {
	t.Helper()
	s, names := aSite(t)
	authority, err := pki.New("lab")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Server(s.Facts.Registry.Host)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Start(registry.Options{IP: "127.0.0.1", Certificate: certificate, User: "lab", Password: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	names.Set(s.Facts.Registry.Host, netip.MustParseAddr("127.0.0.1"))
	image, err := registry.Image("amd64", nil)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := r.Push(t.Context(), "openshift/release-images", image)
	if err != nil {
		t.Fatal(err)
	}
	f := s.Facts
	f.Registry.Port, f.Registry.CA = r.Port(), labs.PEM{Text: string(authority.Cert)}
	at := fmt.Sprintf("%s:%d/openshift/release-images", f.Registry.Host, r.Port())
	f.Registry.Mirrors = []labs.Mirror{{Source: source, Mirrors: []string{at}}}
	f.Release.Image, f.Release.ControlPlaneImage = source+"@"+digest, at+"@"+digest
	f.PullSecret = labs.SecretRef{Env: "PULL_SECRET"}
	pullSecret(t, fmt.Sprintf("%s:%d", f.Registry.Host, r.Port()), "lab:sesame")
	asked = &[]string{}
	s.Secret = func(_ context.Context, ref labs.SecretRef) (labs.Secret, error) {
		*asked = append(*asked, ref.String())
		value, ok := os.LookupEnv(ref.Env)
		if !ok {
			return labs.Secret{}, errors.New("it is not set: export " + ref.Env + "=…")
		}
		return labs.NewSecret(value), nil
	}
	return s, asked
}

func pullSecret(t *testing.T, host, login string) {
	t.Helper()
	t.Setenv("PULL_SECRET", fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(login))))
}

func TestRegistry(t *testing.T) {
	other, err := pki.New("somebody else")
	if err != nil {
		t.Fatal(err)
	}
	missing := "@sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		name   string
		id     string
		change func(t *testing.T, f *labs.Facts)
		status redfish.Status
		seen   string
	}{
		{"right", "registry", nil, redfish.Pass, "/v2/ answers, its certificate is good"},
		{"another CA", "registry", func(_ *testing.T, f *labs.Facts) { f.Registry.CA.Text = string(other.Cert) }, redfish.Fail, "x509: certificate signed by unknown authority"},
		{"another name", "registry", func(_ *testing.T, f *labs.Facts) { f.Registry.Host = "localhost.lab.example" }, redfish.Skip, "not asked: name-registry failed"},
		{"nobody there", "registry", func(_ *testing.T, f *labs.Facts) { f.Registry.Port = 1 }, redfish.Fail, ":1/v2/: connection refused"},
		{"connected", "registry", func(_ *testing.T, f *labs.Facts) { f.Disconnected = false }, redfish.Skip, "the lab is connected"},

		{"pull secret", "registry-login", nil, redfish.Pass, "accepts the pull secret"},
		{"login of its own", "registry-login", func(t *testing.T, f *labs.Facts) {
			f.Registry.Credentials = labs.SecretRef{Env: "LOGIN"}
			t.Setenv("LOGIN", "lab:sesame\n")
		}, redfish.Pass, "accepts lab.registry.credentials"},
		{"wrong password", "registry-login", func(t *testing.T, f *labs.Facts) {
			pullSecret(t, fmt.Sprintf("%s:%d", f.Registry.Host, f.Registry.Port), "lab:hunter2")
		}, redfish.Fail, "refuses the pull secret: HTTP 401"},
		{"no entry", "registry-login", func(t *testing.T, _ *labs.Facts) { pullSecret(t, "quay.io", "a:b") }, redfish.Fail, "the pull secret has none for it"},
		{"no secret", "registry-login", func(_ *testing.T, f *labs.Facts) { f.PullSecret.Env = "LABRUN_TEST_UNSET" }, redfish.Fail, "it is not set"},
		{"no JSON", "registry-login", func(t *testing.T, _ *labs.Facts) { t.Setenv("PULL_SECRET", "hunter2") }, redfish.Fail, "is not of the shape"},

		{"there", "release-image", nil, redfish.Pass, "openshift/release-images@sha256:"},
		{"another digest", "release-image", func(_ *testing.T, f *labs.Facts) { f.Release.Image = source + missing }, redfish.Fail, missing + ": it is not there (HTTP 404)"},
		{"not mirrored", "release-image", func(_ *testing.T, f *labs.Facts) { f.Registry.Mirrors = nil }, redfish.Fail, "no mirror of lab.registry.mirrors covers " + source},
		{"a longer name is another repository", "release-image", func(_ *testing.T, f *labs.Facts) { f.Release.Image = source + "-dev" + missing }, redfish.Fail, "no mirror of lab.registry.mirrors covers"},
		{"named at the mirror", "release-image", func(_ *testing.T, f *labs.Facts) { f.Release.Image = f.Release.ControlPlaneImage }, redfish.Pass, "is there"},
		{"login refused", "release-image", func(t *testing.T, _ *labs.Facts) { pullSecret(t, "quay.io", "a:b") }, redfish.Skip, "not asked: registry-login failed"},

		{"there", "control-plane-image", nil, redfish.Pass, "is there"},
		{"another digest", "control-plane-image", func(_ *testing.T, f *labs.Facts) {
			name, _, _ := strings.Cut(f.Release.ControlPlaneImage, "@")
			f.Release.ControlPlaneImage = name + missing
		}, redfish.Fail, "it is not there (HTTP 404)"},
	} {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			s, _ := aRegistry(t)
			if c.change != nil {
				c.change(t, s.Facts)
			}
			r := one(t, s, c.id)
			want(t, c.name, r, c.status, c.seen)
			if strings.Contains(r.Seen+r.Remedy, "hunter2") {
				t.Errorf("the secret is told: %+v", r)
			}
		})
	}
}

// What answers at the registry's place and is none is told as such.
func TestNoRegistry(t *testing.T) {
	s, _ := aRegistry(t)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	s.Facts.Registry.Host, s.Facts.Registry.Port = at.Addr().String(), int(at.Port())
	s.Facts.Registry.CA.Text = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	want(t, "another server", one(t, s, "registry"), redfish.Fail, "HTTP 404: this is no registry")
}

func TestImages(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ranges":
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("x", 2048)))
		case "/whole":
			w.Header().Set("Content-Length", "2048")
			_, _ = w.Write(make([]byte, 2048))
		case "/unknown":
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("y"))
		case "/empty":
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		url         string
		iso, rootfs redfish.Status
		seen        string
	}{
		{server.URL + "/ranges", redfish.Pass, redfish.Pass, "answers, 2.0 KiB, with ranges"},
		{server.URL + "/whole", redfish.Warn, redfish.Warn, "answers, 2.0 KiB, without ranges"},
		{server.URL + "/unknown", redfish.Warn, redfish.Warn, "answers without its length"},
		{server.URL + "/empty", redfish.Fail, redfish.Warn, "answered 200 OK without a byte"},
		{server.URL + "/nope.iso", redfish.Fail, redfish.Warn, "/nope.iso: the server answered 404 Not Found"},
		{"http://127.0.0.1:1/x.iso", redfish.Fail, redfish.Warn, "connection refused"},
	} {
		s, _ := aSite(t)
		s.Facts.Release.RHCOS.ISO, s.Facts.Release.RHCOS.RootFS = c.url, c.url
		want(t, c.url, one(t, s, "live-iso"), c.iso, c.seen)
		want(t, c.url, one(t, s, "rootfs"), c.rootfs, c.seen)
	}
}
