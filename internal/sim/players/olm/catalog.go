package olm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// packages is what every simulated index image holds: the operators that labs subscribe to, their channels, and the
// version at the head of each.
func packages() map[string]map[string]string {
	mce := map[string]string{}
	for minor, patch := range map[int]int{6: 8, 7: 6, 8: 4, 9: 2, 10: 1} {
		mce[fmt.Sprintf("stable-2.%d", minor)] = fmt.Sprintf("2.%d.%d", minor, patch)
	}
	return map[string]map[string]string{
		"multicluster-engine": mce,
		"metallb-operator":    {"stable": "4.20.0"},
		"lvms-operator":       {"stable-4.20": "4.20.0"},
	}
}

// catalog gives a CatalogSource its connection's state.
func (o *operator) catalog(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, o, obj.OLM, "CatalogSource", key.Namespace, key.Name)
	if err != nil || was == nil {
		return ctrl.Result{}, err
	}
	state := "READY"
	if !pullable(obj.String(was, "spec", "image"), o.world.Registry != "") || o.world.Faults.On("catalog-unreachable") {
		state = "TRANSIENT_FAILURE"
	}
	if obj.String(was, "status", "connectionState", "lastObservedState") == state {
		return ctrl.Result{}, nil
	}
	left := o.clock.Left(string(was.GetUID()), o.world.Pace.Delay("catalog", 20*time.Second))
	if left > 0 {
		state = "CONNECTING"
	}
	now := was.DeepCopy()
	address := fmt.Sprintf("%s.%s.svc:50051", key.Name, key.Namespace)
	if obj.String(was, "status", "connectionState", "lastObservedState") != state {
		obj.Set(now, map[string]any{"address": address, "lastConnect": time.Now().UTC().Format(time.RFC3339), "lastObservedState": state}, "status", "connectionState")
	}
	return ctrl.Result{RequeueAfter: left}, obj.WriteStatus(ctx, o, was, now)
}

// pullable says whether the nodes can pull an index image. A disconnected hub reaches no public registry: index images
// are pulled by tag, which no ImageDigestMirrorSet covers.
func pullable(image string, disconnected bool) bool {
	host, _, _ := strings.Cut(image, "/")
	switch host {
	case "registry.redhat.io", "quay.io", "registry.connect.redhat.com", "docker.io":
		return !disconnected
	}
	return true
}
