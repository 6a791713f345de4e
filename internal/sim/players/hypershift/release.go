package hypershift

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
)

// versionLabel names the version on a release image.
const versionLabel = "io.openshift.release"

// componentLabel names, on a simulated release image, one of the images that it consists of. Real ones list them all in a
// file of theirs.
const componentLabel = "labsim.component"

// errArch makes ValidReleaseImage False with reason PayloadArchNotFound.
var errArch = errors.New("failed to find image CPU architecture")

// release is what a release image says of itself.
type release struct {
	Image, Version, Digest string
	Component              string // an image that the control plane's pods run, "" where none is named
	Arch                   hyperv1.PayloadArchType
}

// registries asks registries for images.
type registries struct{ names *resolver }

// asked is how a HostedCluster has its images asked for.
type asked struct {
	Mirrors    []hyperv1.ImageContentSource
	PullSecret []byte
	CA         []byte // PEM, beside the system's
}

// find reads the release at image, from its mirrors first.
func (r registries) find(ctx context.Context, image string, how asked) (release, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	keys, err := keychain(how.PullSecret)
	if err != nil {
		return release{}, fmt.Errorf("%w: %w", errPullSecret, err)
	}
	carrier := r.transport(how.CA)
	defer carrier.CloseIdleConnections()
	var failed []error
	for _, from := range candidates(image, how.Mirrors) {
		found, err := read(ctx, from, remote.WithAuthFromKeychain(keys), remote.WithTransport(carrier), remote.WithContext(ctx))
		if err == nil {
			found.Image = image
			return found, nil
		}
		failed = append(failed, fmt.Errorf("unable to read image %s: %w", from, err))
	}
	return release{}, errors.Join(failed...)
}

// candidates are the places where image is looked for, its mirrors before itself.
func candidates(image string, mirrors []hyperv1.ImageContentSource) []string {
	var places []string
	for _, m := range mirrors {
		rest, ok := strings.CutPrefix(image, strings.TrimSuffix(m.Source, "/"))
		if !ok || (rest != "" && !strings.ContainsAny(rest[:1], "/@:")) {
			continue
		}
		for _, mirror := range m.Mirrors {
			places = append(places, strings.TrimSuffix(mirror, "/")+rest)
		}
	}
	return append(places, image)
}

func read(ctx context.Context, image string, options ...remote.Option) (release, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return release{}, err
	}
	found, err := remote.Get(ref, options...)
	if err != nil {
		return release{}, worded(err)
	}
	got := release{Digest: found.Digest.String()}
	var picture v1.Image
	if found.MediaType.IsIndex() {
		got.Arch = hyperv1.Multi
		picture, err = anyOf(found)
	} else {
		picture, err = found.Image()
	}
	if err != nil {
		return release{}, err
	}
	config, err := picture.ConfigFile()
	if err != nil {
		return release{}, err
	}
	if got.Arch == "" {
		if config.Architecture == "" {
			return release{}, fmt.Errorf("%w for %s", errArch, image)
		}
		got.Arch = hyperv1.ToPayloadArch(config.Architecture)
	}
	got.Version, got.Component = config.Config.Labels[versionLabel], config.Config.Labels[componentLabel]
	if got.Version == "" {
		got.Version = versionOfTag(image)
	}
	if _, err := semver.StrictNewVersion(got.Version); err != nil {
		return release{}, fmt.Errorf("image %s is no release: its label %s is %q: %w", image, versionLabel, got.Version, err)
	}
	return got, nil
}

// worded is a registry's refusal in the words of the clients that OpenShift uses; other errors stay as they are.
func worded(err error) error {
	var refused *transport.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.StatusCode {
	case http.StatusUnauthorized:
		return errors.New("unauthorized: authentication required")
	case http.StatusNotFound:
		return errors.New("manifest unknown: manifest unknown")
	}
	return err
}

func anyOf(found *remote.Descriptor) (v1.Image, error) {
	index, err := found.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) == 0 {
		return nil, errArch
	}
	return index.Image(manifest.Manifests[0].Digest)
}

// versionOfTag is the version in a tag such as 4.20.3-x86_64.
func versionOfTag(image string) string {
	ref, err := name.NewTag(image)
	if err != nil {
		return ""
	}
	version := ref.TagStr()
	for _, arch := range []string{"-x86_64", "-aarch64", "-multi", "-s390x", "-ppc64le"} {
		version = strings.TrimSuffix(version, arch)
	}
	return version
}

// keychain holds the credentials of a pull secret.
type auths map[string]authn.AuthConfig

func keychain(pullSecret []byte) (auths, error) {
	var file struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if err := json.Unmarshal(pullSecret, &file); err != nil {
		return nil, fmt.Errorf("%s holds no docker configuration", ".dockerconfigjson")
	}
	return file.Auths, nil
}

// Resolve finds the credentials for a registry, by its longest matching entry.
func (a auths) Resolve(target authn.Resource) (authn.Authenticator, error) {
	for at := target.String(); at != ""; {
		if found, ok := a[at]; ok {
			return authn.FromConfig(found), nil
		}
		cut := strings.LastIndex(at, "/")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	return authn.Anonymous, nil
}

func (r registries) transport(ca []byte) *http.Transport {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(ca)
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return r.names.dial(ctx, network, address)
		},
	}
}

// judgeVersion refuses a release that the operator does not support; supported are minors such as "4.20", none where
// the operator says nothing.
func judgeVersion(version string, supported []string, networkType hyperv1.NetworkType) error {
	v, err := semver.StrictNewVersion(version)
	if err != nil {
		return err
	}
	if networkType == hyperv1.OpenShiftSDN && v.Minor() > 10 {
		return fmt.Errorf("cannot use OpenShiftSDN with OCP version %q > 4.10", version)
	}
	var low, high *semver.Version
	for _, s := range supported {
		one, err := semver.NewVersion(s)
		if err != nil {
			continue
		}
		if low == nil || one.LessThan(low) {
			low = one
		}
		if high == nil || one.GreaterThan(high) {
			high = one
		}
	}
	switch {
	case high != nil && v.Minor() > high.Minor():
		return fmt.Errorf("the latest version supported is: %q. Attempting to use: %q", high.String(), version)
	case low != nil && v.Minor() < low.Minor():
		return fmt.Errorf("the minimum version supported for platform Agent is: %q. Attempting to use: %q", low.String(), version)
	}
	return nil
}
