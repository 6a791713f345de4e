package registry

import (
	"net"
	"strconv"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPushAndPull(t *testing.T) {
	r, err := Start(Options{IP: "127.0.0.1", User: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}()
	image, err := Image("amd64", map[string]string{"io.openshift.release": "4.20.3"})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := r.Push(t.Context(), "openshift/release-images", image)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(net.JoinHostPort("127.0.0.1", strconv.Itoa(r.Port())) + "/openshift/release-images@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	for user, ok := range map[string]bool{"u": true, "other": false} {
		pulled, err := remote.Image(ref, remote.WithAuth(&authn.Basic{Username: user, Password: "p"}))
		if (err == nil) != ok {
			t.Errorf("as %s: %v", user, err)
			continue
		}
		if !ok {
			continue
		}
		config, err := pulled.ConfigFile()
		if err != nil || config.Config.Labels["io.openshift.release"] != "4.20.3" || config.Architecture != "amd64" {
			t.Errorf("pulled %+v, %v", config, err)
		}
	}
}
