package cptest_test

import (
	"os"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var hub = cptest.Shared{Options: controlplane.Options{CRDs: []string{"metal3/baremetalhosts.metal3.io"}}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

// Two tests share the server and do not meet in it.
func TestShared(t *testing.T) {
	urls, names := map[string]bool{}, map[string]bool{}
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			cp, ns := hub.Get(t), hub.Namespace(t, "clusters")
			urls[cp.URL()], names[ns] = true, true
			client, err := kubernetes.NewForConfig(cp.Config())
			if err != nil {
				t.Fatal(err)
			}
			object := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "same"}}
			if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), object, meta.CreateOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	if len(urls) != 1 || len(names) != 2 {
		t.Errorf("servers %v, namespaces %v", urls, names)
	}
}
