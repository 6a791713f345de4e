package sim

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/labrun/labrun/internal/sim/registry"
	"github.com/labrun/labrun/labs"
)

// release is what the registry and the web server hold of the lab's release.
type release struct {
	image, controlPlane string // as facts of the lab
	iso, rootfs         string
	registry            string // host:port as images name it
	mirrors             []labs.Mirror
}

// versionLabel names the version on a release image, as real ones do.
const versionLabel = "io.openshift.release"

// componentLabel names, on the release image, an image that it consists of. Real ones list them in a file of theirs.
const componentLabel = "labsim.component"

// publishRelease starts the registry and puts small images into it: of a disconnected lab under the repositories that
// its mirrors name, over TLS; of a connected one under the release's own repository, on plain loopback.
func (l *Lab) publishRelease(ctx context.Context) error {
	o := registry.Options{IP: l.ip, User: l.users.registryUser, Password: l.users.registryPassword}
	host := "localhost"
	if l.facts.Disconnected {
		host = l.facts.Registry.Host
		pair, err := l.users.authority.Server(host)
		if err != nil {
			return err
		}
		if o.Certificate, err = pair.TLS(); err != nil {
			return err
		}
	}
	var err error
	if l.registry, err = registry.Start(o); err != nil {
		return err
	}
	l.release.registry = net.JoinHostPort(host, strconv.Itoa(l.registry.Port()))
	if err := l.pushImages(ctx); err != nil {
		return err
	}
	rhcos := "rhcos-" + l.facts.Release.RHCOS.Version
	l.release.iso = l.web.RHCOS(rhcos + "-live-iso." + l.facts.Release.Arch + ".iso")
	l.release.rootfs = l.web.RHCOS(rhcos + "-live-rootfs." + l.facts.Release.Arch + ".img")
	return l.writePullSecret()
}

func (l *Lab) pushImages(ctx context.Context) error {
	f := l.facts
	arch := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[f.Release.Arch]
	source := repository(f.Release.Image)
	labels := map[string]string{versionLabel: f.Release.Version}
	var err error
	if labels[componentLabel], err = l.pushComponent(ctx, arch, source[:strings.LastIndex(source, "/")+1]+"ocp-v4.0-art-dev"); err != nil {
		return err
	}
	payload, err := registry.Image(arch, labels)
	if err != nil {
		return err
	}
	if !f.Disconnected {
		_, path, _ := strings.Cut(source, "/")
		digest, err := l.registry.Push(ctx, path, payload)
		l.release.image = l.release.registry + "/" + path + "@" + digest
		return err
	}
	l.release.mirrors = l.moved(f.Registry.Mirrors)
	digest := ""
	for _, place := range mirrored(source, f.Registry.Mirrors) {
		_, path, _ := strings.Cut(place, "/")
		if digest, err = l.registry.Push(ctx, path, payload); err != nil {
			return err
		}
	}
	if digest == "" {
		return fmt.Errorf("the release image %s is covered by no mirror of lab.registry.mirrors: the lab's registry cannot hold it", f.Release.Image)
	}
	l.release.image = source + "@" + digest
	component, err := registry.Image(arch, map[string]string{"io.openshift.build.name": "hypershift", versionLabel: f.Release.Version})
	if err != nil {
		return err
	}
	_, path, _ := strings.Cut(repository(f.Release.ControlPlaneImage), "/")
	if digest, err = l.registry.Push(ctx, path, component); err != nil {
		return err
	}
	l.release.controlPlane = l.release.registry + "/" + path + "@" + digest
	return nil
}

// pushComponent puts an image that the release consists of into the registry, in the places of its repository, and gives
// its name; "" where no mirror covers that. With failure image-pull-mirror the registry does not get it.
func (l *Lab) pushComponent(ctx context.Context, arch, source string) (string, error) {
	image, err := registry.Image(arch, map[string]string{"io.openshift.build.name": "etcd", versionLabel: l.facts.Release.Version})
	if err != nil {
		return "", err
	}
	hash, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("making an image of the release: %w", err)
	}
	places := mirrored(source, l.facts.Registry.Mirrors)
	if !l.facts.Disconnected {
		_, path, _ := strings.Cut(source, "/")
		source = l.release.registry + "/" + path
		places = []string{source}
	}
	for _, place := range places {
		if l.options.faults().On("image-pull-mirror") {
			continue
		}
		_, path, _ := strings.Cut(place, "/")
		if _, err := l.registry.Push(ctx, path, image); err != nil {
			return "", err
		}
	}
	if len(places) == 0 {
		return "", nil
	}
	return source + "@" + hash.String(), nil
}

// repository is an image's name without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if slash := strings.LastIndex(image, "/"); strings.Contains(image[slash+1:], ":") {
		image = image[:strings.LastIndex(image, ":")]
	}
	return image
}

// mirrored are the repositories in which a source repository is looked for.
func mirrored(source string, mirrors []labs.Mirror) []string {
	var places []string
	for _, m := range mirrors {
		rest, ok := strings.CutPrefix(source, strings.TrimSuffix(m.Source, "/"))
		if !ok || (rest != "" && rest[0] != '/') {
			continue
		}
		for _, to := range m.Mirrors {
			places = append(places, strings.TrimSuffix(to, "/")+rest)
		}
	}
	return places
}

// moved are the mirrors, with the port that the registry has here.
func (l *Lab) moved(mirrors []labs.Mirror) []labs.Mirror {
	var all []labs.Mirror
	for _, m := range mirrors {
		moved := labs.Mirror{Source: m.Source}
		for _, to := range m.Mirrors {
			host, path, _ := strings.Cut(to, "/")
			if name, _, _ := strings.Cut(host, ":"); name == l.facts.Registry.Host {
				to = l.release.registry + "/" + path
			}
			moved.Mirrors = append(moved.Mirrors, to)
		}
		all = append(all, moved)
	}
	return all
}

// writePullSecret holds the registry's login, unless the lab file has that elsewhere, and of a connected lab
// what a real pull secret holds.
func (l *Lab) writePullSecret() error {
	type entry struct {
		Auth string `json:"auth"`
	}
	login := entry{base64.StdEncoding.EncodeToString([]byte(l.users.registryUser + ":" + l.users.registryPassword))}
	auths := map[string]entry{}
	if l.facts.Registry.Credentials.IsZero() {
		auths[l.release.registry] = login
	}
	if !l.facts.Disconnected {
		for _, public := range []string{"cloud.openshift.com", "quay.io", "registry.connect.redhat.com", "registry.redhat.io"} {
			auths[public] = login
		}
	}
	text, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return err
	}
	return os.WriteFile(l.users.pullSecretFile, text, 0o600)
}
